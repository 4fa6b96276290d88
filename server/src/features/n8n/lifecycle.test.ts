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

describe('an inventory', () => {
  const one = workflow('one');
  const two = workflow('two', { active: false });

  test('registers what it holds, and marks what it no longer has as gone', async () => {
    await send(page(1, [one, two]));
    expect([(await entity('one')).current_state, (await entity('two')).current_state]).toEqual([
      'active',
      'inactive',
    ]);
    await send(page(2, [two]));
    expect((await entity('one')).current_state).toBe('deleted');
    expect(await known()).toMatchObject([{ workflow_id: 'two', state_cause: 'inventory' }]);
    expect(await known({ deleted: 'true' })).toMatchObject([{ workflow_id: 'one' }]);
  });

  test('that is not complete, or of which a page is missing, marks nothing', async () => {
    await send(page(1, [one, two]));
    await send(page(2, [two], { complete: false, pages: undefined }));
    const id = randomUUID();
    await send(page(3, [two], { id, page: 3, pages: 3 }));
    await send(page(3, [], { id, page: 1, complete: false, pages: undefined }));
    expect((await entity('one')).current_state).toBe('active');
    await send(page(3, [], { id, page: 2, complete: false, pages: undefined }));
    expect((await entity('one')).current_state).toBe('deleted');
  });

  test('says nothing of other instances', async () => {
    await send(page(1, [one], {}, 'staging'), page(2, [two], {}, 'prod'));
    expect((await entity('one')).current_state).toBe('active');
  });

  test('leaves alone what was made after it began', async () => {
    await send(event('workflow.created', 5, one));
    await send(page(4, [two]));
    expect((await entity('one')).current_state).toBe('active');
  });

  test('of an empty instance empties it', async () => {
    await send(page(1, [one]), page(2, []));
    expect((await entity('one')).current_state).toBe('deleted');
  });

  test('that brings nothing new changes no entity', async () => {
    await send(page(1, [one, two]));
    const before = [await entity('one'), await entity('two')];
    await send(page(2, [one, two]));
    expect([await entity('one'), await entity('two')]).toEqual(before);
  });
});

describe('the definition', () => {
  const nodes = [
    { name: 'Webhook', type: 'n8n-nodes-base.webhook', parameters: { path: 'a' } },
    { name: 'Slack', type: 'n8n-nodes-base.slack' },
  ];
  const hash = (digit: string) => `sha256:${digit.repeat(64)}`;
  const stored = (digit: string, more: Partial<N8nWorkflow> = {}) =>
    workflow('w', { definition: 'stored', definition_hash: hash(digit), nodes, ...more });

  test('is hashed by n8n’s word alone, and only where it is what n8n stores', async () => {
    await send(event('workflow.created', 1, workflow('w', { nodes })));
    expect((await entity('w')).definition_hash).toBeNull();
    await send(event('workflow.updated', 2, stored('a')));
    expect((await entity('w')).definition_hash).toBe(hash('a'));
    await send(event('workflow.updated', 3, workflow('w', { definition: 'partial', nodes })));
    expect((await entity('w')).definition_hash).toBeNull();
    await send(event('workflow.updated', 4, stored('b')));
    expect((await entity('w')).definition_hash).toBe(hash('b'));
  });

  test('that others have registered stays theirs', async () => {
    await tenant.post('/api/v1/entities', {
      entity_type: 'workflow',
      entity_id: 'w',
      entity_name: 'By the factory',
      version: '1.2.3',
      definition_hash: hash('f'),
      capabilities: ['declared'],
      tags: ['factory'],
    });
    await send(event('workflow.created', 1, stored('a', { tags: ['n8n'], version_id: 'v1' })));
    expect(await entity('w')).toMatchObject({
      entity_name: 'By the factory',
      version: '1.2.3',
      definition_hash: hash('f'),
      capabilities: ['app:slack', 'declared', 'trigger:webhook', 'webhook:a'],
      tags: ['factory', 'n8n'],
      current_state: 'active',
      metadata: { n8n: { definition_hash: hash('a'), version_id: 'v1' } },
    });
    const fewer = { nodes: nodes.slice(0, 1), tags: [] };
    await send(event('workflow.updated', 2, stored('b', fewer)));
    expect(await entity('w')).toMatchObject({
      capabilities: ['declared', 'trigger:webhook', 'webhook:a'],
      tags: ['factory'],
      definition_hash: hash('f'),
    });
  });

  test('stays known through events that say nothing of it', async () => {
    await send(event('workflow.created', 1, stored('a')));
    await send(event('workflow.deactivated', 2, { id: 'w', version_id: 'v2' }));
    expect(await entity('w')).toMatchObject({
      version: 'v2',
      definition_hash: hash('a'),
      metadata: { n8n: { webhook_paths: ['a'], version_id: 'v2' } },
    });
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

describe('instances', () => {
  test('are listed with version, workflows and the hooks of each process', async () => {
    const hooks = (seconds: number, dropped: number) => ({
      ...origin(seconds),
      kind: 'hooks.status',
      hooks: {
        when: 'periodic',
        started_at: at(0),
        accepted: 5,
        rejected: 0,
        dropped,
        queued: 0,
        queued_bytes: 0,
        failed_requests: 1,
        errors: 0,
        last_error: 'key sk-proj-abcdefghijklmnopqrstuvwxyz1234567890 refused',
      },
    });
    await send(page(2, [workflow('w'), workflow('v', { active: false })]), hooks(9, 3));
    await send(hooks(4, 1), { ...hooks(5, 9), instance_role: 'worker', n8n_version: '2.40.0' });
    const { items } = (await tenant.get('/api/v1/n8n/instances')).body;
    expect([items[0].first_seen, items[0].last_seen].map((moment) => Date.parse(moment))).toEqual(
      [at(2), at(9)].map((moment) => Date.parse(moment)),
    );
    expect(items).toMatchObject([
      {
        instance_id: 'prod',
        n8n_version: '2.41.1',
        workflows: { total: 2, active: 1, archived: 0, deleted: 0 },
        processes: [
          {
            role: 'main',
            hooks: { dropped: 3, last_error: expect.stringContaining('[redacted]') },
          },
          { role: 'worker', hooks: { dropped: 9 } },
        ],
      },
    ]);
  });
});
