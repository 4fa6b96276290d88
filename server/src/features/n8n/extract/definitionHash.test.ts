import { hashDefinition } from '@rollcall/client/contract';
import fc from 'fast-check';
import { extractWorkflow } from './extract.ts';
import { WorkflowShapeError } from './shape.ts';

const slack = {
  id: 'n1',
  name: 'Post',
  type: 'n8n-nodes-base.slack',
  typeVersion: 2,
  position: [0, 0],
  parameters: { channel: { __rl: true, mode: 'list', value: 'C1' }, text: 'hello' },
  credentials: { slackApi: { id: '1', name: 'Ours' } },
};
const start = { id: 'n0', name: 'Start', type: 'n8n-nodes-base.manualTrigger', parameters: {} };
const connections = { Start: { main: [[{ node: 'Post', type: 'main', index: 0 }]] } };
const settings = { executionOrder: 'v1' };

function hashOf(node: object = {}, workflow: object = {}): string {
  const nodes = [start, { ...slack, ...node }];
  return extractWorkflow({ nodes, connections, settings, ...workflow }).definition_hash;
}

test('is a sha256', () => {
  expect(hashOf()).toMatch(/^sha256:[0-9a-f]{64}$/);
});

test.each([
  ['another position', { position: [500, 20] }, {}],
  ['another node id', { id: 'other' }, {}],
  ['a note', { notes: 'why', notesInFlow: true }, {}],
  ['a webhook id', { webhookId: 'w' }, {}],
  ['the default of a flag', { disabled: false, onError: 'stopWorkflow' }, {}],
  ['another credential of the same type', { credentials: { slackApi: { id: '2' } } }, {}],
  [
    'a resource name that n8n looked up',
    { parameters: { ...slack.parameters, channel: rl({ cachedResultName: '#ops' }) } },
    {},
  ],
  ['a sticky note', {}, { nodes: [sticky(), start, slack] }],
  ['empty outputs', {}, { connections: { ...connections, Post: { main: [[]], error: [null] } } }],
  ['a setting at its default', {}, { settings: { ...settings, timezone: 'DEFAULT' } }],
  [
    'what n8n keeps beside',
    {},
    { pinData: { Post: [] }, staticData: {}, meta: {}, versionId: 'v' },
  ],
  ['another name or id of the workflow', {}, { name: 'Renamed', id: 'w2', active: true }],
])('is the same with %s', (_, node, workflow) => {
  expect(hashOf(node, workflow)).toBe(hashOf());
});

test.each([
  ['a parameter', { parameters: { ...slack.parameters, text: 'bye' } }, {}],
  ['another resource', { parameters: { ...slack.parameters, channel: rl({ value: 'C2' }) } }, {}],
  ['a type', { type: 'n8n-nodes-base.discord' }, {}],
  ['a type version', { typeVersion: 2.1 }, {}],
  ['a node name', { name: 'Send' }, {}],
  ['a node switched off', { disabled: true }, {}],
  ['what happens on an error', { onError: 'continueRegularOutput' }, {}],
  ['a credential type', { credentials: { slackOAuth2Api: { id: '1' } } }, {}],
  ['a connection', {}, { connections: {} }],
  [
    'the output that is connected',
    {},
    { connections: { Start: { main: [[], [{ node: 'Post' }]] } } },
  ],
  ['a setting that matters', {}, { settings: { ...settings, timezone: 'Asia/Tokyo' } }],
  ['a node more', {}, { nodes: [start, slack, { ...slack, name: 'Again' }] }],
])('differs with %s', (_, node, workflow) => {
  expect(hashOf(node, workflow)).not.toBe(hashOf());
});

test('a node that n8n allows only once is not lost when it comes twice', () => {
  expect(hashOf({}, { nodes: [start, slack, slack] })).not.toBe(hashOf());
});

test('what is hashed of a node is JSON that says what the node says, whatever its texts and numbers', () => {
  const word = fc.string({ unit: 'binary', maxLength: 40 });
  const anything = fc.jsonValue({ stringUnit: 'binary', maxDepth: 3 });
  fc.assert(
    fc.property(word, anything, (text, value) => {
      const hashed: string[] = [];
      const node = { type: 'x', parameters: { text, value: [value, -0, 1e21, Infinity] } };
      hashDefinition({ nodes: [node], connections: {}, settings: {} }, (each) => {
        hashed.push(each);
        return 'hash';
      });
      const read = JSON.parse(hashed[0] as string) as { parameters: unknown };
      expect(read.parameters).toEqual(JSON.parse(JSON.stringify(node.parameters)));
    }),
  );
});

test('nesting without end is refused with the place', () => {
  let deep: unknown = 'x';
  for (let level = 0; level < 100_000; level += 1) deep = [deep];
  expect(() => hashOf({ parameters: { deep } })).toThrow(WorkflowShapeError);
  expect(() => hashOf({ parameters: { deep } })).toThrow(
    expect.objectContaining({ path: 'nodes.1' }),
  );
});

function rl(change: object) {
  return { ...slack.parameters.channel, ...change };
}

function sticky() {
  return { name: 'Note', type: 'n8n-nodes-base.stickyNote', parameters: { content: 'hi' } };
}
