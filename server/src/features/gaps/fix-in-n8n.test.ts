import { editWorkflow } from '@rollcall/client/contract';
import { dumpTenant } from '../../../../test/rollcall/dump.ts';
import { startFixableN8n, type FixableN8n } from '../../../../test/rollcall/fixable-n8n.ts';
import { originOf } from '../../../../test/rollcall/n8n-events.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';

let server: TestRollcall;
let rollcall: FreshTenant;
let n8n: FixableN8n;
beforeAll(async () => {
  server = await startTestRollcall();
});
afterAll(() => server.stop());
beforeEach(async () => {
  n8n = await startFixableN8n();
  rollcall = await freshTenant(server);
});
afterEach(() => n8n.stop());

const INSTANCE = 'instance-one';
const workflow = {
  id: 'orders',
  name: 'Orders',
  active: true,
  versionId: 'v1',
  nodes: [
    { id: 'a', name: 'Hook', type: 'n8n-nodes-base.webhook', position: [0, 0], parameters: {} },
    { id: 'b', name: 'Set', type: 'n8n-nodes-base.set', position: [220, 0], parameters: {} },
  ],
  connections: { Hook: { main: [[{ node: 'Set', type: 'main', index: 0 }]] } },
  settings: { executionOrder: 'v1' },
};

const fix = (id: string, body?: object) => rollcall.post(`/api/v1/gaps/${id}/fix`, body);
const undo = (id: string) => {
  rollcall.clock.advance(10);
  return rollcall.post(`/api/v1/gaps/fixes/${id}/undo`);
};
const retry = (id: string) => rollcall.post(`/api/v1/gaps/fixes/${id}/retry`);
const entity = async () => (await rollcall.get('/api/v1/entities/workflow/orders')).body;
const record = async () => (await rollcall.get('/api/v1/gaps/fixes')).body.items;
const everything = async () => ({ ...(await dumpTenant(rollcall, rollcall.tenant)), api_keys: [] });
const stored = () => n8n.workflows.get('orders') as typeof workflow;
const isInstrumented = () =>
  stored().nodes.some(({ type }) => type.startsWith('n8n-nodes-rollcall.'));

async function connect() {
  // Paused: nobody reads it but the fixes.
  const { status, body } = await rollcall.post('/api/v1/n8n/connections', {
    base_url: n8n.url,
    api_key: n8n.apiKey,
    instance_id: INSTANCE,
    paused: true,
    check: false,
  });
  expect([status, body.code]).toEqual([201, undefined]);
}

/** n8n has it so, and says so. */
async function tellOf(active: boolean) {
  n8n.workflows.set('orders', { ...workflow, active });
  const occurred_at = rollcall.clock.now().toISOString();
  const event = {
    ...originOf({ instance_id: INSTANCE, occurred_at }),
    kind: 'workflow.created',
    workflow: { id: 'orders', name: 'Orders', active },
  };
  const { status } = await rollcall.post('/api/v1/n8n/webhook', event);
  expect(status).toBe(200);
}

async function gapOf(kind: string) {
  await rollcall.post('/api/v1/gaps/check');
  const { items } = (await rollcall.get('/api/v1/gaps', { query: { kind } })).body;
  expect(items).toHaveLength(1);
  return items[0];
}

/** Active by the registry and in n8n, and nothing would tell of its runs. */
async function uninstrumented() {
  await tellOf(true);
  return gapOf('uninstrumented');
}

/** Active by the registry, which hears nothing, and inactive in n8n. */
async function silent() {
  await tellOf(false);
  const orders = { entity_type: 'workflow', entity_id: 'orders' };
  await rollcall.post('/api/v1/entities', {
    ...orders,
    silent_after_seconds: 60,
    current_state: 'active',
  });
  rollcall.clock.advance(600_000);
  return gapOf('silent');
}

