import { randomUUID } from 'node:crypto';
import { pickStoredWorkflow } from '../../../../hooks/src/workflow.ts';
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

const at = (seconds: number) =>
  new Date(rollcall.clock.now().getTime() - 3_600_000 + seconds * 1_000).toISOString();

interface Node {
  id?: string;
  name: string;
  type: string;
  [field: string]: unknown;
}
const node = (name: string, more: Partial<Node> = {}): Node => ({
  id: `id of ${name}`,
  name,
  type: 'n8n-nodes-base.set',
  typeVersion: 3,
  parameters: { secret: name },
  position: [0, 0],
  ...more,
});
/** Each leads to the next, unless it is said otherwise. */
const workflow = (nodes: Node[], more: object = {}) => ({
  id: 'w',
  name: 'Orders',
  nodes,
  connections: Object.fromEntries(
    nodes
      .slice(1)
      .map(({ name }, index) => [
        nodes[index]?.name,
        { main: [[{ node: name, type: 'main', index: 0 }]] },
      ]),
  ),
  settings: {},
  ...more,
});

/** As the hooks package tells that n8n has stored it. */
async function store(versionId: string, seconds: number, definition: object): Promise<void> {
  const picked = pickStoredWorkflow({ ...definition, versionId });
  const origin = originOf({ instance_id: 'prod', occurred_at: at(seconds) });
  const event = { ...origin, kind: 'workflow.updated', workflow: picked };
  const { status, body } = await rollcall.post('/api/v1/n8n/webhook', event);
  expect([status, body.rejected]).toEqual([200, 0]);
}
async function run(workflow_version: string, more: object = {}): Promise<string> {
  const execution_id = randomUUID();
  const report = { workflow_id: 'w', execution_id, workflow_version, status: 'success', ...more };
  const { status } = await rollcall.post('/api/v1/executions/ingest', report);
  expect(status).toBeLessThan(300);
  return execution_id;
}
const compare = async (left: string, right: string) =>
  (await rollcall.get('/api/v1/executions/compare', { query: { left, right } })).body.workflow;
/** What changed from one definition to another, told in either order. */
async function changes(before: object, after: object) {
  await store('v2', 2, after);
  await store('v1', 1, before);
  return compare(await run('v1'), await run('v2'));
}
const briefly = ({ nodes }: { nodes: { node_name: string; changes: string[] }[] }) =>
  nodes.map(({ node_name, changes: each }) => `${node_name}: ${each.join(' ')}`);

describe('between two runs', () => {
  test.each<[string, Partial<Node>]>([
    ['type', { type: 'n8n-nodes-base.code' }],
    ['version', { typeVersion: 4 }],
    ['parameters', { parameters: { secret: 'another' } }],
    ['credentials', { credentials: { slackApi: { id: '1', name: 'x' } } }],
    ['disabled', { disabled: true }],
    ['retry', { retryOnFail: true, maxTries: 5 }],
    ['settings', { onError: 'continueRegularOutput' }],
  ])('the %s of a node', async (aspect, more) => {
    const found = await changes(
      workflow([node('A'), node('B')]),
      workflow([node('A'), node('B', more)]),
    );
    expect(found).toMatchObject({ definition: 'changed', connections: [], more_changes: false });
    expect(briefly(found)).toEqual([`B: ${aspect}`]);
  });

  test('nodes that came and went, and connections with them', async () => {
    const found = await changes(
      workflow([node('A'), node('Old'), node('C')]),
      workflow([node('A'), node('New'), node('C')]),
    );
    expect(briefly(found)).toEqual(['New: added', 'Old: removed']);
    expect(found.connections).toEqual([
      { change: 'removed', source: 'A', type: 'main', output: 0, target: 'Old', input: 0 },
      { change: 'added', source: 'A', type: 'main', output: 0, target: 'New', input: 0 },
      { change: 'added', source: 'New', type: 'main', output: 0, target: 'C', input: 0 },
      { change: 'removed', source: 'Old', type: 'main', output: 0, target: 'C', input: 0 },
    ]);
  });

  test('a node that is called otherwise is the same, and so are its connections', async () => {
    const found = await changes(
      workflow([node('A'), node('B'), node('C')]),
      workflow([node('A'), node('B', { name: 'Better', disabled: true }), node('C')]),
    );
    expect(found.nodes).toEqual([
      {
        node_id: 'id of B',
        node_name: 'Better',
        node_type: 'n8n-nodes-base.set',
        previous_name: 'B',
        changes: ['renamed', 'disabled'],
      },
    ]);
    expect(found.connections).toEqual([]);
  });

  test('two nodes that swapped their names', async () => {
    const found = await changes(
      workflow([node('A', { id: '1' }), node('B', { id: '2' })]),
      workflow([node('B', { id: '1', parameters: { secret: 'A' } }), node('A', { id: '2' })]),
    );
    expect(briefly(found)).toEqual(['A: renamed parameters', 'B: renamed']);
    expect(found.connections).toEqual([]);
  });

  test('nodes without ids, or with new ones, go by their names', async () => {
    const found = await changes(
      workflow([node('A', { id: undefined }), node('B', { id: 'old' })]),
      workflow([node('A', { id: 'one' }), node('B', { id: 'new', typeVersion: 9 })]),
    );
    expect(briefly(found)).toEqual(['B: version']);
  });

  test('a connection that was moved', async () => {
    const nodes = [node('A'), node('B'), node('C')];
    const to = (name: string, output: number) => ({
      connections: {
        A: { main: [...Array(output).fill([]), [{ node: name, type: 'main', index: 0 }]] },
      },
    });
    const found = await changes(workflow(nodes, to('B', 0)), workflow(nodes, to('C', 1)));
    expect(found.nodes).toEqual([]);
    expect(found.connections).toMatchObject([
      { change: 'removed', target: 'B', output: 0 },
      { change: 'added', target: 'C', output: 1 },
    ]);
  });

  test('versions that do the same are the same', async () => {
    const found = await changes(
      workflow([node('A')]),
      workflow([node('A', { position: [100, 200] })]),
    );
    expect(found).toMatchObject({
      left_version: 'v1',
      right_version: 'v2',
      definition: 'same',
      nodes: [],
      connections: [],
    });
  });

  test('of a definition that nobody told nothing is said', async () => {
    await store('v1', 1, workflow([node('A')]));
    expect(await compare(await run('v1'), await run('v9'))).toMatchObject({
      definition: 'changed',
      nodes: null,
      connections: null,
    });
  });

  test('of different workflows', async () => {
    await store('v1', 1, workflow([node('A')]));
    const other = await run('v1', { workflow_id: 'another' });
    expect(await compare(await run('v1'), other)).toMatchObject({
      same_workflow: false,
      nodes: null,
    });
  });
});

