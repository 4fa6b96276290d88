import { extractWorkflow, type WorkflowFacts } from './extract.ts';
import { mcpServerId } from './mcpServers.ts';
import { WorkflowShapeError } from './shape.ts';

const BASE = 'n8n-nodes-base';
const LANGCHAIN = '@n8n/n8n-nodes-langchain';

function factsOf(type: string, parameters: unknown = {}, more: object = {}): WorkflowFacts {
  return extractWorkflow({ id: 'own', nodes: [{ name: 'It', type, parameters, ...more }] });
}

describe('the shape of a workflow', () => {
  test.each([
    ['a list', [], ''],
    ['text', 'workflow', ''],
    ['nothing', null, ''],
    ['an object without nodes', { connections: {} }, 'nodes'],
    ['nodes that are no list', { nodes: { 0: {} } }, 'nodes'],
    ['a node that is no object', { nodes: [{ type: 'a.b' }, null] }, 'nodes.1'],
    ['a node without a type', { nodes: [{ name: 'It' }] }, 'nodes.0.type'],
    ['a node whose type is a number', { nodes: [{ type: 5 }] }, 'nodes.0.type'],
  ])('%s is refused, with the place', (_, workflow, path) => {
    expect(() => extractWorkflow(workflow)).toThrow(WorkflowShapeError);
    expect(() => extractWorkflow(workflow)).toThrow(expect.objectContaining({ path }));
  });

  test('a node with nothing but a type is enough', () => {
    const facts = extractWorkflow({ nodes: [{ type: `${BASE}.slack` }] });
    expect(facts).toMatchObject({ capabilities: ['app:slack'], dependencies: [], node_count: 1 });
  });

  test('sticky notes do not count, switched-off nodes count but say nothing', () => {
    const off = { type: `${BASE}.slack`, disabled: true, credentials: { slackApi: {} } };
    const facts = extractWorkflow({ nodes: [{ type: `${BASE}.stickyNote` }, off] });
    expect(facts).toMatchObject({ capabilities: [], triggers: [], node_count: 1 });
  });
});

describe('apps and credentials', () => {
  test.each([
    [`${BASE}.googleSheetsTool`, 'app:google-sheets'],
    [`${BASE}.httpRequest`, 'app:http'],
    [`${BASE}.mySql`, 'app:mysql'],
    [`${BASE}.emailSend`, 'app:email'],
    ['n8n-nodes-gcf.gcf', 'app:gcf'],
    ['@acme/n8n-nodes-crm.acmeCrm', 'app:acme-crm'],
    ['CUSTOM.ourBilling', 'app:our-billing'],
    ['n8n-nodes-rollcall.telemetryEmit', 'app:rollcall'],
  ])('%s is %s', (type, token) => {
    expect(factsOf(type).capabilities).toContain(token);
  });

  test.each(['if', 'set', 'merge', 'code', 'noOp', 'wait', 'filter', 'manualTrigger', 'webhook'])(
    '%s is no app',
    (name) => {
      expect(factsOf(`${BASE}.${name}`).capabilities.join()).not.toContain('app:');
    },
  );

  test('credentials show their type alone', () => {
    const credentials = { slackApi: { id: 'SECRET-ID', name: 'SECRET-NAME' }, oldApi: 'SECRET' };
    const facts = factsOf(`${BASE}.slack`, { text: 'SECRET' }, { credentials });
    expect(facts.capabilities).toEqual(['app:slack', 'credential:oldApi', 'credential:slackApi']);
    expect(JSON.stringify(facts)).not.toContain('SECRET');
  });
});

