import { randomUUID } from 'node:crypto';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { connectPostgres } from '../../platform/database/postgres.ts';
import { executionsStore, type ExecutionsStore } from './executions.store.ts';

let rollcall: TestRollcall;
let store: ExecutionsStore;
let close: () => Promise<void>;
beforeAll(async () => {
  rollcall = await startTestRollcall();
  const database = connectPostgres({
    url: rollcall.databaseUrl,
    connections: 2,
    timeoutMs: 10_000,
    onIdleError: () => undefined,
  });
  store = executionsStore(database);
  close = () => database.close();
});
afterAll(async () => {
  await close();
  await rollcall.stop();
});

const ago = (seconds: number) =>
  new Date(rollcall.clock.now().getTime() - seconds * 1000).toISOString();
async function tell(more: object): Promise<string> {
  const report = { workflow_id: 'w', execution_id: randomUUID(), ...more };
  const { status, body } = await rollcall.post('/api/v1/executions/ingest', report);
  expect(status).toBeLessThan(300);
  return body.id as string;
}
const one = async (id: string) =>
  (await rollcall.sql('select * from rollcall.executions where id = $1', [id]))[0] as Record<
    string,
    unknown
  >;
const markLost = () => store.markLost('default', rollcall.clock.now(), 3_600);

describe('a run whose end nobody tells', () => {
  test('is lost after the limit, but not while it waits or is young', async () => {
    const old = await tell({ status: 'running', started_at: ago(3_700) });
    const young = await tell({ status: 'running', started_at: ago(3_500) });
    const waiting = await tell({ status: 'waiting', started_at: ago(90_000) });
    const told = await tell({ status: 'running', started_at: ago(9_000), at: ago(10) });
    expect(await markLost()).toEqual({ lost: 1 });
    const statuses = [];
    for (const id of [old, young, waiting, told]) statuses.push((await one(id)).status);
    expect(statuses).toEqual(['lost', 'running', 'waiting', 'running']);
    expect(await markLost()).toEqual({ lost: 0 });
  });

  test('is not lost when only Emit nodes told of it, which need not tell of an end', async () => {
    const execution_id = randomUUID();
    const emit = { execution_id, source: 'emit', status: 'running', at: ago(90_000) };
    const id = await tell(emit);
    expect(await markLost()).toEqual({ lost: 0 });
    const read = async () => (await rollcall.get(`/api/v1/executions/${id}`)).body;
    expect(await read()).toMatchObject({ status: 'running', end_untold: true });
    // Who knows of ends has told of it, and of none.
    await tell({ ...emit, source: 'log' });
    expect(await read()).toMatchObject({ status: 'running', end_untold: false });
    expect(await markLost()).toEqual({ lost: 1 });
    const ended = await tell({ ...emit, execution_id: randomUUID(), status: 'success' });
    expect((await rollcall.get(`/api/v1/executions/${ended}`)).body).toMatchObject({
      status: 'success',
      end_untold: false,
    });
  });

  test('is not lost before it has started', async () => {
    const id = await tell({ status: 'queued', at: ago(90_000) });
    await markLost();
    expect((await one(id)).status).toBe('queued');
  });

  test('is running again when somebody hears of it', async () => {
    const execution_id = randomUUID();
    const id = await tell({ execution_id, status: 'running', started_at: ago(9_000) });
    await markLost();
    await tell({ execution_id, status: 'running', at: ago(8_000) });
    expect(await one(id)).toMatchObject({ status: 'lost' });
    rollcall.clock.advance(60_000);
    await tell({ execution_id, status: 'running', at: ago(0) });
    expect(await one(id)).toMatchObject({ status: 'running', lost_at: null, late_end: false });
  });

  test('gets five times what its workflow usually takes', async () => {
    for (const seconds of [1_000, 1_100, 1_200]) {
      await tell({
        workflow_id: 'slow',
        status: 'success',
        started_at: ago(80_000),
        duration_ms: seconds * 1000,
      });
    }
    const within = { workflow_id: 'slow', status: 'running', started_at: ago(5_900) };
    const beyond = { workflow_id: 'slow', status: 'running', started_at: ago(6_100) };
    const [early, late] = [await tell(within), await tell(beyond)];
    await markLost();
    expect([(await one(early)).status, (await one(late)).status]).toEqual(['running', 'lost']);
  });

  test('ends after all when a late end comes, and says that it was late', async () => {
    const execution_id = randomUUID();
    const id = await tell({ execution_id, status: 'running', started_at: ago(9_000) });
    await markLost();
    expect(await one(id)).toMatchObject({ status: 'lost', late_end: false });
    await tell({ execution_id, status: 'success', completed_at: ago(8_000) });
    expect(await one(id)).toMatchObject({ status: 'success', late_end: true });
  });
});

test('what waited for longer than retention may still go on, and is kept until it is quiet', async () => {
  const execution_id = randomUUID();
  const now = rollcall.clock.now();
  const id = await tell({ execution_id, status: 'waiting', started_at: ago(80 * 86_400) });
  expect((await store.enforceRetention('default', now, 70)).deleted).toBe(0);
  await tell({
    execution_id,
    status: 'success',
    started_at: ago(120 * 86_400),
    completed_at: ago(1),
  });
  expect((await store.enforceRetention('default', now, 70)).deleted).toBe(0);
  expect((await one(id)).status).toBe('success');
  const refused = await rollcall.post('/api/v1/executions/ingest', {
    workflow_id: 'w',
    execution_id,
    status: 'success',
    started_at: ago(120 * 86_400),
    completed_at: ago(100 * 86_400),
  });
  expect([refused.status, refused.body.errors]).toEqual([
    422,
    [expect.objectContaining({ path: 'completed_at', code: 'timestamp_too_old' })],
  ]);
});

test('what is older than retention goes with all that is below it', async () => {
  const span = {
    trace_id: randomUUID().replaceAll('-', ''),
    span_id: '00000000000000aa',
    name: 's',
    started_at: ago(80 * 86_400),
  };
  const old = await tell({
    status: 'success',
    started_at: ago(80 * 86_400),
    node_executions: [{ node_name: 'A', status: 'success' }],
    telemetry_spans: [span],
    telemetry_events: [{ name: 'e', at: ago(80 * 86_400) }],
    shared_state_snapshots: [{ at: ago(80 * 86_400), state: 1 }],
  });
  const young = await tell({ status: 'success', started_at: ago(60 * 86_400) });
  const now = rollcall.clock.now();
  expect(await store.enforceRetention('default', now, 70)).toEqual({ deleted: 1, more: false });
  expect((await store.dropSpans(now, 70)).dropped).toHaveLength(1);
  for (const table of [
    'executions',
    'execution_keys',
    'node_executions',
    'telemetry_spans',
    'telemetry_events',
    'shared_state_snapshots',
  ]) {
    const left = await rollcall.sql(`select from rollcall.${table} where id = $1`, [old]);
    expect([table, left.length]).toEqual([table, 0]);
  }
  expect((await one(young)).status).toBe('success');
});
