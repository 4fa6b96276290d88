import { fixableFleet, workflowOf } from '../../../../test/rollcall/fixable-fleet.ts';
import { startFixableN8n, type FixableN8n } from '../../../../test/rollcall/fixable-n8n.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';

let server: TestRollcall;
let rollcall: FreshTenant;
let n8n: FixableN8n;
let fleet: ReturnType<typeof fixableFleet>;
beforeAll(async () => {
  server = await startTestRollcall();
});
afterAll(() => server.stop());
beforeEach(async () => {
  n8n = await startFixableN8n();
  rollcall = await freshTenant(server);
  fleet = fixableFleet(rollcall, n8n);
  await fleet.connect();
});
afterEach(() => n8n.stop());

const kinds = async () => (await fleet.gaps()).map(({ kind, entity_id }) => `${kind} ${entity_id}`);

test('an instrumented workflow has not drifted, nor has it when that is undone', async () => {
  await fleet.tell(workflowOf('orders'));
  const { definition_hash } = await fleet.entity('orders');
  const [gap] = await fleet.gaps();
  const fixed = await fleet.fix(gap);
  expect([fixed.action, fixed.gap.state]).toEqual(['instrument', 'closed']);
  expect(await kinds()).toEqual([]);
  const instrumented = await fleet.entity('orders');
  expect(instrumented.definition_hash).not.toBe(definition_hash);
  expect(instrumented.capabilities).toContain('app:rollcall');
  expect((await fleet.undo(fixed)).gap.state).toBe('open');
  expect(await kinds()).toEqual(['uninstrumented orders']);
  expect(await fleet.entity('orders')).toMatchObject({
    definition_hash,
    capabilities: expect.not.arrayContaining(['app:rollcall']),
  });
});

test('one that had drifted before has drifted after', async () => {
  await fleet.register('orders', { definition_hash: `sha256:${'0'.repeat(64)}` });
  await fleet.tell(workflowOf('orders'));
  const [gap] = await fleet.gaps({ kind: 'uninstrumented' });
  await fleet.fix(gap);
  expect(await kinds()).toEqual(['drifted orders']);
});

test('what is published again has its time to report from then on', async () => {
  await fleet.tell(workflowOf('orders', { active: false }));
  await fleet.register('orders', { current_state: 'active', silent_after_seconds: 60 });
  rollcall.clock.advance(600_000);
  const [gap] = await fleet.gaps({ kind: 'silent' });
  expect((await fleet.fix(gap)).gap.state).toBe('closed');
  rollcall.clock.advance(50_000);
  expect(await kinds()).toEqual(['uninstrumented orders']);
  rollcall.clock.advance(11_000);
  expect(await fleet.gaps({ state: 'inhibited' })).toMatchObject([
    { id: gap?.id, evidence: { n8n_state: 'active' } },
  ]);
});

test('what n8n keeps as a draft because it may not publish it is taken back', async () => {
  const orders = workflowOf('orders');
  await fleet.tell(orders);
  const [gap] = await fleet.gaps();
  n8n.trouble = { status: 403, after: true, times: 2 };
  const { status, body } = await rollcall.post(`/api/v1/gaps/${gap?.id}/fix`);
  expect([status, body.code]).toEqual([422, 'n8n_key_lacks_scope']);
  expect(n8n.changes).toEqual(['PUT workflow', 'PUT workflow']);
  expect(n8n.workflows.get('orders')).toMatchObject({
    nodes: orders.nodes,
    connections: orders.connections,
  });
  expect(await kinds()).toEqual(['uninstrumented orders']);
});
