import { connectN8n, CONNECTIONS, syncAgain } from '../../../../test/rollcall/connected.ts';
import { originOf } from '../../../../test/rollcall/n8n-events.ts';
import {
  n8nExecution,
  n8nWorkflow,
  startN8nServer,
  type N8nServer,
} from '../../../../test/rollcall/n8n-server.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';

let server: TestRollcall;
let rollcall: FreshTenant;
let n8n: N8nServer;
beforeAll(async () => {
  server = await startTestRollcall();
});
beforeEach(async () => {
  rollcall = await freshTenant(server);
  n8n = await startN8nServer([
    n8nWorkflow('nightly', { nodes: CLOCK, connections: {}, settings: { timezone: 'UTC' } }),
    n8nWorkflow('hook'),
  ]);
});
afterEach(() => n8n.stop());
afterAll(() => server.stop());

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const CLOCK = [
  {
    name: 'Clock',
    type: 'n8n-nodes-base.scheduleTrigger',
    typeVersion: 1.2,
    parameters: { rule: { interval: [{ field: 'days', triggerAtHour: 9 }] } },
  },
];
const now = () => rollcall.clock.now().getTime();
const iso = (time: number) => new Date(time).toISOString();
const register = (entity_id: string, nodes?: object[]) =>
  rollcall.post('/api/v1/entities', {
    entity_type: 'workflow',
    entity_id,
    current_state: 'active',
    ...(nodes ? { workflow: { nodes, settings: { timezone: 'UTC' } } } : {}),
  });
const check = async () => (await rollcall.post('/api/v1/gaps/check')).body;
const gapOf = async (entity_id: string, kind: string, state: string) =>
  (await rollcall.get('/api/v1/gaps', { query: { kind, state, entity_id } })).body.items[0];

/** A run of n8n's, `ago` milliseconds before now. */
function ran(workflow: string, ago: number, more: object = {}): void {
  const startedAt = iso(now() - ago);
  const stoppedAt = iso(now() - ago + 1_000);
  const id = n8n.executions.length + 1;
  n8n.executions.unshift(n8nExecution(id, workflow, { startedAt, stoppedAt, ...more }));
}

/** A daily workflow that ran once and then, for a day and more, does not; n8n answers all the while. */
async function fallSilent(flags: object): Promise<string> {
  ran('nightly', HOUR_MS);
  const { id } = await connectN8n(rollcall, n8n, flags);
  await register('nightly', CLOCK);
  await check();
  const cadence = await rollcall.get('/api/v1/entities/workflow/nightly/cadence');
  rollcall.clock.advance(Date.parse(cadence.body.silent_at as string) - now() + DAY_MS);
  await syncAgain(rollcall, id);
  return id;
}

