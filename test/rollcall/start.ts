import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scope } from '@rollcall/client/contract';
import pg from 'pg';
import { compose, type Databases, type Rollcall } from '../../server/src/compose.ts';
import { readConfig, type Config } from '../../server/src/config.ts';
import { authStore } from '../../server/src/features/auth/auth.store.ts';
import { hashKey, makeKey, prefixOf } from '../../server/src/features/auth/keys.ts';
import { migrate } from '../../server/src/platform/database/migrate.ts';
import { connectPostgres } from '../../server/src/platform/database/postgres.ts';
import { createLog, type Log } from '../../server/src/platform/log.ts';
import { createDatabase, templateOnce } from '../cluster/database.ts';

export interface Answer {
  status: number;
  headers: Headers;
  // Tests look into whatever came back.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any;
}

export interface CallOptions {
  /** Admin of the tenant `default` when left out; `null` sends none. */
  key?: string | null;
  headers?: Record<string, string>;
  query?: Record<string, string>;
}

export interface TestRollcall {
  url: string;
  /** Admin key of the tenant `default`. */
  key: string;
  rollcall: Rollcall;
  /** One request; a string or Buffer body is sent as it is, anything else as JSON. */
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Answer>;
  get(path: string, options?: CallOptions): Promise<Answer>;
  post(path: string, body?: unknown, options?: CallOptions): Promise<Answer>;
  put(path: string, body?: unknown, options?: CallOptions): Promise<Answer>;
  /** The server's clock: starts at the real time, moves only when told. */
  clock: { now(): Date; advance(milliseconds: number): void };
  /** A key of any tenant, made with its tenant if need be. */
  keyFor(tenant: string, scopes?: Scope[], expiresAt?: string): Promise<string>;
  /** SQL as the database's superuser. */
  sql<Row extends object = Record<string, unknown>>(
    text: string,
    values?: unknown[],
  ): Promise<Row[]>;
  databaseUrl: string;
  stop(): Promise<void>;
}

export interface TestOptions {
  config?: Partial<Config>;
  /** Other doors to the test's database than plain PostgreSQL. */
  connect?: (url: string) => Promise<Databases>;
  /** Silent when left out. */
  log?: Log;
}

/** A database with Rollcall's schema, copied from the run's template. */
export async function createRollcallDatabase() {
  const template = await templateOnce(
    'rollcall_template',
    async (url) => void (await migrate(url)),
  );
  return createDatabase({ template });
}

/** The whole server on a database of its own, over real HTTP, with a clock that stands still. */
export async function startTestRollcall(options: TestOptions = {}): Promise<TestRollcall> {
  const database = await createRollcallDatabase();
  const databases = await (options.connect ?? connectBoth)(database.url);
  const config = {
    ...readConfig({ ROLLCALL_RATE_LIMIT: '0', ROLLCALL_SECRET: 'a secret for tests' }),
    ...options.config,
  };
  let now = Date.now();
  const clock = () => new Date(now);
  const rollcall = compose(
    config,
    databases,
    options.log ?? createLog('silent'),
    clock,
    '0.0.0-test',
  );
  const server = createServer(rollcall.app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const superuser = new pg.Pool({ connectionString: database.url, max: 2 });
  superuser.on('error', () => undefined);
  const auth = authStore(databases.query);

  async function keyFor(
    tenant: string,
    scopes: Scope[] = ['admin'],
    expiresAt?: string,
  ): Promise<string> {
    const key = makeKey();
    await auth.createTenant(tenant, tenant);
    await auth.createKey({
      tenant,
      project: 'default',
      name: `${tenant} ${scopes.join('+')}`,
      prefix: prefixOf(key),
      hash: hashKey(key),
      scopes,
      createdBy: 'test',
      expiresAt: expiresAt ?? null,
    });
    return key;
  }

  const key = await keyFor('default');

  async function call(
    method: string,
    path: string,
    body?: unknown,
    { key: shown = key, headers = {}, query }: CallOptions = {},
  ) {
    const raw = typeof body === 'string' || Buffer.isBuffer(body);
    const search = query ? `?${new URLSearchParams(query).toString()}` : '';
    const response = await fetch(url + path + search, {
      method,
      headers: {
        ...(shown === null ? {} : { authorization: `Bearer ${shown}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: json && text !== '' ? JSON.parse(text) : text,
    };
  }

  return {
    url,
    key,
    rollcall,
    call,
    get: (path, callOptions) => call('GET', path, undefined, callOptions),
    post: (path, body, callOptions) => call('POST', path, body, callOptions),
    put: (path, body, callOptions) => call('PUT', path, body, callOptions),
    clock: { now: clock, advance: (milliseconds) => void (now += milliseconds) },
    keyFor,
    sql: async (text, values) => (await superuser.query(text, values)).rows,
    databaseUrl: database.url,
    async stop() {
      await rollcall.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await Promise.all([databases.ingest.close(), databases.query.close(), superuser.end()]);
      await database.drop();
    },
  };
}

async function connectBoth(url: string): Promise<Databases> {
  const connect = () =>
    connectPostgres({ url, connections: 4, timeoutMs: 30_000, onIdleError: () => undefined });
  return { ingest: connect(), query: connect() };
}
