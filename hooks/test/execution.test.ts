import type { ExecutionReport } from '../../client/src/contract/index.ts';
import { pickExecution } from '../src/execution.ts';
import { recordedCalls } from './recorded.ts';

const AT = '2026-11-21T12:00:00.000Z';
const START = Date.parse('2026-11-21T11:00:00Z');

/** As it is sent. */
function pick(run: unknown, workflow: unknown = { id: 'w1' }, id: unknown = '7', payloads = false) {
  const report = pickExecution(run, workflow, id, { at: AT, payloads });
  return report && (JSON.parse(JSON.stringify(report)) as ExecutionReport);
}

const recordedRun = (executionId: string) => {
  const call = recordedCalls().find(
    ({ hook, args }) => hook === 'workflow.postExecute' && args[2] === executionId,
  );
  return pick(call?.args[0], call?.args[1], call?.args[2]);
};

/** A run with these nodes, all within one second of each other. */
const runOf = (runData: Record<string, object[]>, more: object = {}) => ({
  status: 'success',
  mode: 'webhook',
  startedAt: new Date(START),
  stoppedAt: new Date(START + 1_000),
  data: { resultData: { runData } },
  ...more,
});
const entry = (more: object = {}) => ({
  startTime: START,
  executionTime: 5,
  executionStatus: 'success',
  source: [],
  data: { main: [[{ json: {} }]] },
  ...more,
});

test('a run as a real n8n tells it', () => {
  expect(recordedRun('1')).toEqual({
    execution_id: '1',
    workflow_id: 'Sa9Er8EJZNxDQw6c',
    workflow_name: 'Orders intake',
    workflow_version: '4429edf0-6079-474e-a1a0-e3e9c3801fc3',
    status: 'success',
    mode: 'webhook',
    started_at: '2026-11-21T04:18:38.823Z',
    completed_at: '2026-11-21T04:18:38.948Z',
    at: '2026-11-21T04:18:38.948Z',
    source: 'hooks',
    last_node: 'Call sub',
    node_executions: [
      {
        node_id: 'a1',
        node_name: 'Webhook',
        node_type: 'n8n-nodes-base.webhook',
        run_index: 0,
        status: 'success',
        started_at: '2026-11-21T04:18:38.831Z',
        completed_at: '2026-11-21T04:18:38.833Z',
        duration_ms: 2,
        items_out: 1,
      },
      {
        node_id: 'a2',
        node_name: 'Shape',
        node_type: 'n8n-nodes-base.set',
        run_index: 0,
        status: 'success',
        started_at: '2026-11-21T04:18:38.834Z',
        completed_at: '2026-11-21T04:18:38.862Z',
        duration_ms: 28,
        items_in: 1,
        items_out: 1,
        previous_nodes: ['Webhook'],
      },
      {
        node_id: 'a3',
        node_name: 'Call sub',
        node_type: 'n8n-nodes-base.executeWorkflow',
        run_index: 0,
        status: 'success',
        started_at: '2026-11-21T04:18:38.863Z',
        completed_at: '2026-11-21T04:18:38.948Z',
        duration_ms: 85,
        items_in: 1,
        items_out: 1,
        previous_nodes: ['Shape'],
        child_execution_id: '2',
      },
    ],
  });
});

test('a sub-workflow names the run that called it', () => {
  expect(recordedRun('2')).toMatchObject({
    execution_id: '2',
    mode: 'integrated',
    parent_execution_id: '1',
    parent_workflow_id: 'Sa9Er8EJZNxDQw6c',
  });
});

test('a run that failed says where and why, and that its node used all of its tries', () => {
  const report = recordedRun('3');
  const error = {
    type: 'NodeApiError',
    message: 'The service refused the connection - perhaps it is offline',
    node: 'Broken call',
  };
  expect(report).toMatchObject({ status: 'error', error, last_node: 'Broken call' });
  expect(report?.node_executions?.[1]).toMatchObject({ status: 'error', attempts: 2, error });
  expect(report?.node_executions?.[0]).not.toHaveProperty('attempts');
});

