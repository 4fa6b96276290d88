import { randomUUID } from 'node:crypto';
import type { Gap } from '@rollcall/client/contract';
import { connectN8n, CONNECTIONS, syncAgain } from '../../../../test/rollcall/connected.ts';
import { originOf } from '../../../../test/rollcall/n8n-events.ts';
import {
  n8nExecution,
  n8nWorkflow,
  startN8nServer,
  type N8nServer,
} from '../../../../test/rollcall/n8n-server.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';

let rollcall: TestRollcall;
let tenant: FreshTenant;
let n8n: N8nServer;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
beforeEach(async () => {
  tenant = await freshTenant(rollcall);
  n8n = await startN8nServer([n8nWorkflow('one'), n8nWorkflow('two', { active: false })]);
});
afterEach(() => n8n.stop());
afterAll(() => rollcall.stop());

const known = async (query: Record<string, string> = {}) =>
  (await tenant.get('/api/v1/n8n/workflows', { query })).body.items;
const executions = async (query: Record<string, string> = {}) =>
  (await tenant.get('/api/v1/executions', { query })).body.items;
const register = (entity_id: string) =>
  tenant.post('/api/v1/entities', { entity_type: 'workflow', entity_id, current_state: 'active' });
const entity = async (id: string) => (await tenant.get(`/api/v1/entities/workflow/${id}`)).body;
const gaps = async (): Promise<string[]> =>
  ((await tenant.get('/api/v1/gaps')).body.items as Gap[])
    .map(({ kind, entity_id }) => `${kind} ${entity_id}`)
    .sort();
const later = () => tenant.clock.advance(1000);
const hooksInventory = (instance_id: string, workflows: object[]) =>
  tenant.post('/api/v1/n8n/webhook', {
    ...originOf({ instance_id, occurred_at: tenant.clock.now().toISOString() }),
    kind: 'inventory',
    inventory: {
      id: randomUUID(),
      started_at: tenant.clock.now().toISOString(),
      page: 1,
      pages: 1,
      complete: true,
      workflows,
    },
  });

