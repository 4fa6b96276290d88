import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dumpTenant } from '../../../../test/rollcall/dump.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
afterAll(() => rollcall.stop());

const folder = join(import.meta.dirname, '../../../../test/fixtures/workflows');
const register = (entity_id: string, more: object = {}) =>
  rollcall.post('/api/v1/entities', { entity_type: 'workflow', entity_id, ...more });
const detail = async (entity_id: string) =>
  (await rollcall.get(`/api/v1/entities/workflow/${entity_id}`)).body;
const workflow = (entity_id: string) => ({ entity_type: 'workflow', entity_id });

const hook = {
  name: 'Hook',
  type: 'n8n-nodes-base.webhook',
  parameters: { path: 'orders/new' },
};
const calls = (id: string) => ({
  name: `Call ${id}`,
  type: 'n8n-nodes-base.executeWorkflow',
  parameters: { workflowId: id },
});
const mcp = {
  name: 'Tools',
  type: '@n8n/n8n-nodes-langchain.mcpClientTool',
  parameters: { endpointUrl: 'https://mcp.example.com/tools' },
};

test.each(readdirSync(folder).filter((file) => file.endsWith('.json')))(
  '%s is registered with what its nodes say',
  async (file) => {
    const id = file.slice(0, 2);
    const json = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { name?: string };
    const { status, body } = await register(id, { workflow: json });
    expect(status).toBe(201);
    expect(body.entity.capabilities.join()).toContain('trigger:');
    expect(body.entity.definition_hash).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(body.entity.metadata.n8n).toMatchObject({ node_count: expect.any(Number) });
    expect(body.entity.entity_name).toBe(json.name ?? id);
  },
);

test('capabilities, dependencies, name, hash and metadata come from the JSON', async () => {
  const json = { name: 'New orders', nodes: [hook, calls('stock'), mcp] };
  const { body } = await register('orders', { workflow: json });
  expect(body.entity).toMatchObject({
    entity_name: 'New orders',
    metadata: { n8n: { webhook_paths: ['orders/new'], node_count: 3 } },
  });
  expect(body.entity.capabilities).toEqual(
    expect.arrayContaining(['trigger:webhook', 'webhook:orders/new', 'sub-workflow:stock']),
  );
  expect((await detail('orders')).depends_on).toEqual([
    { entity_type: 'mcp_server', entity_id: 'mcp.example.com/tools', origin: 'extracted' },
    { ...workflow('stock'), origin: 'extracted' },
  ]);
});

test('the caller has the last word, and capabilities are united', async () => {
  const { body } = await register('named', {
    entity_name: 'My name',
    definition_hash: 'mine',
    capabilities: ['billing'],
    metadata: { owner: 'ops' },
    workflow: { name: 'Its name', nodes: [hook] },
  });
  expect(body.entity).toMatchObject({
    entity_name: 'My name',
    definition_hash: 'mine',
    metadata: { owner: 'ops', n8n: { node_count: 1 } },
  });
  expect(body.entity.capabilities).toEqual(['billing', 'trigger:webhook', 'webhook:orders/new']);
});

describe('registering again', () => {
  const n8n = { webhook_paths: ['orders/new'], node_count: 1 };

  test('with metadata and without the JSON keeps what the JSON said', async () => {
    await register('kept', { workflow: { nodes: [hook] }, metadata: { owner: 'ops', old: 1 } });
    const { body } = await register('kept', { metadata: { owner: 'dev' } });
    expect(body.entity.metadata).toEqual({ owner: 'dev', n8n: expect.objectContaining(n8n) });
    const told = await register('kept', { metadata: { n8n: { instance_id: 'i', node_count: 7 } } });
    expect(told.body.entity.metadata).toEqual({
      n8n: expect.objectContaining({ ...n8n, instance_id: 'i', node_count: 7 }),
    });
    const anew = await register('kept', { workflow: { nodes: [mcp] } });
    expect(anew.body.entity.metadata.n8n).toMatchObject({ instance_id: 'i', webhook_paths: [] });
  });

  test('with metadata whose n8n is no object takes it as it is', async () => {
    await register('plain', { workflow: { nodes: [hook] } });
    const { body } = await register('plain', { metadata: { n8n: 'none' } });
    expect(body.entity.metadata).toEqual({ n8n: 'none' });
  });

  test('does not gather more than metadata may hold', async () => {
    const large = 'x'.repeat(60_000);
    await register('large', { metadata: { n8n: { one: large } } });
    const { body } = await register('large', { metadata: { n8n: { two: large } } });
    expect(body.entity.metadata).toEqual({ n8n: { two: large } });
  });

  test('with the JSON alone keeps the declared capabilities, and replaces the extracted ones', async () => {
    const capabilities = async (more: object) =>
      (await register('able', more)).body.entity.capabilities;
    await capabilities({ capabilities: ['billing'], workflow: { nodes: [hook] } });
    expect(await capabilities({ workflow: { nodes: [calls('stock')] } })).toEqual(
      expect.arrayContaining(['billing', 'sub-workflow:stock']),
    );
    expect(await capabilities({ workflow: { nodes: [calls('stock')] } })).not.toContain(
      'trigger:webhook',
    );
    const declared = await capabilities({ capabilities: ['support', 'sub-workflow:stock'] });
    expect(declared).toEqual(expect.arrayContaining(['sub-workflow:stock', 'support']));
    expect(declared).not.toContain('billing');
    expect(new Set(declared).size).toBe(declared.length);
    expect(await capabilities({ workflow: { nodes: [hook] } })).toEqual([
      'sub-workflow:stock',
      'support',
      'trigger:webhook',
      'webhook:orders/new',
    ]);
  });
});

