import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { ExecutionDetail, Timeline } from '../../client/src/contract/index.ts';
import { until } from './child.ts';
import { COMPLETION_TOKENS, MODEL, PROMPT_TOKENS, startFakeModel } from './fakeModel.ts';
import type { FaultyServer } from './faultyServer.ts';
import type { FinishedExecution } from './n8nExecutions.ts';
import {
  askingModel,
  calledByAnother,
  errorTrigger,
  everySecond,
  executeWorkflow,
  httpRequest,
  manualTrigger,
  set,
  splitOut,
  waitForCall,
  waitHalfAMinute,
} from './observedWorkflows.ts';
import type { ObservedWorld } from './observedWorld.ts';
import { recordedBy } from './recorded.ts';
import { rollcallNode, stopAndError, webhook, workflowOf } from './workflows.ts';

/** Runs of every kind in n8n; hooks, tracing, the Emit node and the event log tell of them. */
export function testRuns({ n8n, rollcall }: ObservedWorld): void {
  const { api } = n8n;
  const recorded = recordedBy(rollcall);
  const publish = async (...given: Parameters<typeof workflowOf>) => {
    const id = await api.createWorkflow(workflowOf(...given));
    await api.publish(id);
    return id;
  };
  /** Node runs as n8n has them and as Rollcall has them agree in all that both tell. */
  const sameNodes = (row: ExecutionDetail, execution: FinishedExecution): void => {
    const theirs = execution.nodes.map(({ node, executionTime, outputs }) => ({
      node_name: node,
      duration_ms: executionTime,
      items_out: outputs.reduce((sum, items) => sum + items.length, 0),
    }));
    const ours = row.node_executions.map(({ node_name, duration_ms, items_out }) => ({
      node_name,
      duration_ms,
      items_out,
    }));
    const byName = (one: { node_name: string }, other: { node_name: string }) =>
      one.node_name < other.node_name ? -1 : 1;
    assert.deepEqual(ours.sort(byName), theirs.sort(byName));
  };

  test('success: nodes with types, timings and counts, told by hooks, tracing and the Emit node', async () => {
    const id = await publish('Success', [
      webhook('success'),
      set('List', { list: [1, 2, 3] }),
      splitOut('Split', 'list'),
      rollcallNode('Emit', 'telemetryEmit'),
    ]);
    await api.callWebhook('success');
    const execution = await api.latest(id);
    const row = await recorded.run(id, execution.id, 'success', ['hooks', 'otlp', 'emit']);
    assert.equal(row.workflow_name, 'Success');
    assert.equal(row.mode, 'webhook');
    assert.equal(row.last_node, 'Emit');
    assert.ok(Math.abs(row.duration_ms! - execution.duration) < 1000, String(row.duration_ms));
    sameNodes(row, execution);
    const split = row.node_executions.find(({ node_name }) => node_name === 'Split');
    assert.equal(split?.node_type, 'n8n-nodes-base.splitOut');
    assert.deepEqual([split.items_in, split.items_out, split.status], [1, 3, 'success']);
    await hasTimeline(row, ['Webhook', 'List', 'Split', 'Emit']);
    assert.ok((await rollcall.entity('workflow', id))?.last_activity);
  });

  test('failure after three tries of a node, then repeated from n8n: two rows, the second of the first', async () => {
    const id = await publish('Failure', [
      webhook('failure'),
      httpRequest('Ask', 'http://127.0.0.1:9/', {
        retryOnFail: true,
        maxTries: 3,
        waitBetweenTries: 50,
      }),
    ]);
    await api.callWebhook('failure');
    const execution = await api.latest(id);
    const row = await recorded.run(id, execution.id, 'error', ['hooks', 'otlp']);
    assert.equal(row.error?.type, 'NodeApiError');
    assert.equal(row.error.node, 'Ask');
    assert.match(row.error.message ?? '', /refused the connection/);
    const ask = row.node_executions.filter(({ node_name }) => node_name === 'Ask');
    assert.deepEqual(
      ask.map(({ status, attempts }) => [status, attempts]),
      [['error', 3]],
    );
    const again = await api.finished(await api.retry(execution.id));
    const second = await recorded.run(id, again.id, 'error', ['hooks', 'otlp']);
    assert.equal(second.mode, 'retry');
    assert.equal(second.retry_of, execution.id);
    assert.equal(second.repeats?.id, row.id);
    const timeline = await timelineOf(second);
    const webhookLane = timeline.lanes.find(({ node_name }) => node_name === 'Webhook');
    assert.deepEqual(webhookLane?.bars, [], 'it ran in the first run, and is carried over');
    assert.equal(webhookLane?.unplaced[0]?.carried_over, true);
  });

  test('sub-workflow: two rows, each with the way to the other', async () => {
    const child = await publish('Child', [calledByAnother, set('Inner', { inner: true })]);
    const id = await publish('Parent', [
      webhook('parent'),
      executeWorkflow('Call', child),
      set('After', { after: true }),
    ]);
    await api.callWebhook('parent');
    const [outer, inner] = [await api.latest(id), await api.latest(child)];
    const below = await recorded.run(child, inner.id, 'success', ['hooks', 'otlp']);
    assert.equal(below.mode, 'integrated');
    assert.equal(below.parent_execution_id, outer.id);
    const above = await recorded.run(id, outer.id, 'success', ['hooks', 'otlp']);
    assert.deepEqual(
      above.children.map((one) => one.id),
      [below.id],
    );
    assert.equal(above.parent, null);
    const again = await rollcall.get<ExecutionDetail>(`executions/${below.id}`);
    assert.equal(again?.parent?.id, above.id);
    const call = above.node_executions.find(({ node_name }) => node_name === 'Call');
    assert.equal(call?.child_execution_id, inner.id);
    const { lanes } = await timelineOf(above);
    assert.equal(lanes.find(({ node_name }) => node_name === 'Call')?.bars[0]?.child?.id, below.id);
    sameNodes(above, outer);
    sameNodes(below, inner);
  });

  test('error workflow: its run is a row of its own, below the run that failed', async () => {
    const handler = await publish('Handler', [errorTrigger, set('Note', { noted: true })]);
    const id = await publish('Doomed run', [webhook('doomed-run'), stopAndError('Out of paper')], {
      errorWorkflow: handler,
    });
    await api.callWebhook('doomed-run');
    const [failed, handled] = [await api.latest(id), await api.latest(handler)];
    const row = await recorded.run(handler, handled.id, 'success', ['hooks', 'otlp']);
    assert.equal(row.mode, 'error');
    assert.equal(row.parent_execution_id, failed.id);
    const doomed = await recorded.run(id, failed.id, 'error', ['hooks', 'otlp']);
    assert.equal(doomed.error?.message, 'Out of paper');
    assert.equal(doomed.error.node, 'Fail');
  });

  test('waiting and resumed: one row, first waiting, then success', async () => {
    const id = await publish('Waiting', [
      webhook('waiting', 'onReceived'),
      set('Address', { url: '{{ $execution.resumeUrl }}' }),
      waitForCall,
      set('Done', { done: true }),
    ]);
    await api.callWebhook('waiting');
    const { id: executionId } = await api.latestThatIs('waiting', id);
    const parked = await recorded.run(id, executionId, 'waiting', ['hooks']);
    assert.equal(parked.completed_at, null);
    const address = await api.firstItem(executionId, 'Address');
    assert.ok((await fetch(String(address?.url))).ok);
    await api.finished(executionId);
    const row = await recorded.run(
      id,
      executionId,
      'success',
      ['hooks', 'otlp'],
      ({ node_executions }) => node_executions.length === 4,
    );
    assert.equal(row.id, parked.id);
    assert.equal(row.started_at, parked.started_at, 'it began when it began, not when it went on');
    assert.deepEqual(
      row.node_executions.map(({ node_name, status }) => [node_name, status]).sort(),
      ['Address', 'Done', 'Wait', 'Webhook'].map((name) => [name, 'success']),
    );
    const { gaps } = await timelineOf(row);
    assert.ok(
      gaps.some(({ kind }) => kind === 'waiting'),
      JSON.stringify(gaps),
    );
  });

  test('cancelled while it runs, and known while it runs', async () => {
    const id = await publish('Cancelled', [webhook('cancelled', 'onReceived'), waitHalfAMinute]);
    await api.callWebhook('cancelled');
    const { id: executionId } = await api.latestThatIs('running', id);
    const open = await recorded.run(id, executionId, 'running', ['hooks']);
    await api.stop(executionId);
    const row = await recorded.run(id, executionId, 'cancelled', ['hooks', 'otlp']);
    assert.equal(row.id, open.id);
  });

  test('cancelled while it waits, of which n8n calls no hook and sends no span', async () => {
    const id = await publish('Given up', [webhook('given-up', 'onReceived'), waitForCall]);
    await api.callWebhook('given-up');
    const { id: executionId } = await api.latestThatIs('waiting', id);
    await recorded.run(id, executionId, 'waiting', ['hooks']);
    await api.stop(executionId);
    await followLog();
    await recorded.run(id, executionId, 'cancelled', ['hooks', 'log']);
  });

  test('scheduled: a row for each tick', async () => {
    const id = await publish('Scheduled', [everySecond, set('Tick', { tick: true })]);
    await until(
      'two ticks',
      async () => ((await api.executions(id)).length >= 2 ? true : undefined),
      { seconds: 20 },
    );
    await api.unpublish(id);
    for (const { id: executionId } of await api.executions(id)) {
      const row = await recorded.run(id, executionId, 'success', ['hooks', 'otlp']);
      assert.equal(row.mode, 'trigger');
    }
  });

  test('manual', async () => {
    const nodes = [manualTrigger, set('Done', { done: true })];
    const id = await api.createWorkflow(workflowOf('By hand', nodes));
    const execution = await api.finished(await api.runManually(id, 'Manual'));
    const row = await recorded.run(id, execution.id, 'success', ['hooks', 'otlp']);
    assert.equal(row.mode, 'manual');
  });

  test('from the command line, where n8n traces nothing and ends at once', async () => {
    await n8n.command('execute', '--id=rollcallSteps001');
    const [execution] = await api.executions('rollcallSteps001');
    const sources = ['hooks', 'emit'] as const;
    const row = await recorded.run('rollcallSteps001', execution!.id, 'success', [...sources]);
    assert.equal(row.mode, 'cli');
    assert.equal(row.node_executions.length, 4);
  });

  test('an AI model: its tokens, counted once', async () => {
    const url = model.url;
    const credential = await api.createCredential('A model', { apiKey: 'sk-1', url }, 'openAiApi');
    const id = await api.createWorkflow(askingModel('Model', 'model', MODEL, credential));
    await api.publish(id);
    await api.callWebhook('model');
    const execution = await api.latest(id);
    assert.equal(execution.status, 'success', execution.error);
    const row = await recorded.run(id, execution.id, 'success', ['hooks', 'otlp']);
    assert.equal(row.tokens_used, PROMPT_TOKENS + COMPLETION_TOKENS);
    const asked = row.node_executions.filter(({ tokens_used }) => tokens_used);
    assert.equal(asked.length, 1, JSON.stringify(asked));
    assert.equal(asked[0]?.model, MODEL);
  });

  let model: FaultyServer;
  before(async () => void (model = await startFakeModel()));
  after(() => model.stop());

  const followLog = () => rollcall.command('n8n', 'follow-log', n8n.eventLog, '--once');

  async function timelineOf({ id }: ExecutionDetail): Promise<Timeline> {
    const timeline = await rollcall.get<Timeline>(`executions/${id}/timeline`);
    assert.ok(timeline);
    return timeline;
  }

  async function hasTimeline(row: ExecutionDetail, nodes: string[]): Promise<void> {
    const { lanes, critical_path, open } = await timelineOf(row);
    assert.deepEqual(
      lanes.map(({ node_name }) => node_name),
      nodes,
    );
    for (const { bars } of lanes) assert.equal(bars.length, 1);
    assert.equal(critical_path.at(-1)?.node_name, nodes.at(-1));
    assert.equal(open, false);
  }
}