describe('an inventory', () => {
  test('has what it changed compared before it ends', async () => {
    const { id } = await connectN8n(tenant, n8n);
    expect(await gaps()).toEqual(['unreported one', 'unreported two']);
    n8n.workflows.pop();
    later();
    await syncAgain(tenant, id);
    expect(await gaps()).toEqual(['unreported one']);
  });

  test('has its gaps call the instance as its connection is called', async () => {
    const { id } = await connectN8n(tenant, n8n, { name: 'Production' });
    const [gap] = (await tenant.get('/api/v1/gaps', { query: { entity_id: 'one' } })).body.items;
    expect(gap.summary).toBe(
      'Workflow one is a workflow of the n8n instance Production, but is not registered.',
    );
    expect(gap.evidence.instance_id).toBe(`connection:${id}`);
  });

  test('tells all workflows of a connection, with tags, project and what they hold', async () => {
    n8n.licensed = true;
    const { id, instance_id, instance_by, last_result, last_error, workflows } = await connectN8n(
      tenant,
      n8n,
    );
    expect(last_error).toBeNull();
    expect([instance_id, instance_by]).toEqual([`connection:${id}`, 'unknown']);
    expect(last_result).toMatchObject({ kind: 'full', workflows: 2, applied: 2, projects: true });
    expect(workflows).toEqual({ total: 2, active: 1, gone: 0 });
    expect(await known()).toMatchObject([
      {
        instance_id,
        workflow_id: 'one',
        name: 'Workflow one',
        active: true,
        state_cause: 'inventory',
        version_id: n8n.workflows[0]?.versionId,
        definition_hash: expect.stringMatching(/^sha256:/),
        project: { id: 'pRj0000000000001', name: 'Billing', type: 'team' },
        tags: ['finance'],
        node_count: 2,
        registered: false,
      },
      { workflow_id: 'two', active: false },
    ]);
  });

  test('registers nothing, but brings what is registered up to date', async () => {
    await register('one');
    await connectN8n(tenant, n8n);
    expect((await tenant.get('/api/v1/entities/workflow/two')).status).toBe(404);
    expect(await entity('one')).toMatchObject({
      capabilities: expect.arrayContaining(['app:slack', 'credential:slackApi', 'webhook:one']),
      tags: ['finance'],
    });
  });

  test('reads page after page', async () => {
    n8n.workflows = Array.from({ length: 23 }, (_, place) => n8nWorkflow(`w${place}`));
    n8n.pageSize = 10;
    const { last_result, workflows } = await connectN8n(tenant, n8n);
    expect([last_result?.workflows, workflows.total]).toEqual([23, 23]);
  });

  test('marks what vanished as gone, and what comes back as there', async () => {
    await register('one');
    const { id } = await connectN8n(tenant, n8n);
    const [one] = n8n.workflows.splice(0, 1);
    later();
    expect((await syncAgain(tenant, id)).last_result).toMatchObject({
      workflows: 1,
      vanished: ['one'],
      vanished_count: 1,
    });
    expect(await known({ deleted: 'true' })).toMatchObject([
      { workflow_id: 'one', state_cause: 'inventory without it' },
    ]);
    expect((await entity('one')).current_state).toBe('active');
    if (one) n8n.workflows.push(one);
    later();
    await syncAgain(tenant, id);
    expect(await known({ deleted: 'true' })).toEqual([]);
  });

  test('applies only what differs', async () => {
    const { id } = await connectN8n(tenant, n8n);
    later();
    expect((await syncAgain(tenant, id)).last_result).toMatchObject({ kind: 'delta', applied: 0 });
    const [one] = n8n.workflows;
    Object.assign(one ?? {}, { name: 'Renamed', staticData: { polls: 1 } });
    later();
    expect((await syncAgain(tenant, id)).last_result).toMatchObject({ applied: 1, workflows: 2 });
    expect(await known({ workflow_id: 'one' })).toMatchObject([{ name: 'Renamed' }]);
  });

  test('loses none when pages shift while they are read', async () => {
    n8n.workflows = ['a', 'b', 'c', 'd'].map((id) => n8nWorkflow(id));
    const { id } = await connectN8n(tenant, n8n);
    n8n.pageSize = 2;
    n8n.before = (request) => {
      if (request.includes('cursor')) n8n.workflows = n8n.workflows.filter((one) => one.id !== 'a');
    };
    later();
    const { last_result } = await syncAgain(tenant, id);
    expect(last_result).toMatchObject({ vanished: [], workflows: 4 });
    later();
    expect((await syncAgain(tenant, id)).last_result).toMatchObject({ vanished: ['a'] });
  });

  test('that fails half-way writes nothing, and says why', async () => {
    const { id } = await connectN8n(tenant, n8n);
    n8n.workflows = [n8nWorkflow('three')];
    n8n.fail(/GET .*workflows/, { status: 200, body: '<html>Sign in</html>' });
    later();
    const { last_error, last_result } = await syncAgain(tenant, id);
    expect(last_error).toMatchObject({ code: 'n8n_answers_html' });
    expect(last_result?.workflows).toBe(2);
    expect((await known()).map(({ workflow_id }: { workflow_id: string }) => workflow_id)).toEqual([
      'one',
      'two',
    ]);
  });

  test('tries again while n8n is busy, as it asks to', async () => {
    const { id } = await connectN8n(tenant, n8n);
    n8n.fail(
      /GET .*workflows/,
      { status: 429, headers: { 'retry-after': '0' } },
      { status: 500, headers: { 'retry-after': '0' } },
      { status: 200, cut: true },
    );
    later();
    const { last_error, last_result } = await syncAgain(tenant, id);
    expect([last_error, last_result?.workflows]).toEqual([null, 2]);
  });

  test('of two instances keeps equal ids apart', async () => {
    const other = await startN8nServer([n8nWorkflow('one', { name: 'Another one' })]);
    const here = await connectN8n(tenant, n8n);
    const there = await connectN8n(tenant, other);
    await other.stop();
    expect(await known({ workflow_id: 'one' })).toHaveLength(2);
    expect(await known({ workflow_id: 'one', instance_id: there.instance_id })).toMatchObject([
      { name: 'Another one' },
    ]);
    expect(await known({ workflow_id: 'one', instance_id: here.instance_id })).toMatchObject([
      { name: 'Workflow one' },
    ]);
  });
});

