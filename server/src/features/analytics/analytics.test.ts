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

const HOUR_MS = 3_600_000;
const ago = (milliseconds: number) =>
  new Date(rollcall.clock.now().getTime() - milliseconds).toISOString();
const send = async (events: object[]) => {
  const { body } = await rollcall.post('/api/v1/telemetry', events);
  expect(body.accepted).toBe(events.length);
};
const event = (more: object = {}) => ({
  protocol: 'mcp',
  source_id: 'a',
  target_id: 'b',
  status: 'success',
  ...more,
});
const overview = async (query: Record<string, string> = {}) =>
  (await rollcall.get('/api/v1/overview', { query })).body;
const patterns = async (query: Record<string, string> = {}) =>
  (await rollcall.get('/api/v1/patterns', { query })).body;
const pairs = async (query: Record<string, string> = {}) =>
  (await rollcall.get('/api/v1/pairs', { query })).body;

const untimed = { avg_ms: null, p50_ms: null, p95_ms: null, p99_ms: null, max_ms: null };

describe('the overview', () => {
  test('of nothing is zero, not an error', async () => {
    const body = await overview();
    expect(body).toMatchObject({
      window_seconds: 3600,
      totals: { calls: 0, errors: 0, error_rate: 0, tokens_used: 0, ...untimed },
      protocols: [],
      entities: { total: 0, healthy_share: null, by_state: {}, by_health: {}, by_type: {} },
      gaps: { open: 0, muted: 0, by_kind: {} },
    });
    expect(Date.parse(body.since)).toBe(rollcall.clock.now().getTime() - HOUR_MS);
  });

  test('counts calls, failures, tokens and times by protocol, busiest first', async () => {
    await send([
      event({ duration_ms: 100, tokens_used: 10 }),
      event({ duration_ms: 300, status: 'error', tokens_used: 5 }),
      event({ status: 'timeout' }),
      event({ status: 'cancelled' }),
      event({ protocol: 'n8n', duration_ms: 50 }),
    ]);
    const { totals, protocols } = await overview();
    expect(totals).toMatchObject({ calls: 5, errors: 2, error_rate: 0.4, tokens_used: 15 });
    expect(totals).toMatchObject({ avg_ms: 150, max_ms: 300 });
    expect(protocols).toMatchObject([
      { protocol: 'mcp', calls: 4, errors: 2, error_rate: 0.5, tokens_used: 15, avg_ms: 200 },
      { protocol: 'n8n', calls: 1, errors: 0, error_rate: 0, max_ms: 50 },
    ]);
  });

  test('looks back as far as it is asked to', async () => {
    await send([
      event(),
      event({ timestamp: ago(2 * HOUR_MS) }),
      event({ timestamp: ago(50 * HOUR_MS) }),
    ]);
    const calls = async (hours: number) =>
      (await overview({ window_seconds: String(hours * 3600) })).totals.calls;
    expect([await calls(1), await calls(3), await calls(51)]).toEqual([1, 2, 3]);
    rollcall.clock.advance(2 * HOUR_MS);
    expect(await calls(1)).toBe(0);
  });

  test('counts entities by state, health and type, without the deleted', async () => {
    const entities = [
      { entity_type: 'workflow', current_state: 'active', health_status: 'healthy' },
      { entity_type: 'workflow', current_state: 'active', health_status: 'unhealthy' },
      { entity_type: 'service', current_state: 'inactive', health_status: 'healthy' },
      { entity_type: 'service' },
    ];
    for (const [index, entity] of entities.entries()) {
      await rollcall.post('/api/v1/entities', { entity_id: `e${index}`, ...entity });
    }
    await rollcall.post('/api/v1/entities', { entity_type: 'team', entity_id: 'gone' });
    await rollcall.call('DELETE', '/api/v1/entities/team/gone');
    expect((await overview()).entities).toEqual({
      total: 4,
      healthy_share: 0.5,
      by_state: { active: 2, inactive: 1, created: 1 },
      by_health: { healthy: 2, unhealthy: 1, unknown: 1 },
      by_type: { workflow: 2, service: 2 },
    });
  });

  test('counts open and muted gaps apart', async () => {
    await send([event()]);
    await rollcall.post('/api/v1/gaps/check');
    const [gap] = (await rollcall.get('/api/v1/gaps')).body.items;
    const until = ago(-HOUR_MS);
    await rollcall.post(`/api/v1/gaps/${gap.id}/mute`, { reason: 'known', until });
    expect((await overview()).gaps).toEqual({ open: 1, muted: 1, by_kind: { unregistered: 1 } });
  });
});

