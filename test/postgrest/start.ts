import { SignJWT } from 'jose';
import type { Databases } from '../../server/src/compose.ts';
import { connectSupabase } from '../../server/src/platform/database/supabase.ts';
import { startGateway } from './gateway.ts';
import { findPostgrest, startPostgrest } from './process.ts';
import { addSupabaseRoles } from './roles.ts';

const SECRET = new TextEncoder().encode('a secret of thirty-two characters');
const TIMEOUT_MS = 30_000;

export interface TestSupabase {
  /** What SUPABASE_URL would be. */
  url: string;
  /** A signed token, as Supabase's keys and its signed-in users have one. */
  token(role: 'anon' | 'authenticated' | 'service_role', claims?: object): Promise<string>;
  stop(): Promise<void>;
}

/** Why there is no PostgREST here, if there is none. */
export const withoutPostgrest = findPostgrest()
  ? undefined
  : `no PostgREST in npm for ${process.platform} ${process.arch}`;

/** `describe` where there is a PostgREST; elsewhere says so in the name and skips. */
export function describeWithPostgrest(name: string, tests: () => void): void {
  if (withoutPostgrest === undefined) describe(name, tests);
  else describe.skip(`${name} (skipped: ${withoutPostgrest})`, tests);
}

/** Puts a real PostgREST, and Supabase's roles, on a database that has Rollcall's schema. */
export async function startSupabase(databaseUrl: string): Promise<TestSupabase> {
  await addSupabaseRoles(databaseUrl);
  const uri = new URL(databaseUrl);
  uri.username = 'authenticator';
  const postgrest = await startPostgrest({
    PGRST_DB_URI: uri.href,
    PGRST_DB_SCHEMAS: 'public,rollcall_api',
    PGRST_DB_ANON_ROLE: 'anon',
    PGRST_DB_POOL: '8',
    PGRST_JWT_SECRET: new TextDecoder().decode(SECRET),
  });
  const gateway = await startGateway(postgrest.socket);
  return {
    url: gateway.url,
    token: (role, claims = {}) =>
      new SignJWT({ ...claims, role })
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime('1h')
        .sign(SECRET),
    async stop() {
      await gateway.stop();
      await postgrest.stop();
    },
  };
}

/** For `startTestRollcall`: the server reaches its database through Supabase alone. */
export async function connectThroughSupabase(databaseUrl: string): Promise<Databases> {
  const supabase = await startSupabase(databaseUrl);
  const serviceRoleKey = await supabase.token('service_role');
  const database = await connectSupabase({
    url: supabase.url,
    serviceRoleKey,
    timeoutMs: TIMEOUT_MS,
  });
  const query = {
    call: database.call,
    close: async () => {
      await database.close();
      await supabase.stop();
    },
  };
  return { ingest: database, query };
}
