import type { Connection, SyncJob } from '@rollcall/client/contract';
import type { z } from 'zod';
import type { Clock } from '../../platform/clock.ts';
import { invalid, Problem } from '../../platform/problem.ts';
import type { ConnectionChangesSchema, ConnectionRequestSchema } from './connections.schema.ts';
import type { ConnectionsStore, StoredTarget } from './connections.store.ts';
import { n8nApi, type N8nApi } from './n8n-api.ts';
import type { N8nTarget, RequestOptions } from './n8n-request.ts';

/** Seals and opens what the database must not be able to read. */
interface Secrets {
  seal(text: string): string;
  open(sealed: string): string;
}

interface Author {
  tenant: string;
  project: string;
  actor: string;
}

export interface ConnectionsNeeds {
  store: ConnectionsStore;
  secrets: Secrets;
  clock: Clock;
  /** Has an inventory that was asked for run by one of the servers. */
  startSync: (tenant: string, id: string) => Promise<void>;
}

const HINT = 4;
/** Somebody waits for the answer. */
const IMPATIENT: RequestOptions = { tries: 2, timeoutMs: 10_000 };

export function connections({ store, secrets, clock, startSync }: ConnectionsNeeds) {
  /** @throws Problem 422 that says what is wrong with address or key; 409 when there is a connection to that n8n */
  async function create(
    author: Author,
    { check, api_key, ...fields }: z.output<typeof ConnectionRequestSchema>,
  ): Promise<Connection> {
    if (check) await n8nApi({ baseUrl: fields.base_url, apiKey: api_key }, IMPATIENT).check();
    const name = fields.name ?? new URL(fields.base_url).host;
    const key = sealed(secrets, author.tenant, fields.base_url, api_key);
    const made = await store.create(author, { ...fields, ...key, name }, clock());
    if (fields.paused) return made;
    await sync(author.tenant, made.id);
    return store.get(author.tenant, made.id);
  }

  /** @throws Problem 422 as `create`; `api_key` is needed where the address leads to another origin */
  async function update(
    tenant: string,
    id: string,
    { check = true, api_key, ...fields }: z.output<typeof ConnectionChangesSchema>,
  ): Promise<Connection> {
    if (api_key === undefined && fields.base_url === undefined) {
      return store.update(tenant, id, fields, clock());
    }
    const stored = await store.target(tenant, id);
    const baseUrl = fields.base_url ?? stored.base_url;
    // Whoever may change an address would otherwise have the key sent wherever he likes.
    if (api_key === undefined && new URL(baseUrl).origin !== new URL(stored.base_url).origin) {
      const message =
        'is needed where base_url leads to another host: the stored one stays with its own';
      throw invalid([{ path: 'api_key', code: 'required', message }]);
    }
    const apiKey = api_key ?? opened(secrets, tenant, stored).apiKey;
    if (check) await n8nApi({ baseUrl, apiKey }, IMPATIENT).check();
    const key = sealed(secrets, tenant, baseUrl, apiKey);
    return store.update(tenant, id, { ...fields, ...key }, clock());
  }

  async function sync(tenant: string, id: string): Promise<SyncJob> {
    const job = await store.requestSync(tenant, id, clock());
    if (job.state === 'queued') await startSync(tenant, id);
    return job;
  }

  /**
   * n8n's API behind a connection, found by its own id or by that of the n8n instance that it leads to; undefined when
   * none leads there.
   * @throws Problem 409 `secret_unreadable` when its key was sealed by another server
   */
  async function clientFor(tenant: string, which: string): Promise<N8nApi | undefined> {
    const stored = await store.target(tenant, which).catch((error: unknown) => {
      if (error instanceof Problem && error.status === 404) return undefined;
      throw error;
    });
    return stored && n8nApi(opened(secrets, tenant, stored), IMPATIENT);
  }

  return { create, update, sync, clientFor };
}

function sealed({ seal }: Secrets, tenant: string, baseUrl: string, apiKey: string) {
  return {
    // With whom and where it may be used: in another row it is worth nothing.
    sealed_key: seal(JSON.stringify([tenant, baseUrl, apiKey])),
    // Of a short key even four characters would be too much.
    key_hint: apiKey.length >= 4 * HINT ? apiKey.slice(-HINT) : '',
  };
}

/** @throws Problem 409 when the key was sealed by another server, or for something else */
export function opened(
  { open }: Pick<Secrets, 'open'>,
  tenant: string,
  stored: Pick<StoredTarget, 'name' | 'base_url' | 'sealed_key'>,
): N8nTarget {
  try {
    const [owner, baseUrl, apiKey] = JSON.parse(open(stored.sealed_key)) as string[];
    if (owner !== tenant || baseUrl !== stored.base_url || !apiKey) throw new Error('Not its own');
    return { baseUrl, apiKey };
  } catch (cause) {
    throw new Problem(409, 'secret_unreadable', {
      detail: `The API key of the connection ${stored.name} cannot be decrypted here. Start the server with the ROLLCALL_SECRET (or the data folder) that it was stored with, or give the connection its api_key again.`,
      cause,
    });
  }
}
