import { kindsOf, ofKind, startProcess, storedWorkflows } from './n8n-process.ts';
import { recordedCalls } from './recorded.ts';
import { startStandIn, type StandIn } from './rollcall-stand-in.ts';

let rollcall: StandIn;
beforeEach(async () => {
  rollcall = await startStandIn();
});
afterEach(() => rollcall.stop());

test('what a real n8n called becomes one event each, and nothing more', async () => {
  const n8n = startProcess({ url: rollcall.url });
  for (const { hook, args } of recordedCalls()) expect(n8n.call(hook, ...args)).toBeUndefined();
  await n8n.end();
  expect(kindsOf(rollcall.events).filter((kind) => kind !== 'inventory')).toEqual([
    'hooks.status',
    'workflow.created',
    'workflow.created',
    'workflow.created',
    'workflow.activated',
    'workflow.activated',
    'workflow.activated',
    'execution.finished',
    'execution.finished',
    'execution.finished',
    'workflow.updated',
    'workflow.activated',
    'workflow.deactivated',
    'hooks.status',
  ]);
  expect(new Set(rollcall.events.map(({ id }) => id)).size).toBe(rollcall.events.length);
  for (const event of rollcall.events) {
    expect(event).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      occurred_at: expect.stringMatching(/^\d{4}-.*Z$/),
      instance_id: 'instance-1',
      instance_role: 'main',
      hooks_version: '0.1.0',
    });
  }
  expect(n8n.stats()).toMatchObject({ errors: 0, dropped: 0, queued: 0 });
  const sent = rollcall.bodies.join('');
  for (const secret of [
    'owner@example.com',
    'Own Er',
    '24eaba5f',
    'resumeToken',
    '34762bf2',
    'stack',
  ]) {
    expect(sent).not.toContain(secret);
  }
});

test('a created workflow is told with its definition, its project and the role of who did it', async () => {
  const n8n = startProcess({ url: rollcall.url });
  const [created] = recordedCalls().filter(({ hook }) => hook === 'workflow.afterCreate');
  n8n.call('workflow.afterCreate', ...(created?.args ?? []));
  await n8n.end();
  expect(ofKind(rollcall.events, 'workflow.created')[0]).toMatchObject({
    actor: { role: 'global:owner' },
    workflow: {
      id: 'GxgTjnPYhFDbCiXP',
      name: 'Price lookup (sub)',
      active: false,
      is_archived: false,
      version_id: 'fcc5764b-f299-41f8-b040-338abea8aa2c',
      active_version_id: null,
      trigger_count: 0,
      created_at: '2026-11-21T04:18:35.304Z',
      updated_at: '2026-11-21T04:18:35.304Z',
      tags: [],
      project: { id: 'BkHF5wQqbwmgZMyC', type: 'personal' },
      node_count: 2,
      nodes: [
        {
          id: 's1',
          name: 'When called',
          type: 'n8n-nodes-base.executeWorkflowTrigger',
          typeVersion: 1.1,
        },
        { id: 's2', name: 'Fetch', type: 'n8n-nodes-base.httpRequest', typeVersion: 4.2 },
      ],
      connections: { 'When called': { main: [[{ node: 'Fetch', type: 'main', index: 0 }]] } },
      settings: {},
      definition: 'stored',
      definition_hash: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    },
  });
});

test('publishing is told by its kind, not by a field that n8n has not stored yet', async () => {
  const n8n = startProcess({ url: rollcall.url });
  for (const { hook, args } of recordedCalls()) {
    if (/activate$/.test(hook)) n8n.call(hook, ...args);
  }
  await n8n.end();
  const told = [
    ...ofKind(rollcall.events, 'workflow.activated'),
    ...ofKind(rollcall.events, 'workflow.deactivated'),
  ];
  expect(told).toHaveLength(5);
  for (const { workflow } of told) {
    expect(workflow).not.toHaveProperty('active');
    expect(workflow).not.toHaveProperty('definition');
    expect(workflow).not.toHaveProperty('nodes');
    expect(workflow.active_version_id).toMatch(/^[0-9a-f-]{36}$/);
  }
});

test.each(['workflow.activate', 'workflow.deactivate'])(
  'after %s the workflow is read again from the database, where it is as n8n stores it',
  async (name) => {
    const [created] = recordedCalls().filter(({ hook }) => hook === 'workflow.afterCreate');
    const [activated] = recordedCalls().filter(({ hook }) => hook === 'workflow.activate');
    const workflows = storedWorkflows([created?.args[0] as { id: string }]);
    const n8n = startProcess({ url: rollcall.url, workflows });
    n8n.call(name, ...(activated?.args ?? []));
    await until(() => workflows.questions.length > 0);
    await n8n.end();
    expect(ofKind(rollcall.events, 'inventory')).toMatchObject([
      {
        inventory: {
          complete: false,
          workflows: [{ id: 'GxgTjnPYhFDbCiXP', definition: 'stored' }],
        },
      },
    ]);
  },
);

test('archived, brought back, deleted: the id and who', async () => {
  const n8n = startProcess({ url: rollcall.url });
  const actor = { id: 'u1', email: 'a@b.example', firstName: 'A', role: 'global:member' };
  n8n.call('workflow.afterArchive', 'w1', actor);
  n8n.call('workflow.afterUnarchive', 'w1', actor);
  n8n.call('workflow.afterDelete', 'w1');
  n8n.call('workflow.afterDelete', { not: 'an id' });
  await n8n.end();
  expect(rollcall.events.slice(0, 3)).toMatchObject([
    { kind: 'workflow.archived', workflow: { id: 'w1' }, actor: { role: 'global:member' } },
    { kind: 'workflow.unarchived', workflow: { id: 'w1' }, actor: { role: 'global:member' } },
    { kind: 'workflow.deleted', workflow: { id: 'w1' } },
  ]);
  expect(rollcall.events).toHaveLength(4);
  expect(rollcall.bodies.join('')).not.toContain('b.example');
});

test('a worker says that it is one, and takes no inventory', async () => {
  const workflows = storedWorkflows([{ id: 'w1' }]);
  const n8n = startProcess({ url: rollcall.url, command: ['worker'], workflows });
  n8n.call('worker.ready');
  n8n.call('n8n.ready', {}, {});
  await n8n.end();
  expect(new Set(kindsOf(rollcall.events))).toEqual(new Set(['hooks.status']));
  expect(rollcall.events[0]).toMatchObject({ instance_role: 'worker' });
  expect(workflows.questions).toEqual([]);
});

/** Passes when this becomes so; the test's own limit ends it otherwise. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => void setTimeout(resolve, 10));
  await new Promise((resolve) => void setImmediate(resolve));
}
