import { AT, ID, log, read, RUN, stateIn } from '../../../../../test/rollcall/n8n-reading.ts';

const PERSON = {
  userId: 'u',
  _email: 'owner@example.com',
  _firstName: 'Own',
  _lastName: 'Er',
  globalRole: 'global:owner',
};

describe('n8n.workflow', () => {
  test.each([
    [
      'started',
      { isManual: false, mode: 'webhook' },
      { status: 'running', started_at: AT, mode: 'webhook' },
    ],
    ['success', { success: true, mode: 'trigger' }, { status: 'success', completed_at: AT }],
    [
      'failed',
      {
        success: false,
        lastNodeExecuted: 'Fetch',
        errorNodeType: 'n8n-nodes-base.httpRequest',
        errorMessage: 'no route to a@b.example',
      },
      {
        status: 'error',
        completed_at: AT,
        last_node: 'Fetch',
        error: { message: 'no route to [redacted]', node: 'Fetch' },
        node_marks: [
          {
            mark_id: ID,
            kind: 'failed',
            node_name: 'Fetch',
            node_type: 'n8n-nodes-base.httpRequest',
            error_message: 'no route to [redacted]',
          },
        ],
      },
    ],
    ['failed', { errorMessage: 'The execution was cancelled manually' }, { status: 'canceled' }],
    [
      'cancelled',
      { reason: 'timeout' },
      { status: 'canceled', metadata: { cancel_reason: 'timeout' } },
    ],
  ])('.%s %j', (name, payload, expected) => {
    const heard = read(log(`n8n.workflow.${name}`, { ...RUN, ...payload }));
    expect(heard).toMatchObject({ handling: 'applied', at: AT, id: ID });
    expect(heard.reports).toMatchObject([
      {
        source: 'log',
        at: AT,
        execution_id: '8',
        workflow_id: 'w1',
        workflow_name: 'Hook test',
        metadata: { n8n_project_id: 'p1' },
        ...expected,
      },
    ]);
    expect(JSON.stringify(heard)).not.toMatch(/owner@example|Own Er/);
  });
});

describe('n8n.node', () => {
  const payload = { ...RUN, nodeType: 'n8n-nodes-base.set', nodeName: 'Shape', nodeId: 'a2' };
  test.each(['started', 'finished'])(
    '.%s is a moment of the node, and says nothing of the execution',
    (kind) => {
      const [node_id, node_type] = ['a2', 'n8n-nodes-base.set'];
      expect(read(log(`n8n.node.${kind}`, payload)).reports).toMatchObject([
        {
          status: 'unknown',
          node_marks: [{ mark_id: ID, kind, node_name: 'Shape', node_id, node_type, at: AT }],
        },
      ]);
    },
  );
});

describe('queue and execution', () => {
  test.each([
    ['n8n.queue.job.enqueued', 'queued'],
    ['n8n.queue.job.dequeued', 'running'],
    ['n8n.audit.workflow.waiting', 'waiting'],
    ['n8n.audit.workflow.resumed', 'running'],
    ['n8n.audit.workflow.executed', 'unknown'],
  ])('%s', (name, status) => {
    const heard = read(
      log(name, { ...RUN, ...PERSON, jobId: '5', hostId: 'h', source: 'trigger' }),
    );
    expect(heard).toMatchObject({ handling: 'applied', reports: [{ status }] });
    expect(JSON.stringify(heard)).not.toMatch(/owner@example|"Own"/);
  });

  test.each([
    ['n8n.queue.job.completed', RUN],
    ['n8n.execution.throttled', { executionId: '8', type: 'production' }],
    ['n8n.execution.started-during-bootup', { executionId: '8' }],
    ['n8n.worker.started', {}],
    ['n8n.runner.task.requested', { taskId: 't' }],
    ['n8n.instanceReporting.success', {}],
    ['n8n.audit.user.login.success', PERSON],
    ['n8n.audit.node-type-policy.scope.updated', {}],
    ['n8n.workflow.started', { workflowName: 'without ids' }],
  ])('%s is known, and counted only', (name, payload) => {
    const heard = read(log(name, payload));
    expect(heard).toEqual({ name, handling: 'noted', at: AT, id: ID, identity: ID });
  });
});