test.each([
  [{ retryOnFail: true }, 3],
  [{ retryOnFail: true, maxTries: 9 }, 5],
  [{ retryOnFail: true, maxTries: 1 }, 2],
  [{ retryOnFail: false, maxTries: 4 }, undefined],
  [{}, undefined],
])('tries of a failed node with %j: %s', (node, tries) => {
  const runData = { Call: [entry({ executionStatus: 'error', error: { message: 'no' } })] };
  const workflow = { id: 'w1', nodes: [{ name: 'Call', ...node }] };
  expect(pick(runOf(runData), workflow)?.node_executions?.[0]?.attempts).toBe(tries);
});

test('a waiting run has not ended; a year of 3000 is no moment to go on', () => {
  const waiting = (waitTill: Date) =>
    pick(runOf({ Wait: [entry({ executionStatus: 'waiting' })] }, { status: 'waiting', waitTill }));
  const later = new Date(START + 60_000);
  expect(waiting(later)).toMatchObject({
    status: 'waiting',
    wait_till: later.toISOString(),
    at: new Date(START + 1_000).toISOString(),
    node_executions: [{ status: 'waiting' }],
  });
  expect(waiting(later)).not.toHaveProperty('completed_at');
  expect(waiting(later)?.node_executions?.[0]).not.toHaveProperty('completed_at');
  expect(waiting(new Date('3000-01-01T00:00:00.000Z'))).not.toHaveProperty('wait_till');
});

test.each([
  [{ status: 'canceled' }, 'canceled'],
  [{ status: 'crashed' }, 'crashed'],
  [{ status: 'new' }, 'new'],
  [{ status: 'what?' }, 'unknown'],
  [{ status: undefined, finished: true }, 'success'],
])('status %j is told as %s', (more, status) => {
  expect(pick(runOf({}, more))?.status).toBe(status);
});

test('without a run there is still its id and its workflow', () => {
  expect(pick(undefined)).toEqual({
    execution_id: '7',
    workflow_id: 'w1',
    status: 'unknown',
    at: AT,
    source: 'hooks',
    node_executions: [],
  });
  expect(pick(runOf({}), {}, '7')).toBeUndefined();
  expect(pick(runOf({}), { id: 'w1' }, null)).toBeUndefined();
});

test('items are counted by output, by loop and by what came in', () => {
  const items = (count: number) => Array.from({ length: count }, () => ({ json: {} }));
  const from = (previousNode: string, previousNodeRun: number, previousNodeOutput: number) => ({
    source: [{ previousNode, previousNodeRun, previousNodeOutput }],
  });
  const runData = {
    Split: [
      entry({ data: { main: [items(3), items(2)] } }),
      entry({ startTime: START + 10, data: { main: [items(1), null] } }),
    ],
    Odd: [entry({ startTime: START + 5, ...from('Split', 0, 1) })],
    Even: [entry({ startTime: START + 20, ...from('Split', 1, 0) })],
    Merge: [
      entry({
        startTime: START + 30,
        source: [from('Odd', 0, 0), from('Even', 0, 0)].flatMap(({ source }) => source),
      }),
    ],
    Lost: [entry({ startTime: START + 40, ...from('Nobody', 0, 0) })],
  };
  const told = pick(runOf(runData))?.node_executions?.map((node) => [
    node.node_name,
    node.run_index,
    node.items_in,
    node.items_out,
    node.previous_nodes,
  ]);
  expect(told).toEqual([
    ['Split', 0, undefined, 5, undefined],
    ['Odd', 0, 2, 1, ['Split']],
    ['Split', 1, undefined, 1, undefined],
    ['Even', 0, 1, 1, ['Split']],
    ['Merge', 0, 2, 1, ['Odd', 'Even']],
    ['Lost', 0, undefined, 1, ['Nobody']],
  ]);
});

