/**
 * The whole of what the server asks of a database: call a function of the schema `rollcall_api` by name.
 * Arguments are scalars, or values that travel as JSON; one call is one transaction. Failures are thrown
 * as `Problem`s (see sqlstate.ts).
 */
export interface Database {
  call<Result>(name: string, args: Record<string, unknown>): Promise<Result>;
  close(): Promise<void>;
}
