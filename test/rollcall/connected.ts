import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from '../../client/src/contract/index.ts';
import type { N8nServer } from './n8n-server.ts';
import type { TestRollcall } from './start.ts';

export const CONNECTIONS = '/api/v1/n8n/connections';

type Caller = Pick<TestRollcall, 'get' | 'post'>;

/** The connection, once no inventory waits or runs. */
export async function idle({ get }: Caller, id: string): Promise<Connection> {
  for (;;) {
    const { body } = await get(`${CONNECTIONS}/${id}`);
    if (body.sync.state === 'idle') return body as Connection;
    await pause(10);
  }
}

/** Connects an n8n; resolves after its first inventory. */
export async function connectN8n(caller: Caller, n8n: N8nServer, more: object = {}) {
  const body = { base_url: n8n.url, api_key: n8n.key, ...more };
  const made = await caller.post(CONNECTIONS, body);
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  return idle(caller, made.body.id as string);
}

/** Takes another inventory; resolves after it. */
export async function syncAgain(caller: Caller, id: string): Promise<Connection> {
  const asked = await caller.post(`${CONNECTIONS}/${id}/sync`);
  if (asked.status !== 202) throw new Error(JSON.stringify(asked.body));
  return idle(caller, id);
}
