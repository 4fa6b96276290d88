import pg from 'pg';
import { connectPostgres } from '../../server/src/platform/database/postgres.ts';
import { ask } from '../cluster/scratch.ts';
import { startTestRollcall, type TestRollcall } from '../rollcall/start.ts';
import { makeEvent } from './events.ts';

let rollcall: TestRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall({
    connect: async (url) => {
      const name = new URL(url).pathname.slice(1);
      await ask(url, `alter database ${name} set timezone = 'Asia/Kathmandu'`);
      const connect = () =>
        connectPostgres({ url, connections: 2, timeoutMs: 30_000, onIdleError: () => undefined });
      return { ingest: connect(), query: connect() };
    },
  });
});
afterAll(() => rollcall.stop());

/** Every moment in an answer. */
const moments = (body: unknown) =>
  [...JSON.stringify(body).matchAll(/"(\d{4}-\d\d-\d\dT[^"]+)"/g)].map(([, moment]) => moment);

test('times are told in UTC, wherever the database stands', async () => {
  const entity = { entity_type: 'service', entity_id: 'orders', current_state: 'active' };
  await rollcall.post('/api/v1/entities', entity);
  const timestamp = rollcall.clock.now().toISOString().slice(0, 10) + 'T00:00:00.000Z';
  await rollcall.post('/api/v1/telemetry', makeEvent({ timestamp }));
  await rollcall.post('/api/v1/gaps/check');
  for (const path of [
    'entities/service/orders',
    'entities',
    'telemetry',
    'gaps',
    'keys',
    'pairs',
  ]) {
    const { body } = await rollcall.get(`/api/v1/${path}`);
    expect([path, moments(body)]).not.toEqual([path, []]);
    for (const moment of moments(body)) expect(moment).toMatch(/(Z|\+00:00)$/);
  }
  // A day is a day of UTC too.
  expect(
    await rollcall.sql(`select inhrelid::regclass::text as name from pg_inherits
                         where inhparent = 'rollcall.telemetry'::regclass`),
  ).toEqual([{ name: `telemetry_${timestamp.slice(0, 10).replaceAll('-', '')}` }]);
});

test('whoever asks the public functions keeps the time zone', async () => {
  const client = new pg.Client(rollcall.databaseUrl);
  await client.connect();
  await client.query('begin');
  await client.query(`select public.register_entity('crm', 'service')`);
  await client.query(`select public.update_entity_state('crm', 'service', 'active')`);
  await client.query('select * from public.check_registration_gaps()');
  expect((await client.query('show timezone')).rows).toEqual([{ TimeZone: 'Asia/Kathmandu' }]);
  await client.end();
});
