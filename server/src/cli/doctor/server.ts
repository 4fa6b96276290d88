import type { Scope } from '@rollcall/client/contract';
import { CommandFailure } from '../failure.ts';
import type { Api } from '../http/api.ts';
import { failed, ok, warning, type Check } from './check.ts';

/** Is there a server, and does its database answer? */
export async function checkServer(api: Api): Promise<Check[]> {
  try {
    await api.call('GET', '/healthz');
  } catch (error) {
    return [fromFailure('server', error, 'Start one with npm start, or correct ROLLCALL_URL.')];
  }
  const alive = ok('server', `answers at ${api.url}`);
  try {
    await api.call('GET', '/readyz');
    return [alive, ok('its database', 'answers')];
  } catch (error) {
    const fix = 'Look at the server’s log, and check DATABASE_URL or SUPABASE_URL where it runs.';
    return [alive, fromFailure('its database', error, fix)];
  }
}

interface WhoAmI {
  tenant_id: string;
  project_id: string;
  name: string;
  scopes: Scope[];
}

const MAKE_ONE =
  'Set ROLLCALL_API_KEY to the key that the first start showed, or start the server with a ROLLCALL_ADMIN_KEY of your own.';

/** Is the key one of that server's, and what may it do? */
export async function checkKey(api: Api, hasKey: boolean): Promise<Check> {
  if (!hasKey) return failed('key', 'none is set', MAKE_ONE);
  try {
    const { name, tenant_id, project_id, scopes } = await api.call<WhoAmI>('GET', '/api/v1/whoami');
    const place = `${name}, tenant ${tenant_id}, project ${project_id}: ${scopes.join(', ')}`;
    const missing = NEEDED.filter((scope) => !scopes.includes(scope));
    if (missing.length === 0 || scopes.includes('admin')) return ok('key', place);
    return warning(
      'key',
      place,
      `This command line also needs ${missing.join(', ')} for some commands.`,
    );
  } catch (error) {
    return fromFailure('key', error, MAKE_ONE);
  }
}

const NEEDED: Scope[] = ['registry:read', 'gaps:read', 'gaps:write', 'telemetry:read'];

function fromFailure(name: string, error: unknown, fix: string): Check {
  if (!(error instanceof CommandFailure)) throw error;
  return failed(name, error.message, fix);
}
