import { connectN8n, syncAgain } from '../../../../test/rollcall/connected.ts';
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
  n8n = await startN8nServer([n8nWorkflow('one')]);
});
afterEach(() => n8n.stop());
afterAll(() => rollcall.stop());

const open = { status: 'running', finished: false, stoppedAt: null };
const statuses = async () => {
  const { items } = (await tenant.get('/api/v1/executions')).body;
  return items.map(
    (one: { execution_id: string; status: string }) => `${one.execution_id} ${one.status}`,
  );
};

test('a run that outlasts later ones is known while it runs, and so is its end', async () => {
  n8n.executions = [n8nExecution(3, 'one'), n8nExecution(2, 'one', open), n8nExecution(1, 'one')];
  const { id } = await connectN8n(tenant, n8n);
  expect(await statuses()).toEqual(['3 success', '2 running', '1 success']);
  n8n.executions = [4, 3, 2, 1].map((number) => n8nExecution(number, 'one'));
  tenant.clock.advance(1000);
  await syncAgain(tenant, id);
  expect(await statuses()).toEqual(['4 success', '3 success', '2 success', '1 success']);
});

test('an n8n that does not list what runs is read all the same', async () => {
  n8n.executions = [n8nExecution(1, 'one')];
  n8n.fail(/status=running/, { status: 400, body: '{"message":"status must be one of: error"}' });
  expect((await connectN8n(tenant, n8n)).last_error).toBeNull();
  expect(await statuses()).toEqual(['1 success']);
});

describe('an active workflow', () => {
  const gaps = async () => {
    await tenant.post('/api/v1/gaps/check');
    return (await tenant.get('/api/v1/gaps')).body.items;
  };
  beforeEach(async () => {
    n8n.workflows.push(n8nWorkflow('two'));
    n8n.executions = [n8nExecution(1, 'two', { status: 'error', finished: false })];
    for (const entity_id of ['one', 'two']) {
      const entity = { entity_type: 'workflow', entity_id, current_state: 'active' };
      await tenant.post('/api/v1/entities', entity);
    }
  });

  test('is uninstrumented where n8n saves no run that went well, whatever else it lists', async () => {
    await connectN8n(tenant, n8n, { saves_no_success: true });
    expect(await gaps()).toMatchObject([
      { kind: 'uninstrumented', entity_id: 'one', grade: 'certain' },
    ]);
  });

  test('is not because its n8n does not answer for the moment', async () => {
    const { id } = await connectN8n(tenant, n8n);
    n8n.fail(/workflows\?/, { status: 401 });
    expect((await syncAgain(tenant, id)).last_error?.code).toBe('n8n_key_refused');
    expect(await gaps()).toEqual([]);
  });
});
