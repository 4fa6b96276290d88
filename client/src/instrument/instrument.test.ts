import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { instrumentWorkflow, uninstrumentWorkflow } from './index.ts';
import type { NodeJson, Target, WorkflowJson } from './workflow.ts';

const FOLDER = new URL('../../../test/fixtures/workflows/', import.meta.url);
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
const real = files.map((name) => {
  const json = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as WorkflowJson;
  return [name, json] as const;
});

/** Outputs that lead nowhere say nothing: n8n writes them or leaves them out. */
function normal({ connections, ...rest }: WorkflowJson): string {
  const entries = Object.entries(connections ?? {}).map(([name, outputs]) => {
    const types = Object.entries(outputs).map(([type, targets]) => {
      const lists = [...(targets ?? [])].map((list) => list ?? []);
      while (lists.length > 0 && lists.at(-1)?.length === 0) lists.pop();
      return [type, lists] as const;
    });
    return [name, types.filter(([, lists]) => lists.length > 0)] as const;
  });
  return JSON.stringify({ ...rest, connections: entries.filter(([, types]) => types.length > 0) });
}

function isWhole({ nodes, connections }: WorkflowJson): void {
  const names = nodes.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const ids = nodes.map(({ id }) => id).filter(Boolean);
  expect(new Set(ids).size).toBe(ids.length);
  for (const node of nodes.filter(({ type }) => type.startsWith('n8n-nodes-rollcall.'))) {
    const leading = Object.values(connections).flatMap((outputs) =>
      Object.values(outputs).flatMap((lists) => (lists ?? []).flatMap((list) => list ?? [])),
    );
    expect(leading.filter((target) => target.node === node.name)).toHaveLength(1);
    expect(Object.hasOwn(connections, node.name)).toBe(false);
    const [x, y] = node.position as [number, number];
    for (const other of nodes) {
      if (other === node || other.type === 'n8n-nodes-base.stickyNote' || !other.position) continue;
      const apart =
        Math.abs(other.position[0] - x) >= 200 || Math.abs(other.position[1] - y) >= 140;
      expect(apart ? '' : `${node.name} lies on ${other.name}`).toBe('');
    }
  }
}

const roundTrip = (workflow: WorkflowJson): void => {
  const before = JSON.stringify(workflow);
  const once = instrumentWorkflow(workflow);
  expect(JSON.stringify(workflow)).toBe(before);
  isWhole(once.workflow);
  const twice = instrumentWorkflow(once.workflow);
  expect(twice.inserted).toEqual([]);
  expect(twice.removed).toEqual([]);
  expect(JSON.stringify(twice.workflow)).toBe(JSON.stringify(once.workflow));
  expect(JSON.stringify(instrumentWorkflow(workflow).workflow)).toBe(JSON.stringify(once.workflow));
  expect(normal(uninstrumentWorkflow(once.workflow))).toBe(normal(workflow));
};

test('the collection of real workflows is there', () => expect(real.length).toBeGreaterThan(40));

test.each(real)('%s: there and back', (_name, workflow) => roundTrip(workflow));

test('nearly every real workflow gets a start and an end', () => {
  const roles = real.map(([, workflow]) =>
    instrumentWorkflow(workflow).inserted.map(({ role }) => role),
  );
  const complete = roles.filter((of) => of.includes('start') && of.includes('end'));
  expect(complete.length).toBeGreaterThanOrEqual(real.length - 2);
});

const node = (name: string, type: string, more: Partial<NodeJson> = {}): NodeJson => ({
  id: `id-${name}`,
  name,
  type: `n8n-nodes-base.${type}`,
  typeVersion: 1,
  position: [0, 0],
  parameters: {},
  ...more,
});
const to = (...names: string[]): Target[] =>
  names.map((name) => ({ node: name, type: 'main', index: 0 }));
const places = (workflow: WorkflowJson) =>
  instrumentWorkflow(workflow, { register: false }).inserted.map(
    ({ role, after, output }) => `${role} ${after} ${output}`,
  );

test('both branches of an If end, also the one that nobody connected', () => {
  const workflow = {
    nodes: [node('Hook', 'webhook'), node('If', 'if'), node('Set', 'set')],
    connections: { Hook: { main: [to('If')] }, If: { main: [to('Set')] } },
  };
  expect(places(workflow)).toEqual(['start Hook 0', 'end If 1', 'end Set 0']);
});

test('an error output is told apart from the ends, connected or not', () => {
  const failing = { onError: 'continueErrorOutput' };
  const workflow = {
    nodes: [node('Hook', 'webhook'), node('Call', 'httpRequest', failing), node('Set', 'set')],
    connections: { Hook: { main: [to('Call')] }, Call: { main: [[], to('Set')] } },
  };
  expect(places(workflow)).toEqual(['start Hook 0', 'end Call 0', 'error Call 1', 'end Set 0']);
  workflow.connections.Call = { main: [to('Set')] };
  expect(places(workflow)).toEqual(['start Hook 0', 'error Call 1', 'end Set 0']);
});

test('a loop ends where it is done, not in its body', () => {
  const workflow = {
    nodes: [
      node('Hook', 'webhook'),
      node('Loop', 'splitInBatches', { typeVersion: 3 }),
      node('Set', 'set'),
    ],
    connections: {
      Hook: { main: [to('Loop')] },
      Loop: { main: [[], to('Set')] },
      Set: { main: [to('Loop')] },
    },
  };
  expect(places(workflow)).toEqual(['start Hook 0', 'end Loop 0']);
});

