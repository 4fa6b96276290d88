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
  await aside((query) => takeAway(name, query));
  expect((await rollcall.get('/api/v1/live')).status).toBe(503);
  await aside(async (query) => {
    await query(`alter database ${name}_away rename to ${name}`);
    await query(`alter database ${name} allow_connections true`);
  });
  await rollcall.post('/api/v1/entities', { entity_type: 'service', entity_id: 'stock' });
  expect((await reader.next('registry')).data).toMatchObject({ entity_id: 'stock' });
});

type Query = (sql: string) => Promise<unknown>;

async function takeAway(name: string, query: Query): Promise<void> {
  await query(`alter database ${name} allow_connections false`);
  for (;;) {
    await query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${name}'`,
    );
    try {
      await query(`alter database ${name} rename to ${name}_away`);
      return;
    } catch (error) {
      // Somebody was let in just before, and is not seen until now.
      if ((error as pg.DatabaseError).code !== OBJECT_IN_USE) throw error;
    }
  }
}

const OBJECT_IN_USE = '55006';

/** SQL beside the database of the test. */
async function aside(use: (query: Query) => Promise<void>): Promise<void> {
  const client = new pg.Client({ ...runningCluster(), database: 'postgres' });
  await client.connect();
  await use((sql) => client.query(sql));
  await client.end();
}