describe('instrumenting in n8n', () => {
  test('shows the nodes that would come, and writes nothing, here or there', async () => {
    await connect();
    const gap = await uninstrumented();
    const before = await everything();
    const { status, body } = await fix(gap.id, { dry_run: true });
    expect([status, body.action, body.fix_id, body.dry_run]).toEqual([
      200,
      'instrument',
      null,
      true,
    ]);
    const fields = body.changes.map(({ field }: { field: string }) => field);
    expect(fields).toContain('nodes.Rollcall start');
    expect(fields).toContain('connections.Hook');
    expect(n8n.changes).toEqual([]);
    expect(await everything()).toEqual(before);
  });

  test('puts them in, keeps the version before, and the undo puts that back', async () => {
    await connect();
    const gap = await uninstrumented();
    const { body } = await fix(gap.id);
    expect(body).toMatchObject({ action: 'instrument', status: 'done', dry_run: false });
    expect(body.gap.state).toBe('closed');
    expect(n8n.changes).toEqual(['PUT workflow']);
    expect(isInstrumented()).toBe(true);
    expect(await record()).toMatchObject([{ id: body.fix_id, status: 'done', error: null }]);

    const undone = await undo(body.fix_id);
    expect(undone.body.fix).toMatchObject({ status: 'undone' });
    expect(undone.body.gap).toMatchObject({ id: gap.id, state: 'open' });
    expect(stored()).toMatchObject({ nodes: workflow.nodes, connections: workflow.connections });
    expect((await undo(body.fix_id)).body.code).toBe('already_undone');
  });

  test('an undo is refused when the workflow was changed in n8n since, and names what', async () => {
    await connect();
    const { fix_id } = (await fix((await uninstrumented()).id)).body;
    n8n.workflows.set('orders', { ...stored(), name: 'Renamed by somebody' });
    const { status, body } = await undo(fix_id);
    expect([status, body.code, body.errors[0].path]).toEqual([409, 'changed_since', 'name']);
    expect(n8n.changes).toHaveLength(1);
    expect(await record()).toMatchObject([{ status: 'done' }]);
  });

  test('of a workflow that has them is nothing to do', async () => {
    await connect();
    const gap = await uninstrumented();
    n8n.workflows.set('orders', editWorkflow({ workflow }).workflow);
    const { status, body } = await fix(gap.id);
    expect([status, body.code]).toEqual([409, 'nothing_to_change']);
  });

  test('a refusal of n8n is kept as a failure', async () => {
    await connect();
    const gap = await uninstrumented();
    n8n.trouble = { status: 400, after: false };
    const { status, body } = await fix(gap.id);
    expect([status, body.code]).toEqual([422, 'n8n_refused']);
    const [failed] = await record();
    expect(failed).toMatchObject({ id: body.fix_id, status: 'failed' });
    expect(failed.error).toContain('request/body is refused');
    expect((await undo(failed.id)).body.code).toBe('fix_failed');
  });

  test('without a connection says what to do, and keeps no record', async () => {
    const gap = await uninstrumented();
    const { status, body } = await fix(gap.id);
    expect([status, body.code]).toEqual([409, 'no_connection']);
    expect(await record()).toEqual([]);
  });

  test('of a workflow that is gone by now is a 404 with n8n’s reason', async () => {
    await connect();
    const gap = await uninstrumented();
    n8n.workflows.clear();
    const { status, body } = await fix(gap.id);
    expect([status, body.code]).toEqual([404, 'n8n_workflow_not_found']);
  });

  test('in bulk takes them one by one', async () => {
    await connect();
    await uninstrumented();
    const filter = { kind: 'uninstrumented' };
    const dry = await rollcall.post('/api/v1/gaps/fix', {
      filter,
      action: 'instrument',
      dry_run: true,
    });
    expect(dry.body).toMatchObject({ fixed: 1, refused: 0, check: null });
    expect(n8n.changes).toEqual([]);
    const plain = await rollcall.post('/api/v1/gaps/fix', { filter });
    expect(plain.body.items).toMatchObject([{ status: 'refused', code: 'in_n8n' }]);
    const { body } = await rollcall.post('/api/v1/gaps/fix', { filter, action: 'instrument' });
    expect(body).toMatchObject({ fixed: 1, items: [{ status: 'fixed', action: 'instrument' }] });
    expect(isInstrumented()).toBe(true);
  });
});