describe('triggers and webhook paths', () => {
  test.each([
    [`${BASE}.start`, {}, { kind: 'manual', node: 'It' }],
    [`${BASE}.errorTrigger`, {}, { kind: 'error', node: 'It' }],
    [`${BASE}.executeWorkflowTrigger`, {}, { kind: 'sub-workflow', node: 'It' }],
    [`${LANGCHAIN}.mcpTrigger`, {}, { kind: 'mcp', node: 'It' }],
    [`${BASE}.gmailTrigger`, {}, { kind: 'poll', node: 'It', app: 'gmail' }],
    [`${BASE}.emailReadImap`, {}, { kind: 'app', node: 'It', app: 'email' }],
    ['n8n-nodes-acme.acmeTrigger', { pollTimes: {} }, { kind: 'poll', node: 'It', app: 'acme' }],
    ['n8n-nodes-acme.acmeTrigger', {}, { kind: 'app', node: 'It', app: 'acme' }],
  ])('%s with %j', (type, parameters, trigger) => {
    const facts = factsOf(type, parameters);
    expect(facts.triggers).toEqual([trigger]);
    expect(facts.capabilities).toContain(`trigger:${trigger.kind}`);
  });

  test('how often a trigger polls is no schedule', () => {
    const pollTimes = { item: [{ mode: 'everyX', value: 10, unit: 'minutes' }] };
    const facts = factsOf(`${BASE}.gmailTrigger`, { pollTimes });
    expect(facts.capabilities).toContain('poll:every-10-minutes');
    expect(facts.schedules).toEqual([]);
  });

  test.each([
    [`${BASE}.webhook`, { path: '/orders/' }, ['orders']],
    [`${BASE}.webhook`, { path: 'orders?key=SECRET' }, ['orders']],
    [`${BASE}.webhook`, { path: 'orders/:id' }, ['hook-id/orders/:id']],
    [`${BASE}.webhook`, {}, ['hook-id']],
    [`${BASE}.formTrigger`, { options: { path: 'ask' } }, ['ask']],
    [`${LANGCHAIN}.mcpTrigger`, { path: 'tools' }, ['tools']],
    [`${LANGCHAIN}.chatTrigger`, { public: true }, ['hook-id/chat']],
    [`${LANGCHAIN}.chatTrigger`, {}, []],
    [`${BASE}.telegramTrigger`, {}, []],
  ])('%s with %j listens on %j', (type, parameters, paths) => {
    const facts = factsOf(type, parameters, { webhookId: 'hook-id' });
    expect(facts.webhook_paths).toEqual(paths);
    expect(facts.capabilities.filter((token) => token.startsWith('webhook:'))).toEqual(
      paths.map((path) => `webhook:${path}`),
    );
  });

  test('a path that an expression makes is dynamic', () => {
    const facts = factsOf(`${BASE}.webhook`, { path: '={{ $env.HOOK }}' });
    expect(facts.webhook_paths).toEqual([]);
    expect(facts.capabilities).toContain('webhook:dynamic');
  });
});

describe('sub-workflows', () => {
  const stored = { __rl: true, mode: 'list', value: 'abc', cachedResultName: 'Invoices' };
  const address = { __rl: true, mode: 'url', value: 'https://n8n.example/workflow/abc?x=SECRET' };
  const dependency = { entity_type: 'workflow', entity_id: 'abc' };

  test.each([
    ['executeWorkflow 1', `${BASE}.executeWorkflow`, { workflowId: 'abc' }, dependency],
    [
      'executeWorkflow 1.2, from the list',
      `${BASE}.executeWorkflow`,
      { source: 'database', workflowId: stored },
      { ...dependency, entity_name: 'Invoices' },
    ],
    ['executeWorkflow by URL', `${BASE}.executeWorkflow`, { workflowId: address }, dependency],
    ['toolWorkflow 1', `${LANGCHAIN}.toolWorkflow`, { workflowId: '=abc' }, dependency],
    ['retrieverWorkflow', `${LANGCHAIN}.retrieverWorkflow`, { workflowId: 'abc' }, dependency],
    [
      'a number, as n8n once had',
      `${BASE}.executeWorkflow`,
      { workflowId: 12 },
      { ...dependency, entity_id: '12' },
    ],
  ])('%s becomes a dependency', (_, type, parameters, expected) => {
    const facts = factsOf(type, parameters);
    expect(facts.dependencies).toEqual([expected]);
    expect(facts.capabilities).toContain(`sub-workflow:${expected.entity_id}`);
  });

  test.each([
    ['self', { workflowId: 'own' }],
    ['self', { workflowId: { __rl: true, mode: 'id', value: '={{ $workflow.id }}' } }],
    ['dynamic', { workflowId: { __rl: true, mode: 'id', value: '={{ $json.id }}' } }],
    ['dynamic', { workflowId: 'not an id' }],
    ['inline', { source: 'parameter', workflowJson: '{"nodes":[]}', workflowId: 'abc' }],
    ['inline', { source: 'localFile', workflowPath: '/data/SECRET.json' }],
    ['inline', { source: 'url', workflowUrl: 'https://SECRET' }],
  ])('%s: %j is no dependency', (kind, parameters) => {
    const facts = factsOf(`${BASE}.executeWorkflow`, parameters);
    expect(facts.dependencies).toEqual([]);
    expect(facts.capabilities).toEqual([`sub-workflow:${kind}`]);
  });

  test('a call that is not set up yet says nothing', () => {
    const parameters = { workflowId: { __rl: true, mode: 'list', value: '' } };
    expect(factsOf(`${BASE}.executeWorkflow`, parameters).capabilities).toEqual([]);
  });

  test('the error workflow is a capability, no dependency', () => {
    const named = extractWorkflow({ nodes: [], settings: { errorWorkflow: 'abc' } });
    expect(named).toMatchObject({ capabilities: ['error-workflow:abc'], dependencies: [] });
    const none = extractWorkflow({ nodes: [], settings: { errorWorkflow: 'DEFAULT' } });
    expect(none.capabilities).toEqual([]);
  });
});

