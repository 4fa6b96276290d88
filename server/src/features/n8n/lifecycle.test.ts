import { randomUUID } from 'node:crypto';
import type { N8nWorkflow, N8nWorkflowKind } from '@rollcall/client/contract';
import { originOf, recordedEvents } from '../../../../test/rollcall/n8n-events.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';

let rollcall: TestRollcall;
let tenant: FreshTenant;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
beforeEach(async () => {
  tenant = await freshTenant(rollcall);
});
afterAll(() => rollcall.stop());

const WEBHOOK = '/api/v1/n8n/webhook';
const at = (seconds: number) =>
  new Date(rollcall.clock.now().getTime() - 3_600_000 + seconds * 1000).toISOString();
const origin = (seconds: number, instance_id = 'prod') =>
  originOf({ instance_id, occurred_at: at(seconds) });
const event = (
  kind: N8nWorkflowKind,
  seconds: number,
  workflow: N8nWorkflow,
  instance_id = 'prod',
) => ({ ...origin(seconds, instance_id), kind, workflow });
const page = (seconds: number, workflows: N8nWorkflow[], more: object = {}, instance = 'prod') => ({
  ...origin(seconds, instance),
  kind: 'inventory',
  inventory: {
    id: randomUUID(),
    started_at: at(seconds),
    page: 1,
    pages: 1,
    complete: true,
    workflows,
    ...more,
  },
});
const send = async (...events: unknown[]) => {
  const { status, body } = await tenant.post(WEBHOOK, events);
  expect([status, body.rejected]).toEqual([200, 0]);
  return body;
};
const entity = async (id: string) => (await tenant.get(`/api/v1/entities/workflow/${id}`)).body;
const known = async (query: Record<string, string> = {}) =>
  (await tenant.get('/api/v1/n8n/workflows', { query })).body.items;
const workflow = (id: string, more: Partial<N8nWorkflow> = {}): N8nWorkflow => ({
  id,
  name: `Workflow ${id}`,
  active: true,
  ...more,
});

describe('what a real n8n told its hooks', () => {
  test('becomes workflows, capabilities, dependencies, states and executions', async () => {
    const start = new Date(rollcall.clock.now().getTime() - 600_000);
    await send(...recordedEvents('real', start));
    const items = await known();
    expect(items.map(({ name, state }: { name: string; state: string }) => [name, state])).toEqual(
      expect.arrayContaining([
        ['Price lookup (sub)', 'active'],
        ['Orders intake', 'active'],
        ['Nightly sync v2', 'inactive'],
      ]),
    );
    const orders = await entity('Sa9Er8EJZNxDQw6c');
    expect(orders).toMatchObject({
      entity_name: 'Orders intake',
      current_state: 'active',
      capabilities: expect.arrayContaining(['trigger:webhook', 'webhook:orders']),
      depends_on: [{ entity_type: 'workflow', entity_id: 'GxgTjnPYhFDbCiXP', origin: 'extracted' }],
      definition_hash: expect.stringMatching(/^sha256:/),
      metadata: {
        n8n: { instance_id: 'real', webhook_paths: ['orders'], project: { type: 'personal' } },
      },
    });
    expect(JSON.stringify(await known())).not.toContain('owner@example.com');
    const runs = (await tenant.get('/api/v1/executions')).body.items;
    expect(
      runs.map((run: { workflow_name: string; status: string; mode: string }) => [
        run.workflow_name,
        run.status,
        run.mode,
      ]),
    ).toEqual(
      expect.arrayContaining([
        ['Price lookup (sub)', 'success', 'integrated'],
        ['Orders intake', 'success', 'webhook'],
        ['Nightly sync', 'error', 'webhook'],
      ]),
    );
  });

  test('is the same when it comes again, in any grouping', async () => {
    const events = recordedEvents('real', new Date(rollcall.clock.now().getTime() - 600_000));
    const first = await send(...events);
    expect([first.accepted, first.duplicates]).toEqual([events.length, 0]);
    const before = [await known(), await entity('Sa9Er8EJZNxDQw6c')];
    const again = await send(...events.slice(3), ...events);
    expect([again.accepted, again.duplicates]).toEqual([0, events.length * 2 - 3]);
    expect([await known(), await entity('Sa9Er8EJZNxDQw6c')]).toEqual(before);
  });
});