describe('publishing again in n8n', () => {
  test('is the first offer where n8n has it inactive, and can be undone', async () => {
    await connect();
    const gap = await silent();
    expect(gap.fixes[0].action).toBe('reactivate');
    const dry = await fix(gap.id, { dry_run: true });
    expect(dry.body.changes).toEqual([
      {
        entity: { entity_type: 'workflow', entity_id: 'orders' },
        field: 'active',
        from: false,
        to: true,
      },
    ]);
    const { body } = await fix(gap.id);
    expect([body.status, body.gap.state, stored().active]).toEqual(['done', 'closed', true]);
    const undone = (await undo(body.fix_id)).body;
    expect([undone.gap.state, stored().active]).toEqual(['open', false]);
    // What the registry expects of it is as before, too.
    expect((await entity()).current_state).toBe('active');
  });

  test('is not on offer where n8n has it active', async () => {
    await connect();
    const gap = await silent();
    await tellOf(true);
    const { body } = await rollcall.get(`/api/v1/gaps/${gap.id}`);
    expect(body.fixes[0].action).toBe('set_state');
  });
});

describe('a fix whose outcome nobody knows', () => {
  test('because n8n gave no clear answer, says why, and can be retried', async () => {
    await connect();
    const gap = await silent();
    n8n.trouble = { status: 503, after: false, times: 10 };
    const { status, body } = await fix(gap.id);
    expect([status, body.code]).toEqual([422, 'n8n_busy']);
    expect(body.detail).toContain(body.fix_id);
    expect(await record()).toMatchObject([
      { id: body.fix_id, status: 'pending', error: expect.stringContaining('503') },
    ]);
    n8n.trouble = undefined;
    expect((await retry(body.fix_id)).body.fix).toMatchObject({ status: 'done', error: null });
    expect(stored().active).toBe(true);
  });

  const interrupted = async (after: boolean) => {
    await connect();
    const gap = await silent();
    // Nothing is known of what a crash leaves behind but the record from before it.
    const { fix_id } = (await fix(gap.id)).body;
    if (!after) n8n.workflows.set('orders', { ...workflow, active: false });
    await rollcall.sql(
      `update rollcall.gap_fixes set status = 'pending', finished_at = null where id = $1`,
      [fix_id],
    );
    n8n.changes.length = 0;
    return { fix_id };
  };

  test('is pending, and stands in the way of another', async () => {
    await connect();
    const gap = await silent();
    n8n.trouble = { status: 503, after: false, times: 10 };
    const { fix_id } = (await fix(gap.id)).body;
    n8n.trouble = undefined;
    expect(
      (await rollcall.get('/api/v1/gaps/fixes', { query: { status: 'pending' } })).body.items,
    ).toHaveLength(1);
    const { status, body } = await fix(gap.id, { action: 'reactivate' });
    expect([status, body.code]).toEqual([409, 'fix_pending']);
    expect(body.detail).toContain(fix_id);
  });

  test.each([
    ['had not done it', false, ['POST activate']],
    ['had done it', true, []],
  ])('is retried: n8n %s', async (_what, after, changes) => {
    const { fix_id } = await interrupted(after);
    const { status, body } = await retry(fix_id);
    expect([status, body.fix.status, stored().active]).toEqual([200, 'done', true]);
    expect(n8n.changes).toEqual(changes);
  });

  test.each([
    ['had not done it', false, []],
    ['had done it', true, ['POST deactivate']],
  ])('is undone: n8n %s', async (_what, after, changes) => {
    const { fix_id } = await interrupted(after);
    const { status, body } = await undo(fix_id);
    expect([status, body.fix.status, stored().active]).toEqual([200, 'undone', false]);
    expect(n8n.changes).toEqual(changes);
  });
});