describe('patterns', () => {
  test('are who calls whom over what, busiest first', async () => {
    await send([
      event({ duration_ms: 10, tokens_used: 1, timestamp: ago(2000) }),
      event({ duration_ms: 30, status: 'error', tokens_used: 2, timestamp: ago(1000) }),
      event({ protocol: 'a2a' }),
      event({ source_id: 'c', protocol: 'a2a' }),
    ]);
    const { items, next_cursor } = await patterns();
    expect(next_cursor).toBeNull();
    expect(items).toMatchObject([
      {
        source_id: 'a',
        target_id: 'b',
        protocol: 'mcp',
        calls: 2,
        errors: 1,
        error_rate: 0.5,
        tokens_used: 3,
        avg_ms: 20,
        max_ms: 30,
      },
      { source_id: 'a', target_id: 'b', protocol: 'a2a', calls: 1, errors: 0, ...untimed },
      { source_id: 'c', target_id: 'b', protocol: 'a2a', calls: 1 },
    ]);
    expect(Date.parse(items[0].last_seen)).toBe(Date.parse(ago(1000)));
  });

  test('are filtered by source, target and protocol', async () => {
    await send([event(), event({ source_id: 'c' }), event({ target_id: 'd', protocol: 'job' })]);
    const found = async (query: Record<string, string>) =>
      (await patterns(query)).items.map(
        ({ source_id, target_id }: { source_id: string; target_id: string }) =>
          source_id + target_id,
      );
    expect(await found({ source_id: 'c' })).toEqual(['cb']);
    expect(await found({ target_id: 'd' })).toEqual(['ad']);
    expect(await found({ protocol: 'mcp' })).toEqual(['ab', 'cb']);
    expect(await found({ source_id: 'a', protocol: 'mcp' })).toEqual(['ab']);
  });

  test('count whole hours, the one that the window begins in included', async () => {
    await send([
      event(),
      event({ timestamp: ago(3 * HOUR_MS) }),
      event({ timestamp: ago(30 * HOUR_MS) }),
    ]);
    const calls = async (hours: number) =>
      (await patterns({ window_seconds: String(hours * 3600) })).items[0].calls;
    expect([await calls(1), await calls(3), await calls(24), await calls(31)]).toEqual([
      1, 2, 2, 3,
    ]);
  });

  test.each([1, 4, 10, 11])(
    '%i at a time are each shown once, with equal counts too',
    async (limit) => {
      const made = Array.from({ length: 10 }, (_, index) =>
        Array.from({ length: 1 + (index % 3) }, () => event({ source_id: `s${index}` })),
      );
      await send(made.flat());
      const seen: string[] = [];
      const counts: number[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const page = await patterns({ limit: String(limit), ...(cursor ? { cursor } : {}) });
        for (const { source_id, calls } of page.items) {
          seen.push(source_id);
          counts.push(calls);
        }
        cursor = page.next_cursor as string | null;
      }
      expect([...seen].sort()).toEqual(made.map((_, index) => `s${index}`));
      expect(counts).toEqual([...counts].sort((left, right) => right - left));
    },
  );

  test('go on after the longest ids', async () => {
    const long = ['x', 'y', 'z'].map((first) => first + '漢'.repeat(254));
    await send(long.map((id) => event({ source_id: id, target_id: id })));
    const first = await patterns({ limit: '2' });
    const second = await patterns({ limit: '2', cursor: first.next_cursor });
    const seen = [...first.items, ...second.items].map(({ source_id }) => source_id);
    expect(seen).toEqual(long);
  });

  test.each([
    [[1.5, 'a', 'b', 'mcp']],
    [['1e3', 'a', 'b', 'mcp']],
    [[1, 'a', 'b']],
    [[1, 'a', 2, 'mcp']],
    [['9'.repeat(30), 'a', 'b', 'mcp']],
  ])('do not go on after the forged cursor %j', async (value) => {
    const cursor = Buffer.from(JSON.stringify(value)).toString('base64url');
    const { status, body } = await rollcall.get('/api/v1/patterns', { query: { cursor } });
    expect([status, body.errors?.[0].path]).toEqual([422, 'query.cursor']);
  });
});

test('pairs join the protocols of a source and a target', async () => {
  await send([
    event({ duration_ms: 10 }),
    event({ protocol: 'a2a', duration_ms: 30, status: 'error' }),
    event({ protocol: 'http' }),
    event({ source_id: 'b', target_id: 'a' }),
  ]);
  const { items } = await pairs();
  expect(items).toMatchObject([
    {
      source_id: 'a',
      target_id: 'b',
      protocols: ['a2a', 'http', 'mcp'],
      calls: 3,
      errors: 1,
      avg_ms: 20,
      max_ms: 30,
    },
    { source_id: 'b', target_id: 'a', protocols: ['mcp'], calls: 1, errors: 0, ...untimed },
  ]);
  expect((await pairs({ limit: '1' })).items).toHaveLength(1);
});

test.each([
  ['/api/v1/overview', 'window_seconds', '59'],
  ['/api/v1/overview', 'window_seconds', '1e12'],
  ['/api/v1/patterns', 'window_seconds', 'NaN'],
  ['/api/v1/patterns', 'protocol', 'smtp'],
  ['/api/v1/pairs', 'limit', '101'],
  ['/api/v1/pairs', 'cursor', 'x'],
])('%s refuses %s=%s with the path', async (path, field, value) => {
  const { status, body } = await rollcall.get(path, { query: { [field]: value } });
  expect(status).toBe(422);
  expect(body.errors).toMatchObject([{ path: `query.${field}` }]);
});
