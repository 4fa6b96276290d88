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
const DAY_MS = 24 * HOUR_MS;
const now = () => rollcall.clock.now().getTime();
const until = (moment: string | number) =>
  rollcall.clock.advance(new Date(moment).getTime() - now());
const check = async () => (await rollcall.post('/api/v1/gaps/check')).body;
const silent = async (state = 'open') =>
  (await rollcall.get('/api/v1/gaps', { query: { kind: 'silent', state } })).body.items;
const cadence = async (id: string, type = 'workflow') =>
  (await rollcall.get(`/api/v1/entities/${type}/${id}/cadence`)).body;
const heartbeat = (id: string) => rollcall.post(`/api/v1/entities/workflow/${id}/heartbeat`);
const scheduled = (entity_id: string, interval: object[], settings: object = { timezone: 'UTC' }) =>
  rollcall.post('/api/v1/entities', {
    entity_type: 'workflow',
    entity_id,
    current_state: 'active',
    workflow: {
      nodes: [
        {
          name: 'Clock',
          type: 'n8n-nodes-base.scheduleTrigger',
          parameters: { rule: { interval } },
        },
      ],
      settings,
    },
  });
const DAILY = { field: 'days', triggerAtHour: 9 };

/** One event an hour at these hours of the days before now. */
async function history(source_id: string, days: number, speaks: (at: Date) => boolean) {
  const end = Math.floor(now() / HOUR_MS) * HOUR_MS;
  const events = Array.from({ length: days * 24 }, (_, n) => new Date(end - (n + 1) * HOUR_MS))
    .filter(speaks)
    .map((at) => ({
      source_id,
      target_id: source_id,
      protocol: 'http',
      status: 'success',
      timestamp: at,
    }));
  await rollcall.post('/api/v1/entities', {
    entity_type: 'service',
    entity_id: source_id,
    current_state: 'active',
  });
  const { status } = await rollcall.post('/api/v1/telemetry', events);
  expect(status).toBe(200);
}

describe('a schedule', () => {
  test('that is not kept is silent once its grace is over, for certain', async () => {
    await scheduled('nightly', [DAILY]);
    await check();
    const { basis, expected_at, silent_at } = await cadence('nightly');
    expect(basis).toBe('schedule');
    expect(expected_at).toMatch(/T09:00:00/);
    expect(Date.parse(silent_at) - Date.parse(expected_at)).toBe(5 * MINUTE_MS);
    until(silent_at);
    expect(await check()).toMatchObject({ open: 0 });
    rollcall.clock.advance(1000);
    expect(await check()).toMatchObject({ opened: 1 });
    const [gap] = await silent();
    expect(gap).toMatchObject({ grade: 'certain', severity: 'critical', entity_id: 'nightly' });
    expect(gap.evidence).toMatchObject({
      basis: 'schedule',
      expected_at,
      timezone: 'UTC',
      grace_seconds: 300,
    });
    await heartbeat('nightly');
    expect(await check()).toMatchObject({ closed: 1, open: 0 });
    expect(Date.parse((await cadence('nightly')).expected_at)).toBe(
      Date.parse(expected_at) + DAY_MS,
    );
  });

  test('is kept through a month of daily runs, and missed for a month of days', async () => {
    await scheduled('nightly', [DAILY]);
    await check();
    for (let day = 0; day < 31; day++) {
      until((await cadence('nightly')).expected_at);
      rollcall.clock.advance(20_000);
      await heartbeat('nightly');
      expect(await check()).toMatchObject({ open: 0 });
    }
    rollcall.clock.advance(31 * DAY_MS);
    expect(await check()).toMatchObject({ open: 1, by_kind: { silent: 1 } });
    expect((await silent())[0].summary).toMatch(/quiet for 31 days.*by \d{4}-\d\d-\d\d 09:00 UTC/);
  });

  test('that changes is read anew, and one that is taken out counts no longer', async () => {
    await scheduled('job', [{ field: 'minutes', minutesInterval: 10 }]);
    await check();
    expect(await cadence('job')).toMatchObject({ basis: 'schedule', longest_gap_seconds: 600 });
    await scheduled('job', [DAILY]);
    await check();
    expect(await cadence('job')).toMatchObject({ longest_gap_seconds: 86_400 });
    await scheduled('job', []);
    await check();
    expect(await cadence('job')).toMatchObject({ basis: 'rule', schedule_rules: 0 });
  });

  test('yields to a limit of the entity’s own', async () => {
    await scheduled('job', [DAILY]);
    await rollcall.post('/api/v1/entities', {
      entity_type: 'workflow',
      entity_id: 'job',
      silent_after_seconds: 60,
    });
    rollcall.clock.advance(2 * MINUTE_MS);
    expect(await check()).toMatchObject({ opened: 1 });
    expect((await silent())[0].evidence).toMatchObject({
      basis: 'limit',
      silent_after_seconds: 60,
    });
  });

  test('without a zone is in the zone of its instance, when somebody says which', async () => {
    await rollcall.post('/api/v1/n8n/webhook', {
      id: '0b9e7a52-6c1f-4a40-9d7e-0d5d52f6a001',
      occurred_at: new Date(now()).toISOString(),
      instance_id: 'main',
      kind: 'workflow.activated',
      instance_role: 'main',
      n8n_version: '2.41.1',
      hooks_version: '0.1.0',
      workflow: {
        id: 'nightly',
        name: 'Nightly',
        nodes: [
          {
            name: 'Clock',
            type: 'n8n-nodes-base.scheduleTrigger',
            parameters: { rule: { interval: [DAILY] } },
          },
        ],
        connections: {},
      },
    });
    await check();
    expect(await cadence('nightly')).toMatchObject({ timezone: null, longest_gap_seconds: 90_000 });
    const set = (timezone: unknown, instance = 'main') =>
      rollcall.put(`/api/v1/n8n/instances/${instance}/timezone`, { timezone });
    expect((await set('Asia/Kolkata')).body).toEqual({
      instance_id: 'main',
      timezone: 'Asia/Kolkata',
    });
    await check();
    const { timezone, expected_at } = await cadence('nightly');
    expect([timezone, expected_at.slice(11, 16)]).toEqual(['Asia/Kolkata', '03:30']);
    expect((await set('Mars/Olympus')).body.errors).toMatchObject([
      { path: 'timezone', code: 'unknown_timezone' },
    ]);
    expect((await set(null, 'other')).status).toBe(404);
  });
});