describe('n8n.ai', () => {
  const payload = { ...RUN, nodeName: 'Model', nodeType: '@n8n/n8n-nodes-langchain.lmChatOpenAi' };
  const SECRET = 'the whole conversation';
  const msg = (response: object) =>
    JSON.stringify({
      messages: [SECRET],
      options: { model: 'gpt-4o', openai_api_key: SECRET },
      response,
    });

  test.each([
    ['tokenUsage', { promptTokens: 7, completionTokens: 5, totalTokens: 12 }, 12, undefined],
    ['tokenUsageEstimate', { promptTokens: 7, completionTokens: 5 }, 12, true],
  ])(
    '.llm.generated with %s is a call with tokens, without what was said',
    (key, usage, tokens, estimated) => {
      const response = { response: { generations: [SECRET] }, [key]: usage };
      const heard = read(log('n8n.ai.llm.generated', { ...payload, msg: msg(response) }));
      expect(heard.telemetry).toMatchObject([
        {
          event_id: ID,
          timestamp: AT,
          protocol: 'n8n',
          source_id: 'w1',
          target_id: 'gpt-4o',
          operation: 'Model',
          status: 'success',
          model: 'gpt-4o',
          tokens_used: tokens,
          workflow_id: 'w1',
          execution_id: '8',
        },
      ]);
      expect(heard.reports).toMatchObject([
        {
          status: 'unknown',
          telemetry_events: [
            {
              event_id: ID,
              name: 'ai.llm.generated',
              at: AT,
              node_name: 'Model',
              data: { input_tokens: 7, output_tokens: 5 },
            },
          ],
        },
      ]);
      expect(heard.reports?.[0]?.telemetry_events?.[0]?.data?.estimated).toBe(estimated);
      expect(JSON.stringify(heard)).not.toContain(SECRET);
    },
  );

  test('.llm.error is a call that failed', () => {
    const heard = read(
      log('n8n.ai.llm.error', { ...payload, msg: JSON.stringify({ error: SECRET }) }),
    );
    expect(heard.telemetry).toMatchObject([{ status: 'error', target_id: 'Model' }]);
    expect(heard.reports?.[0]?.telemetry_events).toMatchObject([{ level: 'error' }]);
    expect(JSON.stringify(heard)).not.toContain(SECRET);
  });

  test('.tool.called names the tool', () => {
    const said = JSON.stringify({ tool: { name: 'search' }, query: SECRET, response: SECRET });
    const heard = read(log('n8n.ai.tool.called', { ...payload, msg: said }));
    expect(heard.telemetry).toMatchObject([{ target_id: 'search', status: 'success' }]);
    expect(JSON.stringify(heard)).not.toContain(SECRET);
  });

  test.each([
    'memory.get.messages',
    'memory.added.message',
    'output.parser.parsed',
    'retriever.get.relevant.documents',
    'embeddings.embedded.document',
    'embeddings.embedded.query',
    'document.processed',
    'text.splitter.split',
    'vector.store.searched',
    'vector.store.populated',
    'vector.store.updated',
  ])('.%s is a word within its run', (name) => {
    const heard = read(log(`n8n.ai.${name}`, { ...payload, msg: SECRET }));
    expect(heard).toMatchObject({
      handling: 'applied',
      reports: [{ telemetry_events: [{ name: `ai.${name}` }] }],
    });
    expect(heard.telemetry).toBeUndefined();
    expect(JSON.stringify(heard)).not.toContain(SECRET);
  });
});

describe('n8n.audit.workflow', () => {
  test.each([
    ['created', 'inactive'],
    ['updated', undefined],
    ['version.updated', undefined],
    ['activated', 'active'],
    ['deactivated', 'inactive'],
    ['archived', 'archived'],
    ['unarchived', 'inactive'],
    ['deleted', 'deleted'],
  ])('.%s leads to %s', (change, state) => {
    const payload = { ...PERSON, workflowId: 'w1', workflowName: 'W', activeVersionId: 'v1' };
    const heard = read(log(`n8n.audit.workflow.${change}`, payload));
    expect(heard.handling).toBe('applied');
    expect(stateIn(heard)).toBe(state);
    expect(heard.workflows?.[0]?.said.name?.[2]).toBe('W');
    expect('present' in (heard.workflows?.[0]?.said ?? {})).toBe(change !== 'deleted');
    expect(JSON.stringify(heard)).not.toMatch(/owner@example|global:owner|"Own"/);
  });
});

test('names that every object has are no events', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty'])
    expect(read(log(name, RUN))).toMatchObject({ name, handling: 'unknown' });
});