describe('tokens', () => {
  const asked = { 'llm.tokens.in': 31, 'llm.tokens.out': 11, 'llm.tokens.total': 42 };
  const chain = entry({ metadata: { tracing: asked } });
  const call = (usage: object) =>
    entry({
      startTime: START + 1,
      data: { ai_languageModel: [[{ json: { response: { generations: 'S3CRET' }, ...usage } }]] },
      inputOverride: {
        ai_languageModel: [[{ json: { messages: ['S3CRET'], options: { model: 'gpt-4o' } } }]],
      },
    });
  const usage = { tokenUsage: { promptTokens: 31, completionTokens: 11, totalTokens: 42 } };

  test('are told twice by n8n, and counted once: where the model ran', () => {
    const report = pick(runOf({ Ask: [chain], Model: [call(usage)] }));
    expect(report?.tokens_used).toBe(42);
    expect(report?.node_executions).toMatchObject([
      { node_name: 'Ask' },
      { node_name: 'Model', tokens_used: 42, model: 'gpt-4o', items_out: 1 },
    ]);
    expect(report?.node_executions?.[0]).not.toHaveProperty('tokens_used');
    expect(JSON.stringify(report)).not.toContain('S3CRET');
  });

  test('of several calls are added up, estimates included', () => {
    const estimate = { tokenUsageEstimate: { promptTokens: 5, completionTokens: 3 } };
    const report = pick(runOf({ Ask: [chain], Model: [call(usage), call(estimate)] }));
    expect(report?.tokens_used).toBe(50);
  });

  test('are taken from the node that asked where no model tells', () => {
    const report = pick(runOf({ Ask: [chain] }));
    expect(report).toMatchObject({ tokens_used: 42, node_executions: [{ tokens_used: 42 }] });
  });
});

test('a long loop is told by its beginning and its end', () => {
  const entries = Array.from({ length: 5_000 }, (_, index) => entry({ startTime: START + index }));
  const report = pick(runOf({ Loop: entries }));
  const runs = report?.node_executions?.map(({ run_index }) => run_index) ?? [];
  expect(runs).toHaveLength(1_000);
  expect([runs[0], runs[499], runs[500], runs[999]]).toEqual([0, 499, 4_500, 4_999]);
  expect(report?.metadata).toEqual({ node_executions_omitted: 4_000 });
});

test('messages of errors are cut, and secrets in them taken out', () => {
  const error = {
    name: 'NodeApiError',
    message: `401 for bob@example.com with Bearer abcdefghijklmnop ${'x'.repeat(5_000)}`,
    description: 'S3CRET',
    context: { request: { headers: { authorization: 'S3CRET' } } },
    stack: 'S3CRET',
  };
  const report = pick(runOf({ Call: [entry({ error })] }, { status: 'error' }));
  const message = report?.node_executions?.[0]?.error?.message ?? '';
  expect(message).toMatch(/^401 for \[redacted\] with \[redacted\] x+$/);
  expect(message).toHaveLength(500);
  expect(JSON.stringify(report)).not.toContain('S3CRET');
});

test('an error that was never serialised is told by its class', () => {
  const report = pick(runOf({ Code: [entry({ error: new RangeError('too far') })] }));
  expect(report?.node_executions?.[0]?.error).toEqual({ type: 'RangeError', message: 'too far' });
});

test('items leave on request only, and then few of them, redacted', () => {
  const json = { total: 3, apiKey: 'S3CRET', mail: 'bob@example.com', list: [1, 2], deep: {} };
  const items = [{ json, binary: { data: 'S3CRET' } }, { json: { other: 'S3CRET' } }];
  const run = runOf({ Set: [entry({ data: { main: [items] } })] });
  expect(pick(run)?.node_executions?.[0]).not.toHaveProperty('metadata');
  const told = pick(run, { id: 'w1' }, '7', true);
  expect(told?.node_executions?.[0]?.metadata).toEqual({
    output: [{ total: 3, apiKey: '[redacted]', mail: '[redacted]', list: [1, 2], deep: {} }],
  });
  expect(JSON.stringify(told)).not.toContain('S3CRET');
});