describe('silence beside what n8n’s record leaves out', () => {
  test.each([
    [{}, 'open', 'certain', 'critical', undefined],
    [{ sampled: true }, 'open', 'likely', 'warning', ['sampled']],
    [{ production_only: true }, 'open', 'likely', 'warning', ['production_only']],
    [{ saves_no_success: true }, 'cannot_tell', 'cannot_tell', 'info', ['saves_no_success']],
    // The schedule has a run a day: after twelve hours there is nothing left of it.
    [{ prunes_after: 12 }, 'cannot_tell', 'cannot_tell', 'info', ['prunes_after']],
    [{ prunes_after: 24 * 14 }, 'open', 'certain', 'critical', undefined],
    [
      { sampled: true, prunes_after: 12 },
      'cannot_tell',
      'cannot_tell',
      'info',
      ['sampled', 'prunes_after'],
    ],
  ])('%j: %s, %s, %s', async (flags, state, grade, severity, weakened_by) => {
    await fallSilent(flags);
    await check();
    const gap = await gapOf('nightly', 'silent', state);
    expect(gap).toMatchObject({ state, grade, severity, evidence: { basis: 'schedule' } });
    expect(gap.evidence.weakened_by).toEqual(weakened_by);
    if (state === 'cannot_tell') {
      expect(await gapOf('nightly', 'silent', 'open')).toBeUndefined();
      expect(gap.summary).toMatch(/quiet for/);
    }
  });

  test('is what it is when the operator corrects what he said of n8n', async () => {
    const id = await fallSilent({ saves_no_success: true });
    expect(await check()).toMatchObject({ opened: 0, cannot_tell: 1 });
    await rollcall.call('PATCH', `${CONNECTIONS}/${id}`, { saves_no_success: false });
    expect(await check()).toMatchObject({ opened: 1, cannot_tell: 0 });
    expect(await gapOf('nightly', 'silent', 'open')).toMatchObject({ grade: 'certain' });
    await rollcall.call('PATCH', `${CONNECTIONS}/${id}`, { prunes_after: 1 });
    expect(await check()).toMatchObject({ open: 1, cannot_tell: 1, by_kind: { unreported: 1 } });
  });

  test('of a workflow that was never heard of cannot be told, either, once runs would be pruned', async () => {
    const { id } = await connectN8n(rollcall, n8n, { prunes_after: 12 });
    await register('nightly', CLOCK);
    rollcall.clock.advance(3 * DAY_MS);
    await syncAgain(rollcall, id);
    await check();
    expect(await gapOf('nightly', 'silent', 'cannot_tell')).toMatchObject({
      severity: 'info',
      evidence: { last_activity: null, weakened_by: ['prunes_after'] },
    });
  });

  test('is certain where hooks tell of every run whatever n8n keeps', async () => {
    const id = await fallSilent({ saves_no_success: true, sampled: true });
    const { instance_id } = (await rollcall.get(`${CONNECTIONS}/${id}`)).body;
    await rollcall.post('/api/v1/n8n/webhook', {
      ...originOf({ instance_id, occurred_at: iso(now()) }),
      kind: 'hooks.status',
      hooks: {
        when: 'periodic',
        started_at: iso(now()),
        ...{ accepted: 1, rejected: 0, dropped: 0, queued: 0, queued_bytes: 0 },
        ...{ failed_requests: 0, errors: 0 },
      },
    });
    await check();
    const gap = await gapOf('nightly', 'silent', 'open');
    expect(gap).toMatchObject({ grade: 'certain' });
    expect(gap.evidence).not.toHaveProperty('weakened_by');
  });

  test('that breaks a limit of its own is as uncertain as any other', async () => {
    const { id } = await connectN8n(rollcall, n8n, { saves_no_success: true });
    await rollcall.post('/api/v1/entities', {
      ...{ entity_type: 'workflow', entity_id: 'hook', current_state: 'active' },
      silent_after_seconds: 3600,
    });
    await rollcall.post('/api/v1/entities/workflow/hook/heartbeat');
    rollcall.clock.advance(3 * HOUR_MS);
    await syncAgain(rollcall, id);
    await check();
    expect(await gapOf('hook', 'silent', 'cannot_tell')).toMatchObject({
      evidence: { basis: 'limit', weakened_by: ['saves_no_success'] },
    });
  });
});

describe('other gaps beside what n8n’s record leaves out', () => {
  test('a connection that sees no success is no channel for runs', async () => {
    const { id } = await connectN8n(rollcall, n8n);
    await register('hook');
    await check();
    expect(await gapOf('hook', 'uninstrumented', 'open')).toBeUndefined();
    await rollcall.call('PATCH', `${CONNECTIONS}/${id}`, { saves_no_success: true });
    await check();
    expect(await gapOf('hook', 'uninstrumented', 'open')).toMatchObject({ severity: 'warning' });
  });

  test.each([
    [{}, 'certain'],
    [{ sampled: true }, 'likely'],
  ])('with %j what is gone is missing: %s', async (flags, grade) => {
    const { id } = await connectN8n(rollcall, n8n, flags);
    await register('hook');
    n8n.workflows.splice(1, 1);
    await syncAgain(rollcall, id);
    await check();
    expect(await gapOf('hook', 'missing', 'open')).toMatchObject({ grade });
  });

  test.each([
    [{}, 'open', 'likely'],
    [{ prunes_after: 24 }, 'open', 'likely'],
    [{ saves_no_success: true }, 'cannot_tell', 'cannot_tell'],
    [{ prunes_after: 1 }, 'cannot_tell', 'cannot_tell'],
  ])('with %j a run whose end never came is %s, %s', async (flags, state, grade) => {
    for (let n = 0; n < 10; n++) ran('hook', 20 * HOUR_MS);
    ran('hook', 10 * MINUTE_MS, { status: 'running', finished: false, stoppedAt: null });
    const { id } = await connectN8n(rollcall, n8n, flags);
    await register('hook');
    n8n.executions.shift();
    rollcall.clock.advance(2 * HOUR_MS);
    await syncAgain(rollcall, id);
    await rollcall.sql('select rollcall_api.mark_lost_executions($1, $2, 3600)', [
      rollcall.tenant,
      rollcall.clock.now(),
    ]);
    await check();
    const gap = await gapOf('hook', 'stuck', state);
    expect(gap).toMatchObject({ grade, evidence: { executions: [{ status: 'lost' }] } });
    if (state === 'cannot_tell') expect(gap.summary).toMatch(/need not have kept it/);
  });
});
