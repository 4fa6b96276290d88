import { connectN8n, syncAgain } from '../../../../test/rollcall/connected.ts';
import {
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
  const calls = {
    id: 'call',
    name: 'Call',
    type: 'n8n-nodes-base.executeWorkflow',
    typeVersion: 1.2,
    position: [0, 200],
    parameters: { source: 'database', workflowId: { __rl: true, mode: 'list', value: 'two' } },
  };
  const one = n8nWorkflow('one');
  n8n = await startN8nServer([{ ...one, nodes: [...one.nodes, calls] }, n8nWorkflow('two')]);
});
afterEach(() => n8n.stop());
afterAll(() => rollcall.stop());

const entity = async (id: string) => (await tenant.get(`/api/v1/entities/workflow/${id}`)).body;
const check = () => tenant.post('/api/v1/gaps/check');
const gaps = async () => (await tenant.get('/api/v1/gaps')).body.items;
const gapOf = async (entity_id: string) => {
  await check();
  const [gap] = (await tenant.get('/api/v1/gaps', { query: { entity_id } })).body.items;
  return gap;
};
const again = async (id: string) => {
  tenant.clock.advance(1000);
  return (await syncAgain(tenant, id)).last_result;
};

test('what is registered after it was read is read again, once', async () => {
  const { id } = await connectN8n(tenant, n8n);
  await check();
  for (const gap of await gaps()) await tenant.post(`/api/v1/gaps/${gap.id}/fix`);
  expect(await again(id)).toMatchObject({ kind: 'delta', applied: 2 });
  expect(await entity('one')).toMatchObject({
    capabilities: expect.arrayContaining(['app:slack', 'webhook:one']),
    depends_on: [{ entity_type: 'workflow', entity_id: 'two', origin: 'extracted' }],
    tags: ['finance'],
    registered_by: expect.not.stringContaining('n8n'),
  });
  expect(await again(id)).toMatchObject({ kind: 'delta', applied: 0 });
});

test('it counts as vanished all the same when it is gone by then', async () => {
  const { id } = await connectN8n(tenant, n8n);
  await tenant.post(`/api/v1/gaps/${(await gapOf('one')).id}/fix`);
  n8n.workflows.splice(0, 1);
  expect(await again(id)).toMatchObject({ vanished: ['one'] });
});

test('what n8n says of it since does not stand in the way of an undo; what somebody says does', async () => {
  const { id } = await connectN8n(tenant, n8n);
  const gap = await gapOf('one');
  const fix = async () => (await tenant.post(`/api/v1/gaps/${gap.id}/fix`)).body.fix_id as string;
  const undo = (fixId: string) => tenant.post(`/api/v1/gaps/fixes/${fixId}/undo`);
  const first = await fix();
  await again(id);
  expect((await undo(first)).body.gap).toMatchObject({ id: gap.id, state: 'open' });
  expect((await tenant.get('/api/v1/entities/workflow/one')).status).toBe(404);
  const second = await fix();
  await again(id);
  const mine = { entity_type: 'workflow', entity_id: 'one', tags: ['mine', 'finance'] };
  await tenant.post('/api/v1/entities', mine);
  const { status, body } = await undo(second);
  expect([status, body.code, body.errors[0].path]).toEqual([409, 'changed_since', 'tags']);
});
