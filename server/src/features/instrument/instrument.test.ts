import { readFileSync } from 'node:fs';
import { instrumentWorkflow } from '../../../../client/src/instrument/index.ts';
import { dumpTenant } from '../../../../test/rollcall/dump.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';

const real = JSON.parse(
  readFileSync(
    new URL(
      '../../../../test/fixtures/workflows/05-query-perplexity-ai-from-your-n8n-workflows.json',
      import.meta.url,
    ),
    'utf8',
  ),
);

let rollcall: TestRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
afterAll(() => rollcall.stop());

const instrument = (body: unknown) => rollcall.post('/api/v1/workflows/instrument', body);
const hook = { name: 'Hook', type: 'n8n-nodes-base.webhook', position: [0, 0] };

test('answers what the client’s function answers, and what that changed', async () => {
  const { status, body } = await instrument({ workflow: real });
  const { workflow, inserted } = instrumentWorkflow(real);
  expect(status).toBe(200);
  expect(body).toEqual({ workflow, inserted, removed: [], changed: true });
});

test('changes nothing the second time, and takes out what it has put in', async () => {
  const { workflow } = (await instrument({ workflow: real })).body;
  expect((await instrument({ workflow })).body).toMatchObject({
    changed: false,
    inserted: [],
    workflow,
  });
  const { body } = await instrument({ workflow, remove: true });
  expect(body.workflow).toEqual(real);
  expect(body.removed.length).toBeGreaterThan(1);
  expect((await instrument({ workflow: real, remove: true })).body).toMatchObject({
    changed: false,
    removed: [],
  });
});

test('takes options: the credential by name and id, without registering', async () => {
  const options = { credential: 'Roll', credential_id: 'c1', register: false };
  const { body } = await instrument({ workflow: { nodes: [hook] }, options });
  expect(body.inserted.map(({ role }: { role: string }) => role)).toEqual(['start', 'end']);
  expect(body.workflow.nodes[1].credentials).toEqual({ rollcallApi: { id: 'c1', name: 'Roll' } });
});

test('stores nothing', async () => {
  const before = await dumpTenant(rollcall, 'default');
  await instrument({ workflow: real });
  expect({ ...(await dumpTenant(rollcall, 'default')), api_keys: [] }).toEqual({
    ...before,
    api_keys: [],
  });
});

/** A workflow of one trigger and one node, which is as given. */
const after = (node: object) => ({
  nodes: [hook, { name: 'Next', type: 'n8n-nodes-base.set', position: [220, 0], ...node }],
  connections: { Hook: { main: [[{ node: 'Next', type: 'main', index: 0 }]] } },
});
const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });

test.each([
  ['no object', [], 'workflow', 'invalid_type'],
  ['no nodes', {}, 'workflow.nodes', 'not_a_workflow'],
  ['a node that is none', { nodes: [7] }, 'workflow.nodes.0', 'not_a_workflow'],
  ['a name twice', { nodes: [hook, hook] }, 'workflow.nodes.1.name', 'not_a_workflow'],
  [
    'connections that are none',
    { nodes: [], connections: [] },
    'workflow.connections',
    'not_a_workflow',
  ],
  ['more nodes than anybody has', { nodes: Array(5_001).fill(hook) }, 'workflow.nodes', 'too_big'],
  ['a pit of nesting', { nodes: [], settings: deep(400) }, 'workflow', 'too_deep'],
  [
    'outputs without end',
    after({
      type: 'n8n-nodes-base.switch',
      parameters: { mode: 'expression', numberOutputs: 1e12 },
    }),
    'workflow.nodes',
    'not_a_workflow',
  ],
])('refuses %s', async (_what, workflow, path, code) => {
  const { status, body } = await instrument({ workflow });
  expect(status).toBe(422);
  expect(body.errors).toMatchObject([{ path, code }]);
});

test.each([
  ['places beyond every canvas', after({ position: [1e308, -1e308] })],
  ['places that are none', after({ position: ['a', {}] })],
  ['parameters of any kind', after({ type: 'n8n-nodes-base.switch', parameters: null })],
  [
    'rules that pretend to be many',
    after({
      type: 'n8n-nodes-base.switch',
      parameters: { rules: { values: { length: 1e12 } } },
    }),
  ],
  ['targets that are none', { nodes: [hook], connections: { Hook: { main: [[null, 7]] } } }],
  ['an unknown source', { nodes: [hook], connections: { __proto__x: { main: [[]] } } }],
])('takes %s', async (_what, workflow) => {
  const { status, body } = await instrument({ workflow });
  expect([status, body.changed]).toEqual([200, true]);
  const { body: bare } = await instrument({ workflow: body.workflow, remove: true });
  expect(bare.removed).toHaveLength(body.inserted.length);
});