describe('executions', () => {
  test('come along, each once, and open ones until they end', async () => {
    n8n.executions = [
      n8nExecution(3, 'one', { status: 'running', finished: false, stoppedAt: null }),
      n8nExecution(2, 'one', { status: 'error', finished: false }),
      n8nExecution(1, 'two'),
    ];
    const { id, instance_id, last_result } = await connectN8n(tenant, n8n);
    expect(last_result).toMatchObject({ executions: 3 });
    expect(await executions({ instance_id })).toMatchObject([
      { execution_id: '3', status: 'running', sources: ['sync'] },
      { execution_id: '2', status: 'error', duration_ms: 250 },
      { execution_id: '1', status: 'success', mode: 'webhook' },
    ]);
    n8n.executions = [n8nExecution(4, 'one'), n8nExecution(3, 'one'), ...n8n.executions.slice(1)];
    later();
    expect((await syncAgain(tenant, id)).last_result).toMatchObject({ executions: 2 });
    expect((await executions()).map(({ status }: { status: string }) => status)).toEqual([
      'success',
      'success',
      'error',
      'success',
    ]);
  });
});

describe('the instance', () => {
  test('that hooks tell of, too, is known by the versions of its workflows', async () => {
    const told = n8n.workflows.map(({ id, versionId }) => ({ id, version_id: versionId }));
    await hooksInventory('prod', told);
    later();
    const { instance_id, instance_by } = await connectN8n(tenant, n8n);
    expect([instance_id, instance_by]).toEqual(['prod', 'evidence']);
    expect(await known()).toMatchObject([{ instance_id: 'prod' }, { instance_id: 'prod' }]);
  });

  test('is recognised later, and takes along what was known', async () => {
    n8n.executions = [n8nExecution(2, 'one'), n8nExecution(1, 'one')];
    const { id } = await connectN8n(tenant, n8n);
    const told = n8n.workflows.map(({ id: workflow, versionId }) => ({
      id: workflow,
      version_id: versionId,
    }));
    await hooksInventory('prod', told);
    await tenant.post('/api/v1/executions/ingest', {
      execution_id: '1',
      instance_id: 'prod',
      workflow_id: 'one',
      status: 'success',
      source: 'hooks',
    });
    later();
    const { instance_id } = await syncAgain(tenant, id);
    expect(instance_id).toBe('prod');
    const instances = (await tenant.get('/api/v1/n8n/instances')).body.items;
    expect(instances).toMatchObject([{ instance_id: 'prod', workflows: { total: 2 } }]);
    expect(
      (await executions()).map((run: { instance_id: string; execution_id: string }) => [
        run.instance_id,
        run.execution_id,
      ]),
    ).toEqual(
      expect.arrayContaining([
        ['prod', '1'],
        ['prod', '2'],
      ]),
    );
    expect(await executions()).toHaveLength(2);
  });

  test('is not guessed where two could be meant, and is then for the operator to say', async () => {
    const told = n8n.workflows.map(({ id, versionId }) => ({ id, version_id: versionId }));
    await hooksInventory('prod', told);
    await hooksInventory('copy', told);
    later();
    const { id, instance_by } = await connectN8n(tenant, n8n);
    expect(instance_by).toBe('unknown');
    const said = await tenant.call('PATCH', `${CONNECTIONS}/${id}`, { instance_id: 'copy' });
    expect(said.body).toMatchObject({ instance_id: 'copy', instance_by: 'operator' });
    expect((await known({ instance_id: `connection:${id}` })).length).toBe(0);
  });
});
