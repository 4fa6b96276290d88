import { GAP_CAUSES } from '../../../../test/rollcall/gap-causes.ts';
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
const check = async () => (await rollcall.post('/api/v1/gaps/check')).body;
const list = async (query: Record<string, string> = {}) =>
  (await rollcall.get('/api/v1/gaps', { query })).body.items;
const now = () => rollcall.clock.now().getTime();
const register = (entity_type: string, entity_id: string, more: object = {}) =>
  rollcall.post('/api/v1/entities', { entity_type, entity_id, current_state: 'active', ...more });
const report = (source_id: string, target_id: string, protocol = 'http') =>
  rollcall.post('/api/v1/telemetry', { source_id, target_id, protocol, status: 'success' });

const found: [string, string, object][] = [
  [
    'unregistered',
    'warning',
    { as_source: 0, as_target: 1, errors: 1, last_protocol: 'mcp', last_peer: 'known' },
  ],
  ['silent', 'critical', { last_activity: null, silent_after_seconds: 60 }],
  ['orphaned without a parent', 'warning', { parent_id: null }],
  ['orphaned below an unknown parent', 'warning', { parent_id: 'lost', parent_state: null }],
  ['orphaned below a deleted parent', 'warning', { parent_id: 'lost', parent_state: 'deleted' }],
  ['orphaned, in need of a parent, below an unknown one', 'warning', { parent_id: 'lost' }],
  [
    'broken dependency on something unknown',
    'critical',
    { target_id: 'stock', target_registered: false },
  ],
  ['broken dependency on something deleted', 'critical', { target_state: 'deleted' }],
  [
    'broken dependency on something inactive',
    'warning',
    { target_state: 'inactive', origin: 'declared' },
  ],
  ['broken dependency on something unhealthy', 'critical', { target_health: 'unhealthy' }],
  ['stuck', 'warning', { current_state: 'deploying', stuck_after_seconds: 1800 }],
];

test('every cause is looked for below', () => {
  expect(found.map(([name]) => name)).toEqual(Object.keys(GAP_CAUSES));
});

test.each(found)(
  '%s opens a gap with evidence and closes it when the cause is gone',
  async (name, severity, evidence) => {
    const cause = GAP_CAUSES[name];
    if (!cause) throw new Error(`There is no cause ${name}`);
    const { kind, entity_type, entity_id } = cause;
    expect(await check()).toMatchObject({ opened: 0, open: 0 });
    await cause.open(rollcall);
    expect(await check()).toMatchObject({ opened: 1, closed: 0, open: 1, by_kind: { [kind]: 1 } });

    const [gap, ...others] = await list();
    expect(others).toEqual([]);
    expect(gap).toMatchObject({ kind, entity_type, entity_id, severity, state: 'open', evidence });
    expect(gap).toMatchObject({ closed_at: null, muted_until: null, mute_reason: null });
    expect(gap.summary).toContain(entity_id);
    expect(gap.fixes.at(-1)).toMatchObject({ action: 'mute', needs: ['reason', 'until'] });
    expect((await rollcall.get(`/api/v1/gaps/${gap.id}`)).body).toMatchObject(gap);

    await cause.cure(rollcall);
    expect(await check()).toMatchObject({ opened: 0, closed: 1, open: 0, by_kind: {} });
    expect(await list()).toEqual([]);
    const closed = (await rollcall.get(`/api/v1/gaps/${gap.id}`)).body;
    expect(closed).toMatchObject({ state: 'closed', fixes: [], first_seen: gap.first_seen });
    expect(Date.parse(closed.closed_at)).toBe(now());
  },
);

describe('a gap', () => {
  test('is first seen once and last seen at every check', async () => {
    await report('ghost', 'ghost');
    await check();
    const first = now();
    rollcall.clock.advance(5 * MINUTE_MS);
    expect(await check()).toMatchObject({ opened: 0, open: 1 });
    const [gap] = await list();
    expect(Date.parse(gap.first_seen)).toBe(first);
    expect(Date.parse(gap.last_seen)).toBe(first + 5 * MINUTE_MS);
  });

  test('that comes back is the same one, open anew', async () => {
    await register('service', 'target', { health_status: 'unhealthy' });
    await register('service', 'user', {
      dependencies: [{ entity_type: 'service', entity_id: 'target' }],
    });
    await check();
    const [gap] = await list();
    const heal = (health_status: string) =>
      rollcall.put('/api/v1/entities/service/target/state', { health_status });
    await heal('healthy');
    await check();
    await heal('unhealthy');
    rollcall.clock.advance(MINUTE_MS);
    expect(await check()).toMatchObject({ opened: 1, open: 1 });
    const [again] = await list();
    expect(again).toMatchObject({ id: gap.id, state: 'open', closed_at: null });
    expect(Date.parse(again.first_seen)).toBe(now());
  });

  test('of one entity with two broken dependencies is two gaps', async () => {
    const dependencies = ['a', 'b'].map((entity_id) => ({ entity_type: 'service', entity_id }));
    await register('service', 'user', { dependencies });
    expect(await check()).toMatchObject({ opened: 2 });
    expect(
      (await list())
        .map((gap: { evidence: { target_id: string } }) => gap.evidence.target_id)
        .sort(),
    ).toEqual(['a', 'b']);
  });

  test('about something unregistered stays the same one whatever protocol names it next', async () => {
    await register('service', 'known');
    await report('known', 'ghost', 'mcp');
    await check();
    const [gap] = await list();
    const until = new Date(now() + MINUTE_MS).toISOString();
    await rollcall.post(`/api/v1/gaps/${gap.id}/mute`, { reason: 'known', until });
    rollcall.clock.advance(1000);
    await report('ghost', 'known', 'n8n');
    expect(await check()).toMatchObject({ opened: 0, closed: 0, open: 0, muted: 1 });
  });

  test.each([
    ['a2a', 'source', 'team'],
    ['mcp', 'target', 'mcp_server'],
    ['n8n', 'source', 'workflow'],
    ['http', 'source', 'service'],
    ['job', 'target', 'service'],
  ])('seen over %s as %s is taken for a %s', async (protocol, side, entity_type) => {
    await register('service', 'known');
    await (side === 'source'
      ? report('ghost', 'known', protocol)
      : report('known', 'ghost', protocol));
    await check();
    expect(await list()).toMatchObject([{ kind: 'unregistered', entity_id: 'ghost', entity_type }]);
  });

  test.each(['inactive', 'archived', 'deleted'])(
    'is no gap when what is silent or depends is %s',
    async (state) => {
      await register('service', 'user', {
        dependencies: [{ entity_type: 'service', entity_id: 'none' }],
      });
      if (state === 'deleted') await rollcall.call('DELETE', '/api/v1/entities/service/user');
      else await rollcall.put('/api/v1/entities/service/user/state', { new_state: state });
      rollcall.clock.advance(48 * 60 * MINUTE_MS);
      expect(await check()).toMatchObject({ open: 0 });
    },
  );
});

test('checks and fixes that come at the same time all succeed', async () => {
  for (let index = 0; index < 12; index++) await report(`ghost-${index}`, `ghost-${index}`);
  await check();
  const gaps = await list();
  const answers = await Promise.all(
    gaps.flatMap(({ id }: { id: string }) => [
      rollcall.post(`/api/v1/gaps/${id}/fix`),
      rollcall.post('/api/v1/gaps/check'),
    ]),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(24).fill(200));
  expect(await check()).toMatchObject({ open: 0 });
});
