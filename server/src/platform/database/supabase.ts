import type { Database } from './port.ts';
import { isLostRace, problemFromFailure } from './sqlstate.ts';

export interface SupabaseOptions {
  url: string;
  serviceRoleKey: string;
  timeoutMs: number;
}

const RACES = 3;

/**
 * The same functions through Supabase's REST gateway (PostgREST). The schema `rollcall_api` has to be among
 * the exposed ones; `rollcall doctor` says so when it is not.
 */
export async function connectSupabase(options: SupabaseOptions): Promise<Database> {
  const { createClient } = await import('@supabase/supabase-js');
  const client = createClient(options.url, options.serviceRoleKey, {
    db: { schema: 'rollcall_api' as 'public' },
    auth: { persistSession: false, autoRefreshToken: false },
  });

  async function call<Result>(
    name: string,
    args: Record<string, unknown>,
    race = 1,
  ): Promise<Result> {
    const answer = await client.rpc(name, args).abortSignal(AbortSignal.timeout(options.timeoutMs));
    const { error, status } = answer;
    // Of an empty answer the client makes a success without data; PostgREST's success is a 200 with JSON.
    if (!error && status === 200) return answer.data as Result;
    const code = failureCode(status, error?.code);
    if (isLostRace(code) && race < RACES) return call(name, args, race + 1);
    throw problemFromFailure({
      code,
      message: error?.message ?? 'The gateway answered without a body.',
      detail: error?.details,
      hint: error?.hint,
      cause: error,
    });
  }

  // Each call is one request and nothing stays open; ending the client's unused socket would take ten seconds.
  return { call, close: () => Promise.resolve() };
}

/** A gateway that fails before PostgreSQL is asked leaves no SQLSTATE. */
function failureCode(status: number, code: string | undefined): string {
  if (code && /^([0-9A-Z]{5}|PGRST\d+)$/.test(code)) return code;
  if (status === 401 || status === 403) return 'PGRST301';
  // An empty 404 is a 204 to the client.
  if (status === 404 || status === 204) return 'PGRST202';
  return 'unreachable';
}
