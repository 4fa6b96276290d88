import pg from 'pg';
import { runningCluster } from '../../../../test/cluster/running.ts';
import { readEvents } from '../../../../test/rollcall/stream.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
beforeEach(async () => {
  rollcall = await startTestRollcall();
});
afterEach(() => rollcall.stop());

test('while the database is away a stream stays, and then tells what has happened since', async () => {
  const reader = await readEvents(rollcall.url, '/api/v1/live', { key: rollcall.key });
  await reader.next('ready');
  const name = new URL(rollcall.databaseUrl).pathname.slice(1);
  await aside(
    `alter database ${name} allow_connections false`,
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${name}'`,
    `alter database ${name} rename to ${name}_away`,
  );
  expect((await rollcall.get('/api/v1/live')).status).toBe(503);
  await aside(
    `alter database ${name}_away rename to ${name}`,
    `alter database ${name} allow_connections true`,
  );
  await rollcall.post('/api/v1/entities', { entity_type: 'service', entity_id: 'stock' });
  expect((await reader.next('registry')).data).toMatchObject({ entity_id: 'stock' });
});

/** SQL beside the database of the test. */
async function aside(...statements: string[]): Promise<void> {
  const client = new pg.Client({ ...runningCluster(), database: 'postgres' });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}
