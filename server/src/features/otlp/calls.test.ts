import { randomUUID } from 'node:crypto';
import { n8nRun, type SpanDraft } from '../../../../test/rollcall/otlp.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';
import { sendTraces } from '../../../../test/rollcall/traces.ts';

let server: TestRollcall;
let rollcall: FreshTenant;
let startedAt: number;
beforeAll(async () => {
  server = await startTestRollcall();
});
afterAll(() => server.stop());
beforeEach(async () => {
  rollcall = await freshTenant(server);
  startedAt = rollcall.clock.now().getTime() - 60_000;
});

const send = (spans: SpanDraft[]) => sendTraces(server, spans, { key: rollcall.key });
const detail = async (id = '7') => (await rollcall.get(`/api/v1/executions/${id}`)).body;
const run = (more: Partial<Parameters<typeof n8nRun>[0]> = {}) =>
  n8nRun({
    trace: 1,
    span: 0x10,
    startedAt,
    workflow: 'orders',
    execution: '7',
    nodes: ['Start', 'Ask'],
    ...more,
  });
/** A call of a model, within the run's second node unless another parent is given. */
const chat = (span: number, tokens: number, more: Partial<SpanDraft> = {}): SpanDraft => ({
  trace: 1,
  span,
  parent: 0x12,
  name: 'chat',
  startedAt: startedAt + 12,
  attributes: {
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': 'gpt-4o',
    'gen_ai.usage.input_tokens': tokens - 1,
    'gen_ai.usage.output_tokens': 1,
  },
  ...more,
});
/** n8n's own count of a node's tokens, where its licence lets it tell. */
const counted = (node: SpanDraft | undefined, tokens: number): SpanDraft => ({
  ...(node as SpanDraft),
  attributes: { ...node?.attributes, 'n8n.node.custom.llm.tokens.total': String(tokens) },
});
const nodes = (execution: {
  node_executions: { node_name: string; tokens_used: number | null }[];
}) => execution.node_executions.map(({ node_name, tokens_used }) => [node_name, tokens_used]);

describe('tokens', () => {
  test('of model calls within a node are its node’s, and their sum its execution’s', async () => {
    const { workflow, nodes: told } = run();
    const spans = [workflow, ...told, chat(0x50, 10), chat(0x51, 5)];
    for (const order of [spans, spans.toReversed()]) {
      rollcall = await freshTenant(server);
      for (const span of order) await send([span]);
      const execution = await detail();
      expect(nodes(execution)).toEqual([
        ['Start', null],
        ['Ask', 15],
      ]);
      expect(execution.tokens_used).toBe(15);
      const { body } = await rollcall.get('/api/v1/executions');
      expect(body.items[0].tokens_used).toBe(15);
    }
  });

  test('of a call within a call count once, and an agent’s own not at all', async () => {
    const { workflow, nodes: told } = run();
    const agent = chat(0x50, 99, {
      attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.usage.input_tokens': 99 },
    });
    await send([workflow, ...told, agent]);
    await send([chat(0x51, 10, { parent: 0x50 }), chat(0x52, 10, { parent: 0x51 })]);
    expect(await detail()).toMatchObject({ tokens_used: 10 });
  });

  test('that n8n says of a node are believed rather than those of the calls below it', async () => {
    const { workflow, nodes: told } = run();
    await send([workflow, told[0] as SpanDraft, counted(told[1], 120), chat(0x50, 10)]);
    expect(await detail()).toMatchObject({ tokens_used: 120 });
  });

  test('of calls below no node are the execution’s as well', async () => {
    const { workflow } = run({ nodes: [] });
    await send([workflow, chat(0x50, 10, { parent: 0x10 }), chat(0x51, 7, { parent: 0x10 })]);
    expect(await detail()).toMatchObject({ tokens_used: 17 });
  });

  test('of nodes are summed up, whoever told them, until somebody tells of the whole', async () => {
    const node = (node_name: string, tokens_used: number, run_index = 0) => ({
      node_name,
      run_index,
      status: 'success',
      tokens_used,
    });
    const report = (more: object) =>
      rollcall.post('/api/v1/executions/ingest', {
        workflow_id: 'w',
        execution_id: '7',
        status: 'success',
        ...more,
      });
    await report({ node_executions: [node('A', 3), node('A', 4, 1)] });
    expect(await detail()).toMatchObject({ tokens_used: 7 });
    // The better word on the same run of the same node.
    await report({ source: 'hooks', node_executions: [node('A', 5)] });
    expect(await detail()).toMatchObject({ tokens_used: 9 });
    await report({ mode: 'webhook' });
    expect(await detail()).toMatchObject({ tokens_used: 9, mode: 'webhook' });
    await report({ tokens_used: 100 });
    await report({ node_executions: [node('B', 1)] });
    expect(await detail()).toMatchObject({ tokens_used: 100 });
  });
});

