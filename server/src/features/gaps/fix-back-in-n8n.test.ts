import { fixableFleet, workflowOf } from '../../../../test/rollcall/fixable-fleet.ts';
import { startFixableN8n, type FixableN8n } from '../../../../test/rollcall/fixable-n8n.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';
import { readWorkflow } from '../n8n/read-workflow.ts';

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
});
afterEach(() => n8n.stop());

const VERSION = '5b8c8f1e-84c6-4a3a-93ab-e3e2b9629bc0';
const approved = workflowOf('orders', { versionId: VERSION, activeVersionId: VERSION });
const edited = { ...approved, nodes: approved.nodes.slice(0, 1), versionId: 'v2' };
const orders = () => n8n.workflows.get('orders') as typeof approved;
const actions = (gap: { fixes: { action: string }[] } | undefined) =>
  gap?.fixes.map(({ action }) => action);

describe('a drifted workflow', () => {
  /** Registered by somebody as n8n had it, and edited there since. */
  async function drifted() {
    const { definition_hash } = readWorkflow(approved);
    await fleet.register('orders', { definition_hash, version: VERSION, current_state: 'active' });
    n8n.versions.set(VERSION, approved);
    await fleet.tell({ ...edited, activeVersionId: 'v2' });
    const [gap] = await fleet.gaps({ kind: 'drifted' });
    return gap;
  }

  test('is put back as it was registered, in n8n, and as it was edited by the undo', async () => {
    await fleet.connect();
    const gap = await drifted();
    expect(actions(gap)).toEqual(['accept_drift', 'restore', 'mute']);
    const restored = await fleet.fix(gap, { action: 'restore' });
    expect([restored.status, restored.gap.state]).toEqual(['done', 'closed']);
    expect(orders().nodes).toEqual(approved.nodes);
    expect((await fleet.undo(restored)).gap).toMatchObject({ id: gap?.id, state: 'open' });
    expect(orders().nodes).toEqual(edited.nodes);
  });

  test('shows what would come back, and changes nothing', async () => {
    await fleet.connect();
    const { changes } = await fleet.fix(await drifted(), { action: 'restore', dry_run: true });
    expect(changes.map(({ field }) => field)).toEqual(['nodes.Set']);
    expect(n8n.changes).toEqual([]);
  });

  test('stays as it is when n8n has dropped the version', async () => {
    await fleet.connect();
    const gap = await drifted();
    n8n.versions.clear();
    const { status, body } = await rollcall.post(`/api/v1/gaps/${gap?.id}/fix`, {
      action: 'restore',
    });
    expect([status, body.code]).toEqual([409, 'version_not_kept']);
    expect(n8n.changes).toEqual([]);
  });

  test('keeps work that nobody has published yet', async () => {
    await fleet.connect();
    const gap = await drifted();
    n8n.workflows.set('orders', { ...edited, activeVersionId: VERSION });
    const { status, body } = await rollcall.post(`/api/v1/gaps/${gap?.id}/fix`, {
      action: 'restore',
    });
    expect([status, body.code]).toEqual([409, 'unpublished_changes']);
    expect(n8n.changes).toEqual([]);
  });

  test('is not offered back where nothing leads to its n8n', async () => {
    expect(actions(await drifted())).toEqual(['accept_drift', 'mute']);
  });
});

describe('what depends on a workflow that n8n has inactive', () => {
  async function broken() {
    await fleet.tell(workflowOf('billing', { active: false }));
    await fleet.register('shop', {
      current_state: 'active',
      dependencies: [{ entity_type: 'workflow', entity_id: 'billing' }],
    });
    const [gap] = await fleet.gaps({ kind: 'broken_dependency' });
    return gap;
  }

  test('works again when that is published in n8n, and no longer when it is undone', async () => {
    await fleet.connect();
    const gap = await broken();
    expect(actions(gap)).toEqual(['reactivate', 'set_state', 'drop_dependency', 'mute']);
    const fixed = await fleet.fix(gap);
    expect(fixed.changes).toMatchObject([{ entity: { entity_id: 'billing' }, field: 'active' }]);
    expect([fixed.action, fixed.gap.state]).toEqual(['reactivate', 'closed']);
    expect(n8n.workflows.get('billing')?.active).toBe(true);
    expect((await fleet.entity('billing')).current_state).toBe('active');
    expect((await fleet.undo(fixed)).gap).toMatchObject({ id: gap?.id, state: 'open' });
    expect(n8n.workflows.get('billing')?.active).toBe(false);
    expect((await fleet.entity('billing')).current_state).toBe('inactive');
  });

  test('is for the registry to put right where nothing leads to its n8n', async () => {
    expect(actions(await broken())).toEqual(['set_state', 'drop_dependency', 'mute']);
  });
});