describe('the state of a workflow', () => {
  test.each<[N8nWorkflowKind, string]>([
    ['workflow.activated', 'active'],
    ['workflow.deactivated', 'inactive'],
    ['workflow.archived', 'archived'],
    ['workflow.unarchived', 'inactive'],
    ['workflow.deleted', 'deleted'],
  ])('follows %s', async (kind, state) => {
    await send(event('workflow.created', 1, workflow('w', { active: false })));
    expect((await entity('w')).current_state).toBe('inactive');
    await send(event(kind, 2, { id: 'w' }));
    expect((await entity('w')).current_state).toBe(state);
    const history = (await tenant.get('/api/v1/entities/workflow/w/state')).body.items;
    if (state !== 'inactive') expect(history[0]).toMatchObject({ reason: `n8n: ${kind}` });
  });

  test('is not moved back by an event that is older than the last', async () => {
    await send(event('workflow.created', 1, workflow('w', { active: false })));
    await send(event('workflow.deactivated', 5, { id: 'w' }));
    await send(event('workflow.activated', 3, { id: 'w', name: 'Older name' }));
    expect(await entity('w')).toMatchObject({
      current_state: 'inactive',
      entity_name: 'Older name',
    });
    await send(event('workflow.activated', 6, { id: 'w' }));
    expect((await entity('w')).current_state).toBe('active');
  });

  test('that a person has set stays until n8n has news of it', async () => {
    await send(event('workflow.created', 1, workflow('w')));
    await tenant.put('/api/v1/entities/workflow/w/state', { new_state: 'error' });
    await send(event('workflow.updated', 2, workflow('w', { name: 'Renamed' })));
    expect(await entity('w')).toMatchObject({ current_state: 'error', entity_name: 'Renamed' });
    await send(event('workflow.deactivated', 3, { id: 'w' }));
    expect((await entity('w')).current_state).toBe('inactive');
  });

  test('is active as long as one of several instances has it active', async () => {
    await send(
      event('workflow.created', 1, workflow('w'), 'prod'),
      event('workflow.created', 2, workflow('w', { active: false }), 'staging'),
    );
    expect((await entity('w')).current_state).toBe('active');
    await send(event('workflow.deleted', 3, { id: 'w' }, 'staging'));
    expect((await entity('w')).current_state).toBe('active');
    await send(event('workflow.deleted', 4, { id: 'w' }, 'prod'));
    expect((await entity('w')).current_state).toBe('deleted');
  });

  test('of a workflow that nobody knew is not registered by its end', async () => {
    await send(event('workflow.deleted', 1, { id: 'w' }));
    expect((await tenant.get('/api/v1/entities/workflow/w')).status).toBe(404);
    const [gone] = await known({ deleted: 'true' });
    expect([gone.workflow_id, Date.parse(gone.deleted_at)]).toEqual(['w', Date.parse(at(1))]);
  });

  test('comes back from deleted when n8n has the workflow again', async () => {
    await send(
      event('workflow.created', 1, workflow('w')),
      event('workflow.deleted', 2, { id: 'w' }),
    );
    await send(page(3, [workflow('w', { active: false })]));
    expect((await entity('w')).current_state).toBe('inactive');
  });
});

describe('an execution', () => {
  test('joins what others told of the same run', async () => {
    const report = { execution_id: '7', workflow_id: 'w', status: 'success', started_at: at(1) };
    await send({ ...origin(9), kind: 'execution.finished', report });
    await send({
      id: randomUUID(),
      eventName: 'n8n.workflow.started',
      ts: at(1),
      payload: { executionId: '7', workflowId: 'w', workflowName: 'W', mode: 'webhook' },
    });
    const { items } = (await tenant.get('/api/v1/executions')).body;
    expect(items).toMatchObject([
      { instance_id: 'prod', status: 'success', mode: 'webhook', workflow_name: 'W' },
    ]);
  });

  test('that failed says so of the node that it failed at, though that finished in the same millisecond', async () => {
    const log = (eventName: string, more: object) => ({
      id: randomUUID(),
      eventName,
      ts: at(5),
      payload: { executionId: '7', workflowId: 'w', ...more },
    });
    const told = [
      log('n8n.node.started', { nodeName: 'Fail' }),
      log('n8n.node.finished', { nodeName: 'Fail' }),
      log('n8n.workflow.failed', { lastNodeExecuted: 'Fail', errorMessage: 'no luck' }),
    ];
    const nodes = async () =>
      rollcall.sql(
        'select node_name, status, error_message from rollcall.node_executions where tenant_id = $1',
        [tenant.tenant],
      );
    const failed = [{ node_name: 'Fail', status: 'error', error_message: 'no luck' }];
    await send(...told);
    expect(await nodes()).toEqual(failed);
    tenant = await freshTenant(rollcall);
    for (const one of told.toReversed()) await send(one);
    expect(await nodes()).toEqual(failed);
  });

  test('that is wrong is refused at its path, and counted nowhere', async () => {
    const report = { execution_id: '7', workflow_id: 'w', status: 'perfect' };
    const good = event('workflow.created', 1, workflow('w'));
    const bad = { ...origin(9), kind: 'execution.finished', report };
    const { status, body } = await tenant.post(WEBHOOK, [bad, good]);
    expect([status, body.accepted, body.rejected]).toEqual([200, 1, 1]);
    expect(body.results[0]).toMatchObject({ status: 'rejected', path: 'report.status' });
    const again = await tenant.post(WEBHOOK, { ...bad, report: { ...report, status: 'error' } });
    expect(again.body.results[0].status).toBe('accepted');
  });
});
