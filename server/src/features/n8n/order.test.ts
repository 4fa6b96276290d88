import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { originOf } from '../../../../test/rollcall/n8n-events.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';

let rollcall: TestRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
afterAll(() => rollcall.stop());

const at = (seconds: number) =>
  new Date(rollcall.clock.now().getTime() - 3_600_000 + seconds * 1000).toISOString();
const nodes = (app: string) => [{ name: 'App', type: `n8n-nodes-base.${app}` }];
const hash = (digit: string) => `sha256:${digit.repeat(64)}`;
const hooks = (seconds: number, body: object) => ({
  ...originOf({ instance_id: 'prod', occurred_at: at(seconds) }),
  ...body,
});
const change = (seconds: number, kind: string, workflow: object) =>
  hooks(seconds, { kind: `workflow.${kind}`, workflow: { id: 'w', ...workflow } });
const log = (seconds: number, eventName: string, payload: object) => ({
  id: randomUUID(),
  eventName,
  ts: at(seconds),
  payload: { workflowId: 'w', ...payload },
});
const page = (seconds: number, inventory: object) =>
  hooks(seconds, {
    kind: 'inventory',
    inventory: { started_at: at(seconds), complete: false, ...inventory },
  });

/** What happened, in the order in which it did; the last of it is what has to come out. */
const STORIES: Record<string, { events: () => object[]; state: string; name: string }> = {
  'a workflow that is made, changed, published, switched off and archived': {
    state: 'archived',
    name: 'Second',
    events: () => [
      change(1, 'created', {
        name: 'First',
        active: false,
        definition: 'stored',
        definition_hash: hash('a'),
        nodes: nodes('slack'),
      }),
      change(2, 'updated', {
        name: 'Second',
        active: false,
        definition: 'stored',
        definition_hash: hash('b'),
        nodes: nodes('github'),
      }),
      change(3, 'activated', { version_id: 'v3' }),
      change(4, 'deactivated', {}),
      change(5, 'archived', {}),
    ],
  },
  'one that hooks, the log and a trigger tell of': {
    state: 'inactive',
    name: 'Renamed',
    events: () => [
      change(1, 'created', {
        name: 'First',
        active: false,
        nodes: nodes('slack'),
        definition: 'partial',
      }),
      log(2, 'n8n.audit.workflow.activated', { workflowName: 'First', activeVersionId: 'v1' }),
      { event: 'Workflow published', timestamp: at(2), workflow_id: 'w' },
      log(3, 'n8n.audit.workflow.updated', { workflowName: 'Renamed' }),
      log(4, 'n8n.audit.workflow.deactivated', { workflowName: 'Renamed' }),
    ],
  },
  // What is registered stays as it was: that its n8n no longer has it is a gap.
  'one that an inventory misses': {
    state: 'active',
    name: 'First',
    events: () => {
      const id = randomUUID();
      return [
        change(1, 'created', { name: 'First', active: true }),
        page(2, {
          id: randomUUID(),
          page: 1,
          pages: 1,
          complete: true,
          workflows: [{ id: 'w', name: 'First', active: true }],
        }),
        page(5, { id, page: 1, workflows: [{ id: 'other', active: true }] }),
        page(5, { id, page: 2, pages: 2, complete: true, workflows: [] }),
      ];
    },
  },
  'one that is deleted and made again': {
    state: 'active',
    name: 'Again',
    events: () => [
      change(1, 'created', { name: 'First', active: true }),
      change(2, 'deleted', {}),
      page(3, { id: randomUUID(), page: 1, pages: 1, complete: true, workflows: [] }),
      page(4, {
        id: randomUUID(),
        page: 1,
        pages: 1,
        complete: true,
        workflows: [{ id: 'w', name: 'Again', active: true, tags: ['t'] }],
      }),
    ],
  },
};

/** Everything that is known afterwards, but for when it came to be known. */
async function knownOf(tenant: FreshTenant) {
  const { body: entity } = await tenant.get('/api/v1/entities/workflow/w');
  const read = async (deleted: string): Promise<object[]> =>
    (await tenant.get('/api/v1/n8n/workflows', { query: { deleted } })).body.items;
  const workflows = [...(await read('false')), ...(await read('true'))];
  const { items: instances } = (await tenant.get('/api/v1/n8n/instances')).body;
  const { items: events } = (await tenant.get('/api/v1/n8n/events')).body;
  const own = (item: object) => ({
    ...item,
    first_seen: '',
    created_at: '',
    updated_at: '',
    registered_by: '',
  });
  return { entity: own(entity), workflows: workflows.map(own), instances, events };
}

describe('order never matters to', () => {
  test.each(Object.entries(STORIES))('%s', async (_, { events, state, name }) => {
    const story = events();
    const told = async (groups: object[][]) => {
      const tenant = await freshTenant(rollcall);
      for (const group of groups) {
        const { status, body } = await tenant.post('/api/v1/n8n/webhook', group);
        expect([status, body.rejected]).toEqual([200, 0]);
      }
      return knownOf(tenant);
    };
    const expected = await told(story.map((event) => [event]));
    expect(expected.entity).toMatchObject({ current_state: state, entity_name: name });
    const shuffled = fc.shuffledSubarray(story, { minLength: story.length });
    await fc.assert(
      fc.asyncProperty(
        shuffled,
        fc.subarray(story),
        fc.nat({ max: story.length }),
        async (order, again, cut) => {
          const groups = [order.slice(0, cut), [...order.slice(cut), ...again]];
          expect(await told(groups.filter((group) => group.length > 0))).toEqual(expected);
        },
      ),
      { numRuns: 30 },
    );
  });
});
