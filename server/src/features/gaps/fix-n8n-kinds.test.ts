import { dumpTenant } from '../../../../test/rollcall/dump.ts';
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

const orders = { entity_type: 'workflow', entity_id: 'orders' };
const HASH = { registered: `sha256:${'1'.repeat(64)}`, n8n: `sha256:${'2'.repeat(64)}` };

/** What the hooks of an n8n say of the workflow. */
async function tell(kind: string, more: object = {}) {
  rollcall.clock.advance(1000);
  const occurred_at = rollcall.clock.now().toISOString();
  const { status, body } = await rollcall.post('/api/v1/n8n/webhook', {
    ...originOf({ instance_id: 'instance-one', occurred_at }),
    kind,
    workflow: { id: 'orders', name: 'Orders', ...more },
  });
  expect([status, body.rejected]).toEqual([200, 0]);
}

const definition = (definition_hash: string) => ({
  active: true,
  version_id: 'v2',
  definition: 'stored',
  definition_hash,
  nodes: [],
  connections: {},
  settings: {},
});

const causes: Record<string, () => Promise<unknown>> = {
  // n8n runs what the registry was told to be gone.
  unreported: async () => {
    await tell('workflow.created', definition(HASH.n8n));
    await rollcall.call('DELETE', '/api/v1/entities/workflow/orders');
    await rollcall.post('/api/v1/n8n/connections', {
      base_url: 'http://127.0.0.1:9',
      api_key: 'n8n_api_key_of_some_length',
      instance_id: 'instance-one',
      paused: true,
      check: false,
    });
  },
  // Deleted there, and registered again here.
  missing: async () => {
    await tell('workflow.created', definition(HASH.n8n));
    await tell('workflow.deleted');
    await rollcall.post('/api/v1/entities', { ...orders, current_state: 'active' });
  },
  drifted: async () => {
    await rollcall.post('/api/v1/entities', {
      ...orders,
      current_state: 'active',
      definition_hash: HASH.registered,
    });
    await tell('workflow.updated', definition(HASH.n8n));
  },
};

const entity = async () => (await rollcall.get('/api/v1/entities/workflow/orders')).body;
const everything = async () => ({ ...(await dumpTenant(rollcall, rollcall.tenant)), api_keys: [] });

describe.each([
  ['unreported', 'register', { current_state: 'active', definition_hash: HASH.n8n }],
  ['missing', 'mark_deleted', { current_state: 'deleted' }],
  ['drifted', 'accept_drift', { definition_hash: HASH.n8n, version: 'v2' }],
])('%s', (kind, action, after) => {
  async function gapOf() {
    await causes[kind]?.();
    await rollcall.post('/api/v1/gaps/check');
    const { items } = (await rollcall.get('/api/v1/gaps', { query: { kind } })).body;
    expect(items).toHaveLength(1);
    return items[0];
  }

  test(`is closed by ${action}, by default; the undo opens it again`, async () => {
    const gap = await gapOf();
    const before = await entity();
    const { body } = await rollcall.post(`/api/v1/gaps/${gap.id}/fix`);
    expect(body).toMatchObject({ action, gap: { state: 'closed' } });
    expect(await entity()).toMatchObject(after);
    const undone = await rollcall.post(`/api/v1/gaps/fixes/${body.fix_id}/undo`);
    expect(undone.body.gap).toMatchObject({ id: gap.id, state: 'open' });
    expect(await entity()).toEqual({ ...before, updated_at: expect.any(String) });
  });

  test(`shows what ${action} would change, and writes nothing`, async () => {
    const gap = await gapOf();
    const before = await everything();
    const { body } = await rollcall.post(`/api/v1/gaps/${gap.id}/fix`, { dry_run: true });
    expect(body).toMatchObject({ action, gap: { state: 'closed' } });
    const fields = body.changes.map(({ field }: { field: string }) => field);
    expect(fields).toEqual(
      expect.arrayContaining(kind === 'drifted' ? ['definition_hash'] : ['current_state']),
    );
    expect(await everything()).toEqual(before);
  });
});