describe('MCP servers', () => {
  test.each([
    [`${LANGCHAIN}.mcpClientTool`, { sseEndpoint: 'https://Tools.example/sse/' }],
    [`${LANGCHAIN}.mcpClientTool`, { endpointUrl: 'https://me:SECRET@tools.example/sse?k=SECRET' }],
    [`${LANGCHAIN}.mcpClient`, { endpointUrl: '=http://tools.example/sse#SECRET' }],
    ['n8n-nodes-mcp.mcpClientTool', { sseUrl: 'tools.example/sse' }],
  ])('%s with %j depends on the server', (type, parameters) => {
    const facts = factsOf(type, parameters);
    expect(facts.dependencies).toEqual([
      { entity_type: 'mcp_server', entity_id: 'tools.example/sse' },
    ]);
    expect(facts.capabilities).toContain('mcp-server:tools.example/sse');
    expect(JSON.stringify(facts)).not.toContain('SECRET');
  });

  test('a server of the n8n registry is named by its node type', () => {
    const facts = factsOf('@n8n/mcp-registry.linear');
    expect(facts.dependencies).toEqual([
      { entity_type: 'mcp_server', entity_id: 'mcp-registry/linear' },
    ]);
    expect(facts.capabilities).toEqual(['mcp-server:mcp-registry/linear']);
  });

  test.each([
    [`${LANGCHAIN}.mcpClientTool`, { endpointUrl: '={{ $vars.MCP }}' }],
    ['n8n-nodes-mcp.mcpClient', { connectionType: 'cmd' }],
  ])('%s with %j cannot be told', (type, parameters) => {
    const facts = factsOf(type, parameters);
    expect(facts.dependencies).toEqual([]);
    expect(facts.capabilities).toContain('mcp-server:dynamic');
  });

  test('a key in the path is replaced, the same key always by the same word', () => {
    const key = 'YTFiMmMzZDRlNWY2ZzdoOGk5ajA';
    const id = mcpServerId(`https://mcp.example/api/s/${key}/sse`);
    expect(id).toMatch(/^mcp\.example\/api\/s\/~[0-9a-f]{12}\/sse$/);
    expect(mcpServerId(`http://mcp.example/api/s/${key}/sse/`)).toBe(id);
    expect(mcpServerId('https://mcp.example/mcp/459d848d-72ed-490f-bc48-e5dc60242896')).toBe(
      'mcp.example/mcp/459d848d-72ed-490f-bc48-e5dc60242896',
    );
  });

  test('an address of any length has an id of at most 120 characters', () => {
    const long = mcpServerId(`https://mcp.example/${'a-b/'.repeat(100)}`);
    expect(long).toHaveLength(120);
    expect(long).not.toBe(mcpServerId(`https://mcp.example/${'a-b/'.repeat(101)}`));
  });
});

