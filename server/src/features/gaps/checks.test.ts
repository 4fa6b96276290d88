import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';

let server: TestRollcall;
let rollcall: FreshTenant;
beforeAll(async () => {
  server = await startTestRollcall();
});
afterAll(() => server.stop());
beforeEach(async () => {
  rollcall = await freshTenant(server);
});

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const check = async () => (await rollcall.post('/api/v1/gaps/check')).body;
const gaps = async (query: Record<string, string> = {}) =>
  (await rollcall.get('/api/v1/gaps', { query })).body.items;
const show = async (id: string) => (await rollcall.get(`/api/v1/gaps/${id}`)).body;
const register = (entity_type: string, entity_id: string, more: object = {}) =>
  rollcall.post('/api/v1/entities', { entity_type, entity_id, current_state: 'active', ...more });

test('a gap keeps what became of it', async () => {
  await register('service', 'slow', { silent_after_seconds: 60 });
  rollcall.clock.advance(2 * MINUTE_MS);
  await check();
  const [{ id }] = await gaps();
  const until = new Date(rollcall.clock.now().getTime() + HOUR_MS).toISOString();
  await rollcall.post(`/api/v1/gaps/${id}/mute`, { reason: 'known', until });
  await rollcall.call('DELETE', `/api/v1/gaps/${id}/mute`);
  await rollcall.post('/api/v1/entities/service/slow/heartbeat');
  await check();
  rollcall.clock.advance(2 * MINUTE_MS);
  await check();
  await check();
  const { history } = await show(id);
  expect(history.map(({ change }: { change: string }) => change)).toEqual([
    'opened',
    'muted',
    'unmuted',
    'closed',
    'reopened',
  ]);
  expect(history[0].evidence).toMatchObject({ last_activity: null });
  expect(history[1].evidence).toMatchObject({ reason: 'known' });
});

describe('an incremental check', () => {
  // What the server does by itself every minute.
  const incremental = async () =>
    (
      await rollcall.sql<{ answer: Record<string, unknown> }>(
        'select rollcall_api.check_gaps($1, $2, false) as answer',
        [rollcall.tenant, rollcall.clock.now()],
      )
    )[0]?.answer;

  test('finds what time, an event or a change has done, and what has healed', async () => {
    await register('service', 'slow', { silent_after_seconds: 60 });
    await register('team', 'sales');
    await register('agent', 'caller', { parent: { entity_type: 'team', entity_id: 'sales' } });
    await register('service', 'user', {
      dependencies: [{ entity_type: 'team', entity_id: 'sales' }],
    });
    expect(await check()).toMatchObject({ mode: 'full', open: 0 });
    rollcall.clock.advance(2 * MINUTE_MS);
    expect(await incremental()).toMatchObject({ mode: 'incremental', by_kind: { silent: 1 } });
    await rollcall.post('/api/v1/entities/service/slow/heartbeat');
    const event = { protocol: 'mcp', source_id: 'user', target_id: 'ghost', status: 'success' };
    await rollcall.post('/api/v1/telemetry', event);
    expect(await incremental()).toMatchObject({ closed: 1, by_kind: { unregistered: 1 } });
    await rollcall.call('DELETE', '/api/v1/entities/team/sales');
    expect(await incremental()).toMatchObject({
      by_kind: { unregistered: 1, orphaned: 1, broken_dependency: 1 },
    });
    await register('mcp_server', 'ghost');
    await register('team', 'sales');
    expect(await incremental()).toMatchObject({ closed: 3, open: 0 });
    expect(await check()).toMatchObject({ opened: 0, closed: 0 });
  });

  test('compares everything when the last full one is ten minutes old', async () => {
    await check();
    rollcall.clock.advance(9 * MINUTE_MS);
    expect(await incremental()).toMatchObject({ mode: 'incremental' });
    rollcall.clock.advance(MINUTE_MS);
    expect(await incremental()).toMatchObject({ mode: 'full' });
  });
});

describe('a simulation', () => {
  const simulate = (body: object) => rollcall.post('/api/v1/gaps/simulate', body);

  test('tells what would come, when and why, soonest first, and writes nothing', async () => {
    await register('service', 'slow', { silent_after_seconds: 7200 });
    await register('service', 'fast', { silent_after_seconds: 3600 });
    await register('service', 'made', { current_state: 'deploying' });
    await register('service', 'far', { silent_after_seconds: 864_000 });
    const tables = `select (select count(*) from rollcall.gaps where tenant_id = $1) as gaps,
                           (select count(*) from rollcall.cadence where tenant_id = $1) as cadence`;
    const before = await rollcall.sql(tables, [rollcall.tenant]);
    const { status, body } = await simulate({ ahead_seconds: 10_800 });
    expect(status).toBe(200);
    expect(
      body.items.map((gap: { kind: string; entity_id: string }) => [gap.kind, gap.entity_id]),
    ).toEqual([
      ['stuck', 'made'],
      ['silent', 'fast'],
      ['silent', 'slow'],
    ]);
    expect(body).toMatchObject({ total: 3 });
    expect(body.items[1]).toMatchObject({
      grade: 'certain',
      evidence: { basis: 'limit', silent_after_seconds: 3600 },
    });
    expect(Date.parse(body.items[2].at) - Date.parse(body.items[1].at)).toBeGreaterThan(
      HOUR_MS - 60_000,
    );
    expect(await rollcall.sql(tables, [rollcall.tenant])).toEqual(before);
    expect((await simulate({ ahead_seconds: 10_800, limit: 1 })).body).toMatchObject({
      total: 3,
      items: [{ kind: 'stuck' }],
    });
  });

  test('leaves out what is a gap already', async () => {
    await register('service', 'slow', { silent_after_seconds: 60 });
    rollcall.clock.advance(2 * MINUTE_MS);
    expect((await simulate({ ahead_seconds: 600 })).body.items).toEqual([]);
  });

  test.each([
    [{}, 'ahead_seconds'],
    [{ ahead_seconds: 0 }, 'ahead_seconds'],
    [{ ahead_seconds: 1e12 }, 'ahead_seconds'],
    [{ ahead_seconds: 60, limit: 0 }, 'limit'],
  ])('of %j is refused at %s', async (body, path) => {
    const answer = await simulate(body);
    expect([answer.status, answer.body.errors[0].path]).toEqual([422, path]);
  });
});
