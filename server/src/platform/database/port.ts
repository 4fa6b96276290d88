/**
 * The whole of what the server asks of a database: call a function of the schema `rollcall_api` by name.
 * Arguments are scalars, or values that travel as JSON; one call is one transaction. Failures are thrown
 * as `Problem`s (see sqlstate.ts).
 */
export interface Database {
  call<Result>(name: string, args: Record<string, unknown>): Promise<Result>;
  /**
   * Hears what is notified on a channel, over a connection of its own; left out where a database can only be called.
   * @param lost called once when nothing will be heard any more
   */
  listen?(
    channel: string,
    hear: (payload: string) => void,
    lost: () => void,
  ): Promise<{ close(): Promise<void> }>;
  close(): Promise<void>;
}