describe('a schedule whose time of day n8n picks', () => {
  const register = (rule: unknown) =>
    rollcall.post('/api/v1/entities', {
      ...{ entity_type: 'workflow', entity_id: 'picked', current_state: 'active' },
      workflow: {
        nodes: [{ name: 'Clock', type: 'n8n-nodes-base.scheduleTrigger', parameters: { rule } }],
        settings: { timezone: 'UTC' },
      },
    });

  test.each([
    ['at all', {}, 2 * DAY_MS],
    ['but not its hour', { interval: [{ triggerAtHour: 7, triggerAtMinute: null }] }, 25 * HOUR_MS],
  ])('%s is silent once its window is over, and not at midnight', async (_, rule, windowMs) => {
    await register(rule);
    await heartbeat('picked');
    const start = now();
    await check();
    expect(await cadence('picked')).toMatchObject({ basis: 'schedule', schedule_rules: 1 });
    // The latest moment of the day after an early one, and the grace.
    until(start + windowMs + 5 * MINUTE_MS);
    expect(await check()).toMatchObject({ open: 0 });
    rollcall.clock.advance(1000);
    expect(await check()).toMatchObject({ open: 1 });
    expect((await silent())[0]).toMatchObject({
      grade: 'certain',
      evidence: { basis: 'schedule' },
    });
  });

  test('is kept by a run at any time of each day', async () => {
    await register({});
    // Late one day and early the next, then the other way round, with a day between.
    for (const hours of [1, 23, 2, 40, 3, 47]) {
      rollcall.clock.advance(hours * HOUR_MS);
      expect(await check()).toMatchObject({ open: 0 });
      await heartbeat('picked');
      expect(await check()).toMatchObject({ open: 0 });
    }
  });
});

describe('a history', () => {
  test('of an arrival every hour makes half a day of silence likely, with the sample shown', async () => {
    await history('hourly', 14, () => true);
    await check();
    const { basis, samples, confidence, hour_of_week, silent_at } = await cadence(
      'hourly',
      'service',
    );
    expect({ basis, samples, weeks: hour_of_week.length }).toEqual({
      basis: 'learned',
      samples: 335,
      weeks: 168,
    });
    expect(confidence).toBeGreaterThan(0.9);
    expect(Date.parse(silent_at) - now()).toBeLessThan(6 * HOUR_MS);
    rollcall.clock.advance(12 * HOUR_MS);
    expect(await check()).toMatchObject({ by_kind: { silent: 1 } });
    expect((await silent())[0]).toMatchObject({
      grade: 'likely',
      severity: 'warning',
      evidence: { basis: 'learned', samples: 335 },
    });
  });

  test('of office hours bears the weekend, and no morning without a word', async () => {
    // The clock stands on a Friday evening.
    const day = new Date(now());
    rollcall.clock.advance(
      ((5 - day.getUTCDay() + 7) % 7) * DAY_MS + (18 - day.getUTCHours()) * HOUR_MS,
    );
    await history(
      'office',
      28,
      (at) => at.getUTCDay() % 6 !== 0 && at.getUTCHours() >= 9 && at.getUTCHours() < 17,
    );
    await check();
    rollcall.clock.advance(2 * DAY_MS);
    expect(await check()).toMatchObject({ open: 0 });
    rollcall.clock.advance(20 * HOUR_MS);
    expect(await check()).toMatchObject({ by_kind: { silent: 1 } });
  });

  test('that is short tells nothing: its silence stands apart and is never critical', async () => {
    await history('seldom', 3, (at) => at.getUTCHours() === 7);
    await check();
    rollcall.clock.advance(5 * DAY_MS);
    expect(await check()).toMatchObject({ opened: 0, open: 0, cannot_tell: 1 });
    expect(await silent()).toEqual([]);
    expect(await silent('cannot_tell')).toMatchObject([
      { severity: 'info', evidence: { basis: 'history', samples: 2 } },
    ]);
  });
});

test('what is not active is expected nothing of, and what is not there has no cadence', async () => {
  await rollcall.post('/api/v1/entities', {
    entity_type: 'service',
    entity_id: 'off',
    current_state: 'inactive',
  });
  expect(await cadence('off', 'service')).toMatchObject({ basis: null, silent_at: null });
  expect((await rollcall.get('/api/v1/entities/service/none/cadence')).status).toBe(404);
});
