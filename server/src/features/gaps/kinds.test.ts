import { randomUUID } from 'node:crypto';
import type { N8nWorkflow, N8nWorkflowKind } from '@rollcall/client/contract';
import { originOf } from '../../../../test/rollcall/n8n-events.ts';
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

const HOOK = { name: 'Hook', type: 'n8n-nodes-base.webhook', parameters: { path: 'orders' } };
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const at = (seconds: number) =>
  new Date(rollcall.clock.now().getTime() - 60_000 + seconds * 1000).toISOString();
const send = async (...events: object[]) => {
  const { status, body } = await rollcall.post('/api/v1/n8n/webhook', events);
  expect([status, body.rejected]).toEqual([200, 0]);
};
const tell = (
  kind: N8nWorkflowKind,
  seconds: number,
  workflow: N8nWorkflow,
  instance_id = 'prod',
) => send({ ...originOf({ instance_id, occurred_at: at(seconds) }), kind, workflow });
const inventory = (seconds: number, workflows: N8nWorkflow[], instance_id = 'prod') =>
  send({
    ...originOf({ instance_id, occurred_at: at(seconds) }),
    kind: 'inventory',
    inventory: {
      id: randomUUID(),
      started_at: at(seconds),
      page: 1,
      pages: 1,
      complete: true,
      workflows,
    },
  });
const hooksStatus = (instance_id = 'prod') =>
  send({
    ...originOf({ instance_id, occurred_at: at(0) }),
    kind: 'hooks.status',
    hooks: {
      when: 'periodic',
      started_at: at(0),
      accepted: 1,
      rejected: 0,
      dropped: 0,
      queued: 0,
      queued_bytes: 0,
      failed_requests: 0,
      errors: 0,
    },
  });
const check = async () => (await rollcall.post('/api/v1/gaps/check')).body;
const gaps = async (query: Record<string, string> = {}) =>
  (await rollcall.get('/api/v1/gaps', { query })).body.items;
const show = async (id: string) => (await rollcall.get(`/api/v1/gaps/${id}`)).body;
const register = (entity_type: string, entity_id: string, more: object = {}) =>
  rollcall.post('/api/v1/entities', { entity_type, entity_id, current_state: 'active', ...more });
const stored = (digit: string): N8nWorkflow => ({
  id: 'orders',
  name: 'Orders',
  active: false,
  nodes: [],
  connections: {},
  definition: 'stored',
  definition_hash: `sha256:${digit.repeat(64)}`,
});
const run = (execution_id: string, startedMs: number, durationMs?: number, source = 'client') =>
  rollcall.post('/api/v1/executions/ingest', {
    execution_id,
    source,
    workflow_id: 'orders',
    started_at: new Date(startedMs).toISOString(),
    ...(durationMs === undefined
      ? { status: 'running' }
      : { status: 'success', completed_at: new Date(startedMs + durationMs).toISOString() }),
  });