test('every enabled trigger starts; what no trigger reaches, and what an agent uses, is left alone', () => {
  const workflow = {
    nodes: [
      node('Hook', 'webhook'),
      node('Clock', 'scheduleTrigger'),
      node('Off', 'manualTrigger', { disabled: true }),
      node('Agent', 'agent'),
      node('Model', 'lmChatOpenAi'),
      node('Alone', 'set'),
      node('Note', 'stickyNote'),
    ],
    connections: {
      Hook: { main: [to('Agent')] },
      Clock: { main: [to('Agent')] },
      Model: { ai_languageModel: [[{ node: 'Agent', type: 'ai_languageModel', index: 0 }]] },
    },
  };
  expect(places(workflow)).toEqual(['start Hook 0', 'start Clock 0', 'end Agent 0']);
});

test('what starts is first in the list and above everything else that the trigger leads to', () => {
  const workflow = {
    nodes: [node('Hook', 'webhook'), node('Set', 'set', { position: [220, -300] })],
    connections: { Hook: { main: [to('Set')] } },
  };
  const { workflow: done, inserted } = instrumentWorkflow(workflow);
  const targets = done.connections.Hook?.main?.[0]?.map((target) => target.node);
  expect(targets?.at(-1)).toBe('Set');
  for (const { name } of inserted.filter(({ role }) => role === 'start' || role === 'register')) {
    const [, y] = done.nodes.find((one) => one.name === name)?.position as [number, number];
    expect(y).toBeLessThan(-300);
  }
});

test('after a change, what is missing comes and what hangs nowhere goes; edits to inserted nodes stay', () => {
  const workflow: WorkflowJson = {
    nodes: [node('Hook', 'webhook'), node('Set', 'set')],
    connections: { Hook: { main: [to('Set')] } },
  };
  const { workflow: done } = instrumentWorkflow(workflow);
  const start = done.nodes.find(({ name }) => name === 'Rollcall start') as NodeJson;
  start.position = [999, 999];
  done.nodes.push(node('Mail', 'emailSend'));
  done.connections.Set = { main: [[...to('Mail'), ...(done.connections.Set?.main?.[0] ?? [])]] };
  const again = instrumentWorkflow(done);
  expect(again.removed).toEqual(['Rollcall end']);
  expect(again.inserted.map(({ role, after }) => `${role} ${after}`)).toEqual(['end Mail']);
  expect(again.workflow.nodes.find(({ id }) => id === start.id)?.position).toEqual([999, 999]);
});

test('nodes that had no ids are known again once n8n has given them some', () => {
  const bare = ({ id: _, ...rest }: NodeJson): NodeJson => rest;
  const workflow: WorkflowJson = {
    nodes: [bare(node('Hook', 'webhook')), bare(node('Set', 'set'))],
    connections: { Hook: { main: [to('Set')] } },
  };
  const { workflow: done } = instrumentWorkflow(workflow);
  for (const one of done.nodes) one.id ??= `given-${one.name}`;
  const again = instrumentWorkflow(done);
  expect([again.inserted, again.removed]).toEqual([[], []]);
});

test('the credential is asked for by name', () => {
  const workflow = { nodes: [node('Hook', 'webhook')], connections: {} };
  const { workflow: done } = instrumentWorkflow(workflow, { credential: 'Roll', register: false });
  expect(done.nodes[1]?.credentials).toEqual({ rollcallApi: { id: null, name: 'Roll' } });
});

test.each([
  ['', null],
  ['', []],
  ['nodes', {}],
  ['nodes.0', { nodes: [7] }],
  ['nodes.0.type', { nodes: [{ name: 'a' }] }],
  ['nodes.1.name', { nodes: [node('a', 'set'), node('a', 'set')] }],
  ['connections', { nodes: [], connections: [] }],
  ['connections.a', { nodes: [], connections: { a: 1 } }],
  ['connections.a.main', { nodes: [], connections: { a: { main: [{}] } } }],
])('names %j as what is wrong', (path, workflow) => {
  expect(() => instrumentWorkflow(workflow)).toThrow(expect.objectContaining({ path }));
});

const types = ['webhook', 'scheduleTrigger', 'set', 'if', 'switch', 'merge', 'splitInBatches'];
const generated = fc
  .uniqueArray(
    fc.record({
      name: fc.oneof(
        fc.string({ minLength: 1, maxLength: 8 }),
        fc.constantFrom('Rollcall end', '__proto__', 'constructor'),
      ),
      type: fc.constantFrom(...types, 'stopAndError', 'stickyNote', 'httpRequest'),
      typeVersion: fc.integer({ min: 1, max: 3 }),
      position: fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })),
      disabled: fc.boolean(),
      onError: fc.constantFrom('stopWorkflow', 'continueErrorOutput'),
    }),
    { selector: ({ name }) => name, maxLength: 12 },
  )
  .chain((nodes) => {
    const name = nodes.length > 0 ? fc.constantFrom(...nodes.map((one) => one.name)) : fc.string();
    const target = fc.record({ node: name, type: fc.constant('main'), index: fc.nat(1) });
    const outputs = fc.array(fc.oneof(fc.constant(null), fc.array(target, { maxLength: 3 })), {
      maxLength: 4,
    });
    return fc.record({
      nodes: fc.constant(
        nodes.map(({ type, position: [x, y], ...rest }, index) => ({
          id: `n${index}`,
          ...rest,
          type: `n8n-nodes-base.${type}`,
          position: [x * 110, y * 80] as [number, number],
        })),
      ),
      connections: fc.dictionary(name, fc.record({ main: outputs }), { noNullPrototype: true }),
      settings: fc.constant({ executionOrder: 'v1' }),
    });
  });

test('whatever the workflow: there and back, and nothing the second time', () => {
  fc.assert(
    fc.property(generated, (workflow) => roundTrip(workflow)),
    { numRuns: 500 },
  );
});
