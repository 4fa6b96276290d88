import { BrokenLine } from '../../../platform/http/body.ts';
import { createRedactor } from '../../../platform/redact.ts';
import { isRefusal, type Heard, type Reading } from './heard.ts';
import { keyOf, recognise } from './recognise.ts';

const now = new Date('2026-11-21T12:00:00.000Z');
const TS = '2026-11-21T13:00:00.500+02:00';
const AT = '2026-11-21T11:00:00.500Z';
const reading: Reading = { now, redactor: createRedactor([], []) };
const read = (item: unknown, more: Partial<Reading> = {}): Heard => {
  const heard = recognise(item, { ...reading, ...more });
  if (isRefusal(heard)) throw new Error(JSON.stringify(heard));
  return heard;
};
const ID = '7d1d51e1-5b7c-4ef1-9c3b-b1a1f6c0a001';
const log = (eventName: string, payload: object, more: object = {}) => ({
  id: ID,
  eventName,
  message: eventName,
  ts: TS,
  payload,
  ...more,
});
const RUN = {
  executionId: '8',
  workflowId: 'w1',
  workflowName: 'Hook test',
  projectId: 'p1',
  projectName: 'Own Er <owner@example.com>',
};
const PERSON = {
  userId: 'u',
  _email: 'owner@example.com',
  _firstName: 'Own',
  _lastName: 'Er',
  globalRole: 'global:owner',
};
const stateIn = ({ workflows }: Heard) => workflows?.[0]?.said.state?.[2];

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
        node_executions: [
          { node_name: 'Fetch', node_type: 'n8n-nodes-base.httpRequest', status: 'error' },
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
  test.each([
    ['started', { status: 'running', started_at: AT }],
    ['finished', { status: 'success', completed_at: AT }],
  ])('.%s is a run of the node, and says nothing of the execution', (name, expected) => {
    expect(read(log(`n8n.node.${name}`, payload)).reports).toMatchObject([
      {
        status: 'unknown',
        node_executions: [
          { node_name: 'Shape', node_id: 'a2', node_type: 'n8n-nodes-base.set', ...expected },
        ],
      },
    ]);
  });
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

describe('the n8n Trigger', () => {
  test.each([
    ['Workflow published', 'active'],
    ['Workflow updated', 'active'],
    ['Instance started', 'active'],
  ])('%s', (event, state) => {
    const heard = read({ event, timestamp: AT, workflow_id: 'w1' });
    expect(heard).toMatchObject({ handling: 'applied', at: AT });
    expect(stateIn(heard)).toBe(state);
    expect(keyOf(heard)).toBe(keyOf(read({ event, timestamp: AT, workflow_id: 'w1' })));
    expect(keyOf(heard)).not.toBe(keyOf(read({ event, timestamp: TS, workflow_id: 'w2' })));
  });

  test('Manual execution changes nothing', () => {
    const heard = read({ event: 'Manual execution', timestamp: AT, workflow_id: 'w1' });
    expect([heard.handling, heard.workflows]).toEqual(['noted', undefined]);
  });

  test('is read in n8n’s own wrapping of items, too', () => {
    const json = { event: 'Workflow published', timestamp: AT, workflow_id: 'w1' };
    expect(stateIn(read({ json, pairedItem: { item: 0 } }))).toBe('active');
  });
});

describe('the Error Trigger', () => {
  const execution = {
    id: 231,
    url: 'https://n8n.example.com/workflow/1/executions/231',
    retryOf: '34',
    error: {
      name: 'NodeApiError',
      message: 'Bearer abcdefghijklmnopqrstuvwx refused',
      stack: 'at payload',
    },
    lastNodeExecuted: 'Node With Error',
    mode: 'trigger',
  };
  const workflow = { id: '1', name: 'Example Workflow' };

  test('tells of a run that failed', () => {
    const heard = read({ execution, workflow });
    expect(heard.reports).toEqual([
      {
        execution_id: '231',
        workflow_id: '1',
        workflow_name: 'Example Workflow',
        status: 'error',
        mode: 'trigger',
        at: now.toISOString(),
        source: 'webhook',
        retry_of: '34',
        last_node: 'Node With Error',
        error: {
          type: 'NodeApiError',
          message: expect.stringContaining('[redacted]'),
          node: 'Node With Error',
        },
      },
    ]);
    expect(keyOf(heard)).toBe(keyOf(read({ workflow, execution })));
  });

  test('tells of a trigger that failed before there was a run', () => {
    const heard = read({
      trigger: { error: { message: 'no webhook' }, mode: 'trigger' },
      workflow,
    });
    expect(heard.reports).toBeUndefined();
    expect(heard.telemetry).toMatchObject([
      {
        protocol: 'n8n',
        source_id: '1',
        target_id: '1',
        status: 'error',
        error_message: 'no webhook',
      },
    ]);
  });
});

describe('events in nobody’s format', () => {
  test.each([
    [{ event: 'workflow.activated', workflow_id: 'w', timestamp: AT }, 'active'],
    [{ event: 'workflow_deactivated', workflowId: 'w' }, 'inactive'],
    [{ event_type: 'Workflow Deleted', workflow: { id: 'w', name: 'W' } }, 'deleted'],
    [{ type: 'workflowArchived', data: { workflow_id: 'w' } }, 'archived'],
    [{ event: 'workflow.updated', workflow: { id: 7, active: true } }, 'active'],
    [{ workflow_id: 'w', state: 'error', health_status: 'unhealthy' }, 'error'],
    [{ workflow_id: 'w', workflow_name: 'Customer Onboarding' }, undefined],
  ])('%j', (item, state) => {
    const heard = read(item);
    expect(heard.handling).toBe('applied');
    expect(heard.workflows).toHaveLength(1);
    expect(stateIn(heard)).toBe(state);
  });

  test('registering a workflow as the seeds do brings its words and nodes', () => {
    const heard = read({
      workflow_id: 'wf_001',
      workflow_name: 'Customer Onboarding',
      description: 'Automated customer onboarding process',
      tags: ['customer', 'automation'],
      nodes: [
        { type: 'webhook', name: 'Start' },
        { type: 'n8n-nodes-base.slack', name: 'Tell' },
      ],
    });
    const words = heard.workflows?.[0];
    expect(words?.said).toMatchObject({
      name: [expect.any(Number), 1, 'Customer Onboarding'],
      description: [expect.any(Number), 1, 'Automated customer onboarding process'],
      tags: [expect.any(Number), 1, ['customer', 'automation']],
      register: [expect.any(Number), 1, true],
    });
    expect(words?.said.definition).toBeUndefined();
    expect(words?.facts?.capabilities).toContain('app:slack');
  });

  test.each([
    [
      { event: 'execution.started', workflow_id: 'w', execution_id: 5, timestamp: AT },
      { status: 'running', started_at: AT },
    ],
    [
      {
        event: 'execution_failed',
        workflow_id: 'w',
        execution_id: '5',
        error: 'boom',
        timestamp: AT,
      },
      { status: 'error', error: { message: 'boom' }, completed_at: AT },
    ],
    [
      {
        event: 'execution.finished',
        workflow: { id: 'w' },
        execution: { id: '5', status: 'canceled' },
      },
      { status: 'cancelled' },
    ],
    [
      { event: 'workflow.completed', workflow_id: 'w', execution_id: '5', duration_ms: 12.4 },
      { status: 'success', duration_ms: 12 },
    ],
  ])('%j', (item, expected) => {
    expect(read(item).reports).toMatchObject([
      { source: 'webhook', workflow_id: 'w', execution_id: '5', ...expected },
    ]);
  });
});

describe('what nobody knows', () => {
  test.each([
    [{}, '(unnamed)'],
    [{ hello: 'world' }, '(unnamed)'],
    [{ event: 'credential.rotated' }, 'credential.rotated'],
    [{ kind: 'workflow.transferred', id: ID }, 'workflow.transferred'],
    [{ event: 'mail for jane@example.com' }, 'mail for [redacted]'],
    [{ eventName: 'acme.thing.happened', ts: TS }, 'acme.thing.happened'],
    [{ event: 'workflow.exploded', workflow_id: 'w' }, 'workflow.exploded'],
    [{ execution: {}, workflow: { id: 'w' } }, '(unnamed)'],
  ])('%j is kept as %s', (item, name) => {
    expect(read(item)).toMatchObject({ name, handling: 'unknown' });
  });

  test.each([
    [null, 'invalid_type'],
    [7, 'invalid_type'],
    ['workflow.created', 'invalid_type'],
    [[], 'invalid_type'],
    [new BrokenLine('Unexpected end'), 'invalid_json'],
  ])('%j is no event', (item, code) => {
    expect(recognise(item, reading)).toMatchObject({ code, path: '' });
  });
});

describe('time', () => {
  test.each([
    [log('n8n.workflow.started', RUN, { ts: '2026-11-21T13:30:00Z' }), 'ts', 'timestamp_in_future'],
    [log('n8n.workflow.started', RUN, { ts: 'yesterday' }), 'ts', 'invalid_format'],
    [
      { event: 'workflow.created', workflow_id: 'w', timestamp: '2027-01-01T00:00:00Z' },
      'timestamp',
      'timestamp_in_future',
    ],
    [
      { event: 'Workflow updated', workflow_id: 'w', timestamp: 'soon' },
      'timestamp',
      'invalid_format',
    ],
  ])('that cannot be is refused with its path', (item, path, code) => {
    expect(recognise(item, reading)).toMatchObject({ path, code });
  });
});

test('the instance is the event’s own, else the request’s', () => {
  const event = log('n8n.workflow.started', RUN);
  expect(read(event, { instance_id: 'prod' }).reports).toMatchObject([{ instance_id: 'prod' }]);
  const own = { ...event, instance_id: 'own' };
  expect(read(own, { instance_id: 'prod' })).toMatchObject({ instance_id: 'own' });
});
