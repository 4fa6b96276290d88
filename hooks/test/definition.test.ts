import { createHash } from 'node:crypto';
import { nodeHashes } from '../../client/src/contract/index.ts';
import { extractWorkflow } from '../../server/src/features/n8n/extract/extract.ts';
import { pickStoredWorkflow } from '../src/workflow.ts';
import { publishedWorkflows, recordedCalls } from './recorded.ts';

const stored = [
  ...publishedWorkflows(),
  ...recordedCalls()
    .filter(({ hook }) => hook === 'workflow.afterCreate' || hook === 'workflow.afterUpdate')
    .map(({ hook, args: [workflow] }, index) => ({
      file: `${hook} ${index}`,
      workflow: workflow as Record<string, unknown>,
    })),
];

describe.each(stored)('$file', ({ workflow }) => {
  const source = { ...workflow, id: 'w1' };
  const picked = JSON.parse(JSON.stringify(pickStoredWorkflow(source))) as Record<string, unknown>;

  test('tells a server everything that the whole definition would', () => {
    const fromAll = { ...extractWorkflow(source), definition_hash: '' };
    const fromPicked = { ...extractWorkflow(picked), definition_hash: '' };
    expect(fromPicked).toEqual(fromAll);
  });

  test('carries the hash that a server makes of the whole definition', () => {
    expect(picked['definition']).toBe('stored');
    expect(picked['definition_hash']).toBe(extractWorkflow(source).definition_hash);
  });

  test('carries the hashes of its nodes that a server makes of them', () => {
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    const nodes = ((source as Record<string, unknown>)['nodes'] as { type: string }[]).filter(
      ({ type }) => type !== 'n8n-nodes-base.stickyNote',
    );
    const told = picked['nodes'] as { hashes?: object }[];
    expect(told.map(({ hashes }) => hashes)).toEqual(nodes.map((node) => nodeHashes(node, sha256)));
  });

  test('is much smaller than the definition', () => {
    expect(JSON.stringify(picked).length).toBeLessThan(JSON.stringify(workflow).length);
  });
});

test('what stands in parameters stays, except what says when, where and whom it calls', () => {
  const node = (type: string, parameters: object) => ({ name: type, type, parameters });
  const picked = pickStoredWorkflow({
    id: 'w1',
    connections: {},
    nodes: [
      node('n8n-nodes-base.httpRequest', { url: 'https://a.example/?key=S3CRET', model: 'S3CRET' }),
      node('n8n-nodes-base.set', { path: 'S3CRET', source: 'S3CRET', unit: 'S3CRET' }),
      node('n8n-nodes-base.executeWorkflow', {
        source: 'parameter',
        workflowJson: 'S3CRET',
        workflowId: '={{ "S3CRET" }}',
      }),
      node('@n8n/n8n-nodes-langchain.mcpClientTool', {
        endpointUrl: 'https://u:S3CRET@mcp.example/s/4f9c2a7be1d04c5f9c2a7be1d04c5f9c/sse?k=S3CRET',
      }),
      node('@n8n/n8n-nodes-langchain.agent', { text: 'S3CRET', model: 'gpt-4o' }),
      node('@n8n/n8n-nodes-langchain.lmChatOpenAi', { model: 'sk-S3CRETS3CRETS3CRET' }),
      node('n8n-nodes-base.webhook', {
        path: '=/x/{{ "S3CRET" }}',
        options: { rawBody: 'S3CRET' },
      }),
    ],
  });
  const sent = JSON.stringify(picked);
  expect(sent).not.toContain('S3CRET');
  expect(sent).not.toContain('4f9c2a7be1d04c5f');
  expect(picked?.nodes?.map(({ parameters }) => parameters)).toEqual([
    undefined,
    undefined,
    { source: 'parameter', workflowId: { __rl: true, value: '={{}}' } },
    { endpointUrl: expect.stringMatching(/^mcp\.example\/s\/~[0-9a-f]{12}\/sse$/) },
    { model: 'gpt-4o' },
    undefined,
    { path: '={{}}' },
  ]);
});

test('of a change in what is not told, the hash of its part of the node tells', () => {
  const hashes = (more: object) =>
    pickStoredWorkflow({ id: 'w1', nodes: [{ name: 'A', type: 'n8n-nodes-base.set', ...more }] })
      ?.nodes?.[0]?.hashes;
  const hex = expect.stringMatching(/^[0-9a-f]{16}$/);
  expect(hashes({ parameters: { a: 1 } })).toEqual({ parameters: hex });
  expect(hashes({ parameters: { a: 1 } })).not.toEqual(hashes({ parameters: { a: 2 } }));
  expect(hashes({ retryOnFail: true })).toEqual({ retry: hex });
  expect(hashes({ onError: 'continueErrorOutput' })).toEqual({ settings: hex });
  expect(hashes({ notes: 'x', position: [1, 2], onError: 'stopWorkflow' })).toEqual({});
});

test('of credentials only the types leave', () => {
  const credentials = { slackApi: { id: 'S3CRET', name: 'S3CRET' } };
  const nodes = [{ name: 'Post', type: 'n8n-nodes-base.slack', credentials }];
  expect(pickStoredWorkflow({ id: 'w1', nodes })?.nodes).toEqual([
    { name: 'Post', type: 'n8n-nodes-base.slack', credentials: { slackApi: {} }, hashes: {} },
  ]);
});

test('a project is told by its name, a person is not', () => {
  const shared = (project: object) => [
    { role: 'workflow:editor', projectId: 'p0' },
    { role: 'workflow:owner', projectId: 'p1', project: { id: 'p1', ...project } },
  ];
  const personal = { name: 'Own Er <owner@example.com>', type: 'personal' };
  expect(pickStoredWorkflow({ id: 'w1', shared: shared(personal) })?.project).toEqual({
    id: 'p1',
    type: 'personal',
  });
  const team = { name: 'Sales', type: 'team' };
  expect(pickStoredWorkflow({ id: 'w1', shared: shared(team) })?.project).toEqual({
    id: 'p1',
    name: 'Sales',
    type: 'team',
  });
});

test('too much of a definition is told in part, and without a hash', () => {
  const nodes = Array.from({ length: 3_000 }, (_, index) => ({
    name: `Node ${index} ${'.'.repeat(200)}`,
    type: 'n8n-nodes-base.set',
  }));
  const picked = pickStoredWorkflow({ id: 'w1', nodes, connections: {} });
  expect(picked).toMatchObject({ definition: 'partial', node_count: 2_000 });
  expect(picked?.definition_hash).toBeUndefined();
  expect(JSON.stringify(picked).length).toBeLessThan(300_000);
});