test('the hash changes with what a node does, not with where it stands', async () => {
  const hashOf = async (node: object) =>
    (await register('hashed', { workflow: { nodes: [node] } })).body.entity.definition_hash;
  const hash = await hashOf(hook);
  expect(await hashOf({ ...hook, position: [5, 5] })).toBe(hash);
  expect(await hashOf({ ...hook, parameters: { path: 'orders/old' } })).not.toBe(hash);
});

test('a new JSON replaces the extracted dependencies and leaves the declared ones', async () => {
  await register('edited', {
    dependencies: [workflow('declared')],
    workflow: { nodes: [calls('before')] },
  });
  await register('edited', { workflow: { nodes: [calls('after')] } });
  expect((await detail('edited')).depends_on).toEqual([
    { ...workflow('after'), origin: 'extracted' },
    { ...workflow('declared'), origin: 'declared' },
  ]);
});

test('an extracted dependency that closes a cycle is left out and named with the reason', async () => {
  await register('ping', { workflow: { nodes: [calls('pong')] } });
  const { status, body } = await register('pong', {
    workflow: { nodes: [calls('ping'), calls('other'), calls('pong')] },
  });
  expect(status).toBe(201);
  expect(body.refused_dependencies).toHaveLength(2);
  expect(body.refused_dependencies).toEqual(
    expect.arrayContaining([
      { ...workflow('ping'), reason: expect.stringContaining('cycle') },
      { ...workflow('pong'), reason: expect.stringContaining('cycle') },
    ]),
  );
  expect((await detail('pong')).depends_on).toEqual([
    { ...workflow('other'), origin: 'extracted' },
  ]);
});

test('a run that registers its workflow leaves the definition that others registered', async () => {
  const json = { name: 'Approved', nodes: [hook] };
  await register('approved', { workflow: json, version: 'v1', registered_by: 'release' });
  const { definition_hash } = await detail('approved');
  const byNode = { registered_by: 'n8n', current_state: 'active' };
  await register('approved', { ...byNode, workflow: { ...json, nodes: [hook, mcp] } });
  expect(await detail('approved')).toMatchObject({
    ...{ definition_hash, version: 'v1', registered_by: 'release', current_state: 'active' },
    capabilities: expect.arrayContaining(['webhook:orders/new', 'tool:mcp']),
  });
  await register('approved', { workflow: { ...json, nodes: [] }, registered_by: 'release 2' });
  expect((await detail('approved')).definition_hash).not.toBe(definition_hash);
});

test('no secret of a workflow is stored', async () => {
  const secret = 'hunter2-7f3a9';
  const node = {
    name: 'Request',
    type: 'n8n-nodes-base.httpRequest',
    parameters: {
      url: `https://user:${secret}@example.com?key=${secret}`,
      headerParameters: { parameters: [{ name: 'Authorization', value: secret }] },
      jsCode: `const key = '${secret}'`,
    },
    credentials: { httpHeaderAuth: { id: secret, name: secret } },
    notes: secret,
  };
  const { body } = await register('secretive', {
    workflow: {
      nodes: [node],
      pinData: { Request: [{ json: { password: secret } }] },
      staticData: { token: secret },
      meta: { instanceId: secret },
    },
  });
  expect(body.entity.capabilities).toContain('credential:httpHeaderAuth');
  expect(JSON.stringify(body)).not.toContain(secret);
  expect(JSON.stringify(await dumpTenant(rollcall, 'default'))).not.toContain(secret);
});

test.each([
  ['no nodes', { name: 'Empty' }, 'workflow.nodes'],
  ['a node without a type', { nodes: [{ name: 'It' }] }, 'workflow.nodes.0.type'],
  [
    'nodes nested without end',
    { nodes: [{ type: 'a.b', parameters: nested(1000) }] },
    'workflow.nodes.0',
  ],
])('a workflow with %s is refused with the path and not registered', async (_, json, path) => {
  const { status, body } = await register('broken', { workflow: json });
  expect(status).toBe(422);
  expect(body.errors).toEqual([{ path, code: 'not_a_workflow', message: expect.any(String) }]);
  expect(await detail('broken')).toMatchObject({ status: 404 });
});

test.each([
  ['a NUL', 'A\u0000B', 'A B'],
  ['half a surrogate pair', 'A\ud800B', 'A\ufffdB'],
  ['300 characters', 'x'.repeat(300), 'x'.repeat(255)],
  ['300 symbols of two units', '𝄞'.repeat(300), '𝄞'.repeat(127)],
])(
  'a workflow whose name has %s is registered with what can be stored of it',
  async (what, name, stored) => {
    const { status, body } = await register(`name of ${what}`, {
      workflow: { name, nodes: [] },
    });
    expect(status).toBe(201);
    expect(body.entity.entity_name).toBe(stored);
  },
);

function nested(levels: number): object {
  let value: object = {};
  for (let level = 0; level < levels; level++) value = { value };
  return value;
}