describe('beside n8n', () => {
  test('what an inventory no longer has is missing until it is back', async () => {
    await inventory(1, [{ id: 'orders', name: 'Orders', active: true }]);
    await inventory(2, []);
    expect(await check()).toMatchObject({ by_kind: { missing: 1 } });
    const [gap] = await gaps({ kind: 'missing' });
    expect(gap).toMatchObject({
      grade: 'certain',
      severity: 'critical',
      entity_id: 'orders',
      evidence: { instance_id: 'prod', because: 'inventory without it' },
    });
    await inventory(3, [{ id: 'orders', name: 'Orders', active: true }]);
    expect(await check()).toMatchObject({ closed: 1 });
    expect(await gaps({ kind: 'missing' })).toEqual([]);
  });

  test('what another instance still has is not missing', async () => {
    await inventory(1, [{ id: 'orders' }]);
    await inventory(1, [{ id: 'orders' }], 'staging');
    await inventory(2, []);
    await check();
    expect(await gaps({ kind: 'missing' })).toEqual([]);
  });

  test('what n8n runs and the registry has as deleted is unreported', async () => {
    await inventory(1, [{ id: 'orders', name: 'Orders', active: true }]);
    await rollcall.call('DELETE', '/api/v1/entities/workflow/orders');
    expect(await check()).toMatchObject({ by_kind: { unreported: 1 } });
    expect(await gaps()).toMatchObject([
      {
        kind: 'unreported',
        grade: 'certain',
        evidence: { instance_id: 'prod', registered_state: 'deleted' },
      },
    ]);
    await register('workflow', 'orders');
    expect(await check()).toMatchObject({ closed: 1 });
  });

  test('another definition than the registered one has drifted until one follows the other', async () => {
    await register('workflow', 'orders', {
      current_state: 'inactive',
      definition_hash: stored('a').definition_hash,
    });
    await tell('workflow.updated', 1, stored('a'));
    expect(await check()).toMatchObject({ open: 0 });
    await tell('workflow.updated', 2, stored('b'));
    expect(await check()).toMatchObject({ by_kind: { drifted: 1 } });
    expect(await gaps()).toMatchObject([
      {
        kind: 'drifted',
        evidence: {
          n8n_hash: stored('b').definition_hash,
          registered_hash: stored('a').definition_hash,
        },
      },
    ]);
    await tell('workflow.updated', 3, stored('a'));
    expect(await check()).toMatchObject({ open: 0, closed: 1 });
  });

  test('the definition of a run, as the Register Workflow node sends it, is no drift', async () => {
    await register('workflow', 'orders', {
      current_state: 'inactive',
      registered_by: 'n8n',
      definition_hash: stored('a').definition_hash,
    });
    await tell('workflow.updated', 1, stored('b'));
    expect(await check()).toMatchObject({ open: 0 });
  });

  test('an active workflow of whose runs nothing would tell is uninstrumented; its silence stands below that', async () => {
    await tell('workflow.activated', 1, {
      id: 'orders',
      name: 'Orders',
      nodes: [],
      connections: {},
    });
    expect(await check()).toMatchObject({ by_kind: { uninstrumented: 1 } });
    rollcall.clock.advance(30 * HOUR_MS);
    expect(await check()).toMatchObject({ open: 1, inhibited: 1 });
    await run('1', rollcall.clock.now().getTime() - 1000, 500);
    expect(await check()).toMatchObject({ open: 0, inhibited: 0, closed: 2 });
  });

  test('hooks in the instance, or a node of Rollcall, are a channel', async () => {
    const nodes = [{ name: 'Emit', type: 'n8n-nodes-rollcall.telemetryEmit' }];
    await tell('workflow.activated', 1, { id: 'with-node', nodes, connections: {} }, 'other');
    await tell('workflow.activated', 1, { id: 'with-hooks', nodes: [], connections: {} });
    await hooksStatus();
    expect(await check()).toMatchObject({ open: 0 });
  });
});

describe('a run that is under way', () => {
  const hourAgo = () => rollcall.clock.now().getTime() - HOUR_MS;

  test('for much longer than usual makes its workflow stuck until it ends', async () => {
    await register('workflow', 'orders');
    for (let n = 0; n < 10; n++) await run(`done-${n}`, hourAgo() + n * MINUTE_MS, 2_000);
    await run('late', rollcall.clock.now().getTime() - 4 * MINUTE_MS);
    expect(await check()).toMatchObject({ open: 0 });
    rollcall.clock.advance(2 * MINUTE_MS);
    expect(await check()).toMatchObject({ by_kind: { stuck: 1 } });
    const [gap] = await gaps();
    expect(gap).toMatchObject({ kind: 'stuck', grade: 'likely', severity: 'warning' });
    expect(gap.evidence).toMatchObject({
      overrunning: 1,
      usual_p99_seconds: 2,
      ended_runs: 10,
      executions: [{ execution_id: 'late', status: 'running' }],
    });
    await run('late', rollcall.clock.now().getTime() - 6 * MINUTE_MS, 350_000);
    expect(await check()).toMatchObject({ open: 0, closed: 1 });
  });

  test('where hardly any run has ended yet proves nothing', async () => {
    await register('workflow', 'orders');
    await run('first', rollcall.clock.now().getTime() - 2 * HOUR_MS);
    expect(await check()).toMatchObject({ open: 0, cannot_tell: 1 });
  });
});