describe('AI clusters', () => {
  const located = { __rl: true, mode: 'list', value: 'gpt-4o-mini', cachedResultName: 'SECRET' };

  test.each([
    [`${LANGCHAIN}.lmChatOpenAi`, { model: 'gpt-4o' }, ['ai:openai', 'model:gpt-4o']],
    [`${LANGCHAIN}.lmChatOpenAi`, { model: located }, ['ai:openai', 'model:gpt-4o-mini']],
    [`${LANGCHAIN}.lmCohere`, { options: { model: 'command' } }, ['ai:cohere', 'model:command']],
    [`${LANGCHAIN}.lmChatOpenAi`, { model: '={{ $json.m }}' }, ['ai:openai', 'model:dynamic']],
    [`${LANGCHAIN}.lmChatAnthropic`, { model: 'see https://SECRET' }, ['ai:anthropic']],
    [
      `${LANGCHAIN}.lmChatGoogleGemini`,
      { modelName: 'models/gemini-2.0-flash' },
      ['ai:google-gemini', 'model:gemini-2.0-flash'],
    ],
    [
      `${LANGCHAIN}.lmChatAwsBedrock`,
      { model: 'arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.claude' },
      ['ai:aws-bedrock', 'model:eu.claude'],
    ],
    [`${LANGCHAIN}.anthropic`, { modelId: located }, ['ai:anthropic', 'model:gpt-4o-mini']],
    [`${BASE}.openAi`, { chatModel: 'gpt-4' }, ['ai:openai', 'app:openai', 'model:gpt-4']],
    [`${LANGCHAIN}.embeddingsMistralCloud`, {}, ['ai:mistral']],
    [`${LANGCHAIN}.agent`, {}, ['ai:agent']],
    [`${LANGCHAIN}.agentTool`, {}, ['ai:agent', 'tool:agent']],
    [`${LANGCHAIN}.chainSummarization`, {}, ['ai:chain']],
    [`${LANGCHAIN}.memoryMongoDbChat`, {}, ['memory:mongodb']],
    [`${LANGCHAIN}.vectorStoreSupabaseInsert`, {}, ['vector-store:supabase']],
    [`${LANGCHAIN}.vectorStorePGVector`, {}, ['vector-store:pgvector']],
    [`${LANGCHAIN}.toolCalculator`, {}, ['tool:calculator']],
    [`${LANGCHAIN}.toolHttpRequest`, {}, ['app:http', 'tool:http']],
    [`${LANGCHAIN}.mcpClientTool`, {}, ['mcp-server:dynamic', 'tool:mcp']],
    [`${BASE}.slackHitlTool`, {}, ['app:slack', 'tool:slack']],
    [`${BASE}.dateTimeTool`, {}, ['tool:date-time']],
    [`${LANGCHAIN}.outputParserStructured`, {}, []],
    ['n8n-nodes-acme.lmChatAcme', { model: 'acme-1' }, ['ai:acme', 'model:acme-1']],
  ])('%s with %j', (type, parameters, capabilities) => {
    expect(factsOf(type, parameters).capabilities).toEqual(capabilities);
  });

  test('a node is a tool when its tool output is connected', () => {
    const store = { name: 'Store', type: `${LANGCHAIN}.vectorStoreQdrant` };
    const connections = { Store: { ai_tool: [[{ node: 'Agent', type: 'ai_tool', index: 0 }]] } };
    expect(extractWorkflow({ nodes: [store], connections }).capabilities).toEqual([
      'tool:vector-store',
      'vector-store:qdrant',
    ]);
  });

  test('a community model is known by its output', () => {
    const model = { name: 'M', type: 'n8n-nodes-acme.acmeThinker', parameters: { model: 'a-1' } };
    const connections = { M: { ai_languageModel: [[{ node: 'Agent' }]] } };
    expect(extractWorkflow({ nodes: [model], connections }).capabilities).toEqual([
      'ai:acme-thinker',
      'model:a-1',
    ]);
  });
});
