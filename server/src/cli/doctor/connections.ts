import type { Connection } from '@rollcall/client/contract';
import { CommandFailure } from '../failure.ts';
import type { Api } from '../http/api.ts';
import { readPages } from '../http/pages.ts';
import { SHORT_ID } from '../http/resolve-id.ts';
import { clean, count } from '../terminal/text.ts';
import { ago } from '../terminal/time.ts';
import { failed, ok, warning, type Check } from './check.ts';

const PATH = '/api/v1/n8n/connections';
/** As gap checks have it: an instance that misses so many inventories is silent. */
const INVENTORIES_MISSED = 3;
const LEAST_PATIENCE_MS = 900_000;

/**
 * How the server reaches each n8n that is connected to it: one check each, in the order they were made. None where the
 * key may not read connections; the check of the key says so.
 */
export async function checkConnections(api: Api): Promise<Check[]> {
  try {
    const { items } = await readPages<Connection>(api, PATH, {}, { noun: 'connections' });
    const now = api.serverTime();
    return items.map((connection) => checkConnection(connection, now));
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    if (error.code === 'missing_scope') return [];
    return [failed('n8n', error.message, error.next ?? 'Look at the server’s log.')];
  }
}

/** What stands in the way of reaching n8n; the rest has to do with what it answers. */
const KEY_TROUBLE = /^(n8n_key_|secret_unreadable)/;

function checkConnection(connection: Connection, now: number): Check {
  const { id, base_url, last_error, paused, synced_at, workflows } = connection;
  const name = `n8n ${clean(connection.name)}`;
  const short = id.slice(0, SHORT_ID);
  const again = `rollcall n8n connections sync ${short}`;
  const latest = `last inventory ${ago(synced_at, now)}`;
  if (last_error) {
    const newKey = `Give it another key (PATCH ${PATH}/${id} with api_key), then: ${again}`;
    const fix = KEY_TROUBLE.test(last_error.code) ? newKey : `When that is done: ${again}`;
    return failed(name, `${clean(last_error.detail)} (${ago(last_error.at, now)}; ${latest})`, fix);
  }
  if (paused) return warning(name, `${base_url} is paused; ${latest}`, `Ask it once: ${again}`);
  if (synced_at === null) {
    return warning(
      name,
      `${base_url} waits for its first inventory`,
      `Wait for it: ${again}; if none comes, look at the server’s log.`,
    );
  }
  if (now - Date.parse(synced_at) > patienceMs(connection)) {
    return warning(
      name,
      `${base_url}: ${latest}, though one is due every ${connection.interval_seconds} s`,
      `Have it taken now: ${again}; if it does not end, look at the server’s log.`,
    );
  }
  const found = count(workflows.total, 'workflow');
  return ok(name, `answers at ${base_url}; ${latest}, ${found} (${workflows.active} active)`);
}

const patienceMs = ({ interval_seconds }: Connection): number =>
  Math.max(interval_seconds * 1000 * INVENTORIES_MISSED, LEAST_PATIENCE_MS);