describe('a call of a model that several channels tell of', () => {
  const log = (name = 'n8n.ai.llm.generated') => ({
    id: randomUUID(),
    eventName: name,
    ts: new Date(startedAt + 13).toISOString(),
    payload: {
      executionId: '7',
      workflowId: 'orders',
      nodeName: 'Model',
      msg: JSON.stringify({ response: { tokenUsage: { totalTokens: 10 } } }),
    },
  });
  const tell = async (event: object) =>
    expect((await rollcall.post('/api/v1/n8n/webhook', event)).status).toBe(200);
  const calls = async () => {
    const { body } = await rollcall.get('/api/v1/telemetry');
    return (body.items as { operation: string; tokens_used: number | null }[])
      .filter(({ operation }) => operation !== 'workflow.execute')
      .map(({ operation }) => operation);
  };
  const asLog = () => {
    const event = log();
    return () => tell(event);
  };
  const asSpans = () => async () => {
    const { workflow, nodes: told } = run();
    await send([workflow, ...told, chat(0x50, 10)]);
  };
  const asNode = () => async () => {
    const { workflow, nodes: told } = run();
    await send([workflow, told[0] as SpanDraft, counted(told[1], 10)]);
  };

  test.each([
    ['log and spans', [asLog, asSpans], 'Model'],
    ['spans and log', [asSpans, asLog], 'chat'],
    ['log and n8n’s own count', [asLog, asNode], 'Model'],
    ['n8n’s own count and log', [asNode, asLog], 'Ask'],
    ['spans, n8n’s own count and log', [asSpans, asNode, asLog], 'chat'],
  ])('%s: is counted once, however often they tell', async (_, channels, first) => {
    const told = channels.map((channel) => channel());
    for (const tellAgain of [...told, ...told]) await tellAgain();
    expect(await calls()).toEqual([first]);
  });

  test('is one of many that the first of them tells', async () => {
    await tell(log());
    await tell(log('n8n.ai.llm.error'));
    expect(await calls()).toEqual(['Model', 'Model']);
  });

  test('says nothing of tools, nor of other executions', async () => {
    await tell(log());
    const tool = {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'search',
    };
    const { workflow, nodes: told } = run();
    await send([workflow, ...told, chat(0x50, 10, { attributes: tool })]);
    const other = run({ trace: 2, execution: '8' });
    await send([other.workflow, ...other.nodes, chat(0x51, 10, { trace: 2 })]);
    expect((await calls()).sort()).toEqual(['Model', 'chat', 'execute_tool']);
  });
});

describe('a node that calls a workflow', () => {
  const caller = 'n8n-nodes-base.executeWorkflow';
  /** The run of a sub-workflow: as n8n traces it, below the caller's workflow span. */
  const child = (execution: string, offset: number) =>
    n8nRun({
      trace: 1,
      span: 0x100 + Number(execution),
      parent: 0x10,
      startedAt: startedAt + offset,
      workflow: 'sub',
      execution,
      nodes: [],
    }).workflow;
  const parent = () => {
    const { workflow, nodes: told } = run();
    const call = told[1] as SpanDraft;
    return [
      workflow,
      told[0] as SpanDraft,
      { ...call, attributes: { ...call.attributes, 'n8n.node.type': caller } },
    ];
  };
  const called = async () =>
    (
      (await detail()).node_executions as { node_name: string; child_execution_id: string | null }[]
    ).map(({ node_name, child_execution_id }) => [node_name, child_execution_id]);

  test('names the run that began while it ran, whichever is told first', async () => {
    for (const spans of [
      [...parent(), child('8', 13)],
      [child('8', 13), ...parent()],
    ]) {
      rollcall = await freshTenant(server);
      for (const span of spans) await send([span]);
      expect(await called()).toEqual([
        ['Start', null],
        ['Ask', '8'],
      ]);
      const { body } = await rollcall.get('/api/v1/executions/7/timeline');
      expect(body.lanes[1].bars[0].child).toMatchObject({ execution_id: '8' });
    }
  });

  test('names none when several began, or at another time', async () => {
    await send([...parent(), child('8', 13), child('9', 14)]);
    expect(await called()).toMatchObject([{}, ['Ask', null]]);
    rollcall = await freshTenant(server);
    await send([...parent(), child('8', 3)]);
    expect(await called()).toMatchObject([{}, ['Ask', null]]);
  });
});
