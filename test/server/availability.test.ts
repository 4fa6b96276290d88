import pg from 'pg';
import { runningCluster } from '../cluster/running.ts';
import { startTestRollcall, type TestRollcall } from '../rollcall/start.ts';

let rollcall: TestRollcall;
beforeEach(async () => {
  rollcall = await startTestRollcall();
});
afterEach(() => rollcall.stop());

const event = { protocol: 'mcp', source_id: 'a', target_id: 'b', status: 'success' };
const send = () => rollcall.post('/api/v1/telemetry', event);

/** SQL beside the database of the test. */
async function aside(...statements: string[]): Promise<void> {
  const client = new pg.Client({ ...runningCluster(), database: 'postgres' });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

test('while the database is gone the server is alive, not ready, and says so; then it goes on', async () => {
  expect((await rollcall.get('/readyz')).status).toBe(200);
  const name = new URL(rollcall.databaseUrl).pathname.slice(1);
  await aside(
    `alter database ${name} allow_connections false`,
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${name}'`,
    `alter database ${name} rename to ${name}_away`,
  );
  expect(await rollcall.get('/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
  for (const answer of [
    await rollcall.get('/readyz', { key: null }),
    await send(),
    await rollcall.get('/api/v1/entities'),
    await rollcall.get('/api/v1/whoami', { key: `rc_${'x'.repeat(43)}` }),
  ]) {
    expect(answer.status).toBe(503);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ code: 'database_unavailable' });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  await aside(
    `alter database ${name}_away rename to ${name}`,
    `alter database ${name} allow_connections true`,
  );
  expect((await rollcall.get('/readyz')).status).toBe(200);
  expect((await send()).body).toMatchObject({ accepted: 1 });
});

test('dashboards that wait for the database hold up neither health nor an ingest', async () => {
  await send();
  const lock = new pg.Client(rollcall.databaseUrl);
  await lock.connect();
  await lock.query('begin; lock table rollcall.gaps in access exclusive mode');
  let answered = 0;
  // More of them than the query door has connections.
  const dashboards = Array.from({ length: 12 }, async () => {
    const answer = await rollcall.get('/api/v1/overview');
    answered += 1;
    return answer.status;
  });
  const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  while ((await rollcall.sql(waiting)).length < 4);

  expect((await rollcall.get('/healthz')).status).toBe(200);
  expect((await rollcall.get('/readyz')).status).toBe(200);
  for (let index = 0; index < 5; index++)
    expect((await send()).body).toMatchObject({ accepted: 1 });
  const key = await newKey();
  expect((await rollcall.post('/api/v1/telemetry', event, { key })).status).toBe(200);
  expect(answered).toBe(0);

  await lock.query('commit');
  await lock.end();
  expect(await Promise.all(dashboards)).toEqual(Array(12).fill(200));
});

/** One that the server has not seen yet, made past its busy door. */
async function newKey(): Promise<string> {
  const { makeKey, hashKey, prefixOf } = await import('../../server/src/features/auth/keys.ts');
  const key = makeKey();
  await rollcall.sql(
    `insert into rollcall.api_keys (tenant_id, project_id, name, prefix, key_hash, scopes, created_by)
     values ('default', 'default', 'late', $1, decode($2, 'hex'), '{telemetry:write}', 'test')`,
    [prefixOf(key), hashKey(key)],
  );
  return key;
}