describe('a run that only Emit nodes told of', () => {
  const ago = (ms: number) => rollcall.clock.now().getTime() - ms;

  test('has no true start: it never overruns, however long ago it spoke', async () => {
    await register('workflow', 'orders');
    for (let n = 0; n < 10; n++) await run(`done-${n}`, ago(HOUR_MS) + n * MINUTE_MS, 2_000);
    await run('late', ago(50 * MINUTE_MS), undefined, 'emit');
    expect(await check()).toMatchObject({ open: 0, cannot_tell: 0 });
    await run('late', ago(50 * MINUTE_MS), undefined, 'hooks');
    expect(await check()).toMatchObject({ by_kind: { stuck: 1 } });
  });

  test('says nothing of how long its workflow usually takes', async () => {
    await register('workflow', 'orders');
    for (let n = 0; n < 10; n++) await run(`done-${n}`, ago(3 * HOUR_MS), 2_000, 'emit');
    await run('late', ago(50 * MINUTE_MS));
    expect(await check()).toMatchObject({ open: 0, cannot_tell: 0 });
    rollcall.clock.advance(20 * MINUTE_MS);
    expect(await check()).toMatchObject({ open: 0, cannot_tell: 1 });
    const [gap] = await gaps({ kind: 'stuck', state: 'cannot_tell' });
    expect(gap.evidence).toMatchObject({ ended_runs: 0 });
  });
});

describe('one cause', () => {
  test('of an instance that is silent hides the silence of its workflows, and gives it back', async () => {
    await hooksStatus();
    for (const id of ['a', 'b'])
      await tell('workflow.activated', 1, { id, nodes: [HOOK], connections: {} });
    rollcall.clock.advance(30 * HOUR_MS);
    expect(await check()).toMatchObject({ open: 1, inhibited: 2, by_kind: { silent: 1 } });
    const [gap] = await gaps();
    expect(gap).toMatchObject({
      entity_type: 'n8n_instance',
      entity_id: 'prod',
      severity: 'critical',
      inhibits: 2,
    });
    expect(
      (await show(gap.id)).inhibited
        .map(({ entity_id }: { entity_id: string }) => entity_id)
        .sort(),
    ).toEqual(['a', 'b']);
    expect(await gaps({ state: 'inhibited', inhibited_by: gap.id })).toHaveLength(2);
    await hooksStatus();
    expect(await check()).toMatchObject({ closed: 1, opened: 2, open: 2, inhibited: 0 });
  });

  test('of a parent that is silent hides the silence of all that is below it', async () => {
    const below = (parent: string) => ({
      parent: { entity_type: 'team', entity_id: parent },
      silent_after_seconds: 60,
    });
    await register('team', 'sales', { silent_after_seconds: 60 });
    await register('team', 'north', below('sales'));
    await register('agent', 'caller', below('north'));
    rollcall.clock.advance(2 * MINUTE_MS);
    expect(await check()).toMatchObject({ open: 1, inhibited: 2 });
    expect(await gaps()).toMatchObject([{ entity_id: 'sales', inhibits: 2 }]);
    await rollcall.post('/api/v1/entities/team/sales/heartbeat');
    expect(await check()).toMatchObject({ open: 1, inhibited: 1 });
    expect(await gaps()).toMatchObject([{ entity_id: 'north' }]);
  });

  test('of a name that is not registered hides the loss of what is below it or depends on it', async () => {
    const team = { entity_type: 'team', entity_id: 'ghosts' };
    await register('service', 'known');
    await register('agent', 'caller', { parent: team });
    await register('service', 'desk', { dependencies: [team] });
    expect(await check()).toMatchObject({ by_kind: { orphaned: 1, broken_dependency: 1 } });
    const event = { protocol: 'a2a', source_id: 'known', target_id: 'ghosts', status: 'success' };
    await rollcall.post('/api/v1/telemetry', event);
    expect(await check()).toMatchObject({ open: 1, inhibited: 2, by_kind: { unregistered: 1 } });
    const [gap] = await gaps();
    expect(gap).toMatchObject({ entity_id: 'ghosts', inhibits: 2 });
    await rollcall.post(`/api/v1/gaps/${gap.id}/fix`);
    expect(await check()).toMatchObject({ open: 0, inhibited: 0 });
  });
});
