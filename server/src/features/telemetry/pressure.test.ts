import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
let lock: pg.Client;
beforeEach(async () => {
  rollcall = await startTestRollcall();
  lock = new pg.Client(rollcall.databaseUrl);
  await lock.connect();
});
afterEach(async () => {
  await lock.end();
  await rollcall.stop();
});

const events = (count: number) =>
  Array.from({ length: count }, () => ({
    event_id: randomUUID(),
    protocol: 'mcp',
    source_id: 'a',
    target_id: 'b',
    status: 'success',
  }));
const send = (batch: object[]) => rollcall.post('/api/v1/telemetry', batch);

async function count(): Promise<number> {
  const [row] = await rollcall.sql<{ n: number }>(
    'select count(*)::int as n from rollcall.telemetry',
  );
  return row?.n ?? 0;
}

/** Nothing can be stored from here to `release`. */
async function hold(): Promise<void> {
  await lock.query('begin; lock table rollcall.telemetry_minutes in exclusive mode');
}
const release = () => lock.query('commit');

/** Resolves when so many calls of the server stand before the lock. */
async function untilWaiting(calls: number): Promise<void> {
  for (;;) {
    const rows = await rollcall.sql(
      `select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and query like '%ingest_telemetry%'`,
    );
    if (rows.length >= calls) return;
  }
}

test('a full queue answers 503 with Retry-After, and what was taken is stored', async () => {
  // A first event makes the day's partition, which the lock must not delay.
  await send(events(1));
  await hold();
  const batch = 10_000;
  // Some are being stored, five fill the queue, and the rest is too much.
  const requests = Array.from({ length: 12 }, () => send(events(batch)));
  const first = await Promise.race(requests);
  await release();
  const answers = await Promise.all(requests);

  expect(first.status).toBe(503);
  const refused = answers.filter(({ status }) => status !== 200);
  for (const { status, headers, body } of refused) {
    expect([status, body.code]).toEqual([503, 'overloaded']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  }
  const taken = answers.length - refused.length;
  expect(taken).toBeGreaterThanOrEqual(5);
  expect(await count()).toBe(1 + taken * batch);
});

test('stopping stores what was taken and refuses what comes after', async () => {
  await send(events(1));
  await hold();
  // One is being stored; as more come than are stored at a time, some of them wait in the server.
  const taken = [send(events(3))];
  await untilWaiting(1);
  for (let size = 4; size < 12; size++) taken.push(send(events(size)));
  await rollcall.get('/healthz');
  const stopped = rollcall.rollcall.stop();
  const late = await send(events(20));
  expect(late.status).toBe(503);
  expect(late.body).toMatchObject({ code: 'shutting_down' });
  expect(late.headers.get('retry-after')).toBe('1');
  expect((await rollcall.get('/readyz')).status).toBe(503);
  expect((await rollcall.get('/healthz')).status).toBe(200);
  await release();
  await stopped;
  const answers = await Promise.all(taken);
  const acknowledged = answers
    .filter(({ status }) => status === 200)
    .reduce((sum, { body }) => sum + body.accepted, 0);
  expect(acknowledged).toBeGreaterThanOrEqual(3);
  expect(await count()).toBe(1 + acknowledged);
});

test('an event that the database refuses does not take its neighbours down', async () => {
  await rollcall.sql(
    `alter table rollcall.telemetry add constraint poison check (operation is distinct from 'poison')`,
  );
  const batch = events(25);
  const poisoned = batch.map((event, index) =>
    index === 7 || index === 19 ? { ...event, operation: 'poison' } : event,
  );
  const [mixed, clean, only] = await Promise.all([
    send(poisoned),
    send(events(10)),
    send([{ ...events(1)[0], operation: 'poison' }]),
  ]);
  expect(mixed?.body).toMatchObject({ accepted: 23, rejected: 2 });
  for (const [index, result] of mixed?.body.results.entries() ?? []) {
    const refused = index === 7 || index === 19;
    expect(result.status).toBe(refused ? 'rejected' : 'accepted');
    if (refused)
      expect(result).toMatchObject({ code: 'invalid_value', message: expect.any(String) });
  }
  expect(clean?.body).toMatchObject({ accepted: 10, rejected: 0 });
  expect(only?.status).toBe(422);
  expect(await count()).toBe(33);
});

test('a refused event’s copy in the same batch is refused with it', async () => {
  await rollcall.sql(
    `alter table rollcall.telemetry add constraint poison check (operation is distinct from 'poison')`,
  );
  const poison = { ...events(1)[0], operation: 'poison' };
  const { status, body } = await send([poison, poison]);
  expect(status).toBe(422);
  expect(body).toMatchObject({ accepted: 0, duplicates: 0, rejected: 2 });
});

test('events that another server is storing at this moment are duplicates once it has', async () => {
  const [first, ...others] = events(4) as [object, ...object[]];
  await send([first]);
  const stored = {
    ...(others[1] as object),
    timestamp: rollcall.clock.now(),
    project_id: 'default',
  };
  await lock.query('begin');
  const other = await lock.query<{ answer: unknown }>(
    `select rollcall_api.ingest_telemetry($1, $2, $3) as answer`,
    [
      'default',
      JSON.stringify([stored]),
      JSON.stringify([stored.timestamp.toISOString().slice(0, 10)]),
    ],
  );
  expect(other.rows).toEqual([{ answer: { accepted: 1, duplicates: [] } }]);
  const sent = send([first, ...others]);
  await untilWaiting(1);
  await lock.query('commit');
  const { body } = await sent;
  expect(body.results.map(({ status }: { status: string }) => status)).toEqual([
    'duplicate',
    'accepted',
    'duplicate',
    'accepted',
  ]);
  expect(await count()).toBe(4);
  const [rollup] = await rollcall.sql<{ calls: number }>(
    'select sum(calls)::int as calls from rollcall.telemetry_minutes',
  );
  expect(rollup?.calls).toBe(4);
});
