import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import type {
  EntityDetail,
  EntityRegistration,
  Gap,
  Page,
  StoredTelemetryEvent,
} from '../../client/src/contract/index.ts';
import { freePort, startChild, until, type Child } from './child.ts';
import { ROOT } from './package.ts';

export interface RollcallServer {
  url: string;
  apiKey: string;
  events(query: Record<string, string>): Promise<StoredTelemetryEvent[]>;
  /** `undefined` when the registry does not know it. */
  entity(type: string, id: string): Promise<EntityDetail | undefined>;
  register(entity: EntityRegistration): Promise<void>;
  gaps(query: Record<string, string>): Promise<Gap[]>;
  stop(): Promise<void>;
}

/** The real server, as a user starts it, with its data in the given folder. */
export async function startRollcall(folder: string): Promise<RollcallServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const apiKey = `rc_${randomBytes(32).toString('base64url')}`;
  const child = startChild('Rollcall', [join(ROOT, 'server/bin/rollcall.js'), 'start'], {
    cwd: folder,
    env: {
      ...process.env,
      ROLLCALL_PORT: String(port),
      ROLLCALL_DATA_DIR: join(folder, 'data'),
      ROLLCALL_ADMIN_KEY: apiKey,
    },
  });
  try {
    await until('Rollcall is ready', () => isReady(url), { seconds: 90, child });
  } catch (error) {
    await child.stop();
    throw error;
  }
  return client(url, apiKey, child);
}

async function isReady(url: string): Promise<true | undefined> {
  const { ok } = await fetch(`${url}/readyz`);
  return ok || undefined;
}

function client(url: string, apiKey: string, child: Child): RollcallServer {
  const headers = { Authorization: `Bearer ${apiKey}`, 'Content-Type': 'application/json' };
  const ask = async <Answer>(path: string, body?: object): Promise<Answer | undefined> => {
    const request = body ? { method: 'POST', body: JSON.stringify(body), headers } : { headers };
    const answer = await fetch(`${url}/api/v1/${path}`, request);
    if (answer.status === 404) return undefined;
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Answer;
  };
  const list = async <Item>(path: string, query: Record<string, string>): Promise<Item[]> =>
    (await ask<Page<Item>>(`${path}?${new URLSearchParams(query).toString()}`))?.items ?? [];
  return {
    url,
    apiKey,
    events: (query) => list<StoredTelemetryEvent>('telemetry', query),
    entity: (type, id) => ask<EntityDetail>(`entities/${type}/${id}`),
    register: async (entity) => void (await ask('entities', entity)),
    gaps: (query) => list<Gap>('gaps', query),
    stop: () => child.stop(),
  };
}
