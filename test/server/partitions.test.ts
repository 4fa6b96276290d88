import pg from 'pg';
import { startTestRollcall, type TestRollcall } from '../rollcall/start.ts';
import { makeEvent } from './events.ts';

const DAY_MS = 86_400_000;

let rollcall: TestRollcall;
beforeEach(async () => void (rollcall = await startTestRollcall()));
afterEach(() => rollcall.stop());

const at = (milliseconds: number) => new Date(milliseconds).toISOString();
const today = () => Math.floor(rollcall.clock.now().getTime() / DAY_MS) * DAY_MS;
const partitionOf = (day: number) => `telemetry_${at(day).slice(0, 10).replaceAll('-', '')}`;
const send = (...events: object[]) =>
  rollcall.post(
    '/api/v1/telemetry',
    events.map((event) => makeEvent(event)),
  );

const partitions = async () =>
  (
    await rollcall.sql<{ name: string }>(
      `select inhrelid::regclass::text as name from pg_inherits
        where inhparent = 'rollcall.telemetry'::regclass order by 1`,
    )
  ).map(({ name }) => name.replace('rollcall.', ''));

const count = async (table: string) =>
  (await rollcall.sql<{ n: number }>(`select count(*)::int as n from ${table}`))[0]?.n;

/** What the server does every hour. */
const enforceRetention = async (days = { telemetry: 30, rollups: 400 }) =>
  (
    await rollcall.sql<{ result: { dropped: string[] } }>(
      'select rollcall_api.enforce_retention($1, $2, $3) as result',
      [rollcall.clock.now(), days.telemetry, days.rollups],
    )
  )[0]?.result.dropped;

test('the first event of a day makes its partition, whichever order days come in', async () => {
  expect(await partitions()).toEqual([]);
  const days = [today() - 3 * DAY_MS, today() - 9 * DAY_MS, today() - DAY_MS];
  for (const day of days) await send({ timestamp: at(day) });
  expect(await partitions()).toEqual(days.map(partitionOf).sort());
  await send(...days.map((day) => ({ timestamp: at(day + DAY_MS - 1) })));
  expect(await partitions()).toHaveLength(3);
  expect(await count('rollcall.telemetry')).toBe(6);
});

test('an event that comes again with a time across midnight is a duplicate', async () => {
  const midnight = today();
  const events = ['before', 'after'].map((target_id, index) => ({
    ...makeEvent({ target_id }),
    timestamp: at(midnight - 1 + index),
  }));
  expect((await send(...events)).body).toMatchObject({ accepted: 2, duplicates: 0 });
  const again = events.map((event, index) => ({ ...event, timestamp: at(midnight - index) }));
  const { body } = await send(...again, { timestamp: at(midnight) });
  expect(body).toMatchObject({
    accepted: 1,
    duplicates: 2,
    results: [{ status: 'duplicate' }, { status: 'duplicate' }, { status: 'accepted' }],
  });
  expect(await count('rollcall.telemetry')).toBe(3);
  expect((await rollcall.get('/api/v1/overview?window_seconds=172800')).body.totals.calls).toBe(3);
});

test('retention drops whole days, and makes the partitions of today and tomorrow ahead', async () => {
  const days = [28, 5, 0].map((ago) => today() - ago * DAY_MS);
  await send(...days.map((day) => ({ timestamp: at(day) })));
  rollcall.clock.advance(3 * DAY_MS);
  expect(await enforceRetention()).toEqual([partitionOf(days[0] as number)]);
  expect(await partitions()).toEqual(
    [days[1] as number, days[2] as number, today(), today() + DAY_MS].map(partitionOf),
  );
  const { body } = await rollcall.get('/api/v1/telemetry');
  expect(body.items.map(({ timestamp }: { timestamp: string }) => Date.parse(timestamp))).toEqual([
    days[2],
    days[1],
  ]);
  expect(await enforceRetention()).toEqual([]);
});

test('rollups outlive raw telemetry and go by their own limit, in every tenant', async () => {
  const other = await rollcall.keyFor('other');
  const timestamp = at(today());
  await send({ timestamp });
  await rollcall.post('/api/v1/telemetry', makeEvent({ timestamp }), { key: other });
  rollcall.clock.advance(50 * DAY_MS);
  await send({});
  for (const tenant of ['default', 'other']) {
    await rollcall.sql('select rollcall_api.fold_hour($1, $2)', [tenant, rollcall.clock.now()]);
  }
  const fine = ['minutes', 'pairs'];
  const coarse = ['hours', 'pair_days', 'folded'];
  const counts = (names: string[]) =>
    Promise.all(names.map((name) => count(`rollcall.telemetry_${name}`)));
  expect(await enforceRetention({ telemetry: 30, rollups: 60 })).toHaveLength(1);
  expect(await counts(fine)).toEqual([3, 3]);
  expect(await counts(coarse)).toEqual([2, 2, 2]);
  await enforceRetention({ telemetry: 30, rollups: 40 });
  expect(await counts(fine)).toEqual([1, 1]);
  expect(await counts(coarse)).toEqual([0, 0, 0]);
});

test('a day that somebody reads is dropped the next time, for ingest would wait behind the drop', async () => {
  await send({ timestamp: at(today() - 20 * DAY_MS) });
  const [old] = await partitions();
  rollcall.clock.advance(20 * DAY_MS);
  const reader = new pg.Client(rollcall.databaseUrl);
  await reader.connect();
  await reader.query('begin; select from rollcall.telemetry');
  expect(await enforceRetention()).toEqual([]);
  expect(await partitions()).toContain(old);
  await reader.end();
  expect(await enforceRetention()).toEqual([old]);
});
