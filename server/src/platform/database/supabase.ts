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
    const { data, error, status } = await client
      .rpc(name, args)
      .abortSignal(AbortSignal.timeout(options.timeoutMs));
    if (!error) return data as Result;
    const code = failureCode(status, error.code);
    if (isLostRace(code) && race < RACES) return call(name, args, race + 1);
    throw problemFromFailure({
      code,
      message: error.message,
      detail: error.details,
      hint: error.hint,
      cause: error,
    });
  }

  return { call, close: async () => client.removeAllChannels().then(() => undefined) };
}

/** A gateway that fails before PostgreSQL is asked leaves no SQLSTATE. */
function failureCode(status: number, code: string | undefined): string {
  if (code && /^([0-9A-Z]{5}|PGRST\d+)$/.test(code)) return code;
  if (status === 401 || status === 403) return 'PGRST301';
  if (status === 404) return 'PGRST202';
  return 'unreachable';
}
