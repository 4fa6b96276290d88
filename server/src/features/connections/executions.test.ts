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

test('of runs that n8n does not save its inventory tells nothing', async () => {
  await tenant.post('/api/v1/entities', {
    entity_type: 'workflow',
    entity_id: 'one',
    current_state: 'active',
  });
  await connectN8n(tenant, n8n, { saves_no_success: true });
  await tenant.post('/api/v1/gaps/check');
  const { items } = (await tenant.get('/api/v1/gaps')).body;
  expect(items).toMatchObject([{ kind: 'uninstrumented', entity_id: 'one', grade: 'certain' }]);
});
