import { randomUUID } from 'node:crypto';
import type { N8nWorkflow, N8nWorkflowKind } from '@rollcall/client/contract';
import { originOf } from '../../../../test/rollcall/n8n-events.ts';
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
    // Missing is for gap checks to say: what was told of it stays.
    expect((await entity('one')).current_state).toBe('active');
    expect(await known()).toMatchObject([{ workflow_id: 'two', state_cause: 'inventory' }]);
    expect(await known({ deleted: 'true' })).toMatchObject([{ workflow_id: 'one' }]);
  });

  test('that is not complete, or of which a page is missing, marks nothing', async () => {
    await send(page(1, [one, two]));
    await send(page(2, [two], { complete: false, pages: undefined }));
    const id = randomUUID();
    await send(page(3, [two], { id, page: 3, pages: 3 }));
    await send(page(3, [], { id, page: 1, complete: false, pages: undefined }));
    expect(await known({ deleted: 'true' })).toEqual([]);
    await send(page(3, [], { id, page: 2, complete: false, pages: undefined }));
    expect(await known({ deleted: 'true' })).toMatchObject([{ workflow_id: 'one' }]);
  });

  test('says nothing of other instances', async () => {
    await send(page(1, [one], {}, 'staging'), page(2, [two], {}, 'prod'));
    expect(await known({ deleted: 'true' })).toEqual([]);
  });

  test('leaves alone what was made after it began', async () => {
    await send(event('workflow.created', 5, one));
    await send(page(4, [two]));
    expect(await known({ deleted: 'true' })).toEqual([]);
  });

  test('of an empty instance empties it, and leaves to gap checks what is registered', async () => {
    await send(page(1, [one]), page(2, []));
    expect(await known()).toEqual([]);
    expect((await entity('one')).current_state).toBe('active');
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