test('a registration with the workflow tells its definition, too, and hooks tell the same', async () => {
  const definition = workflow([node('A'), node('B')]);
  const register = async (version: string, json: object) => {
    const body = { entity_type: 'workflow', entity_id: 'w', version, workflow: json };
    expect((await rollcall.post('/api/v1/entities', body)).status).toBeLessThan(300);
  };
  await register('v1', definition);
  await store('v2', 1, definition);
  expect(await compare(await run('v1'), await run('v2'))).toMatchObject({ definition: 'same' });
  await register('v3', workflow([node('A')]));
  expect(briefly(await compare(await run('v2'), await run('v3')))).toEqual(['B: removed']);
});

test('regressions name the nodes that a change of version changed', async () => {
  await store('v1', 1, workflow([node('A'), node('B')]));
  await store('v2', 2, workflow([node('A'), node('B', { parameters: {} })]));
  for (const [index, version] of ['v1', 'v2', 'v3'].entries()) {
    await run(version, { started_at: at(index) });
  }
  const { body } = await rollcall.get('/api/v1/executions/regressions', {
    query: { workflow_id: 'w' },
  });
  expect(body.items).toMatchObject([
    { after: { version: 'v3' }, nodes: null, connections: null },
    {
      after: { version: 'v2' },
      nodes: [{ node_name: 'B', changes: ['parameters'] }],
      connections: [],
    },
  ]);
});

test('of a workflow fifty definitions are kept, the newest', async () => {
  const kept = () =>
    rollcall.sql<{ version_id: string }>(
      `select v.version_id from rollcall.workflow_definitions d join rollcall.workflow_versions v using (tenant_id, workflow_id, definition_hash)
        where tenant_id = $1 order by v.version_id`,
      [rollcall.tenant],
    );
  for (let version = 60; version > 0; version--) {
    const nodes = [node('A', { parameters: { version } })];
    await store(`v${100 + version}`, version, workflow(nodes));
  }
  const versions = (await kept()).map(({ version_id }) => version_id);
  expect([versions.length, versions[0], versions.at(-1)]).toEqual([50, 'v111', 'v160']);
});

test('of what stands in a node nothing is kept', async () => {
  await store('v1', 1, workflow([node('A', { parameters: { url: 'https://S3CRET.example' } })]));
  const rows = await rollcall.sql('select * from rollcall.workflow_definitions');
  expect(rows.length).toBeGreaterThan(0);
  expect(JSON.stringify(rows)).not.toContain('S3CRET');
});
