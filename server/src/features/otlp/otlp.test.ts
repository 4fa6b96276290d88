import {
  n8nRun,
  recorded,
  spanId,
  traceId,
  type SpanDraft,
} from '../../../../test/rollcall/otlp.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { sendTraces, tracedRows, type TraceOptions } from '../../../../test/rollcall/traces.ts';

let rollcall: TestRollcall;
let startedAt: number;
beforeAll(async () => {
  rollcall = await startTestRollcall();
  startedAt = rollcall.clock.now().getTime() - 60_000;
});
afterAll(() => rollcall.stop());

/** Every test has a tenant of its own. */
let tenant: string;
let key: string;
let count = 0;
beforeEach(async () => {
  tenant = `tracer-${count++}`;
  key = await rollcall.keyFor(tenant);
});

const send = (spans: SpanDraft[] | Uint8Array, options: TraceOptions = {}) =>
  sendTraces(rollcall, spans, { key, ...options });
const rows = () => tracedRows(rollcall, tenant);

const run = (more: Partial<Parameters<typeof n8nRun>[0]> = {}) =>
  n8nRun({
    trace: 1,
    span: 0x10,
    startedAt,
    workflow: 'orders',
    execution: '7',
    nodes: ['Start', 'Send'],
    ...more,
  });

describe('before anything is sent', () => {
  test('anybody may ask whether somebody is here', async () => {
    const response = await fetch(`${rollcall.url}/v1/traces`, { method: 'HEAD' });
    expect(response.status).toBe(200);
  });

  test('an empty body is a question, too', async () => {
    for (const encoding of ['protobuf', 'json'] as const) {
      expect((await send(new Uint8Array(), { encoding })).status).toBe(200);
    }
    expect((await rows()).spans).toEqual([]);
  });
});

describe('what a real n8n sent', () => {
  test('becomes its executions with their nodes, once, however often it is sent', async () => {
    const recordedAt = recorded.at.getTime();
    const ahead = recordedAt - rollcall.clock.now().getTime();
    rollcall.clock.advance(ahead);
    const first = await send(recorded.bytes);
    expect([first.status, first.bytes.length]).toEqual([200, 0]);
    const once = await rows();
    expect((await send(recorded.bytes, { gzip: true })).status).toBe(200);
    rollcall.clock.advance(-ahead);
    expect(await rows()).toEqual(once);

    expect(once.executions).toMatchObject([
      {
        execution_id: '2',
        workflow_name: 'Price lookup (sub)',
        status: 'success',
        mode: 'integrated',
        parent_execution_id: '1',
        parent_workflow_id: 'Sa9Er8EJZNxDQw6c',
      },
      {
        execution_id: '1',
        workflow_id: 'Sa9Er8EJZNxDQw6c',
        workflow_name: 'Orders intake',
        workflow_version: '4429edf0-6079-474e-a1a0-e3e9c3801fc3',
        status: 'success',
        mode: 'webhook',
        parent_execution_id: null,
        started_at: new Date('2026-11-21T04:18:38.829Z'),
        duration_ms: 127.312,
        sources: ['otlp'],
      },
      {
        execution_id: '3',
        status: 'error',
        error_type: 'NodeApiError',
        error_message: 'The service refused the connection - perhaps it is offline',
      },
    ]);
    const told = once.nodes.map(({ execution_id, node_name, status }) => [
      execution_id,
      node_name,
      status,
    ]);
    expect(told).toEqual([
      ['1', 'Webhook', 'success'],
      ['1', 'Shape', 'success'],
      ['1', 'Call sub', 'success'],
      ['2', 'When called', 'success'],
      ['2', 'Fetch', 'success'],
      ['3', 'Webhook', 'success'],
      ['3', 'Broken call', 'error'],
    ]);
    expect(once.spans.every(({ execution_id }) => execution_id !== null)).toBe(true);
  });
});

test('nodes are told with their ids, types, items, times and errors', async () => {
  const { workflow, nodes } = run({ status: 'error' });
  await send([...nodes, workflow]);
  expect((await rows()).nodes).toEqual([
    {
      execution_id: '7',
      node_name: 'Start',
      run_index: 0,
      node_id: 'id of Start',
      node_type: 'n8n-nodes-base.set',
      status: 'success',
      started_at: new Date(startedAt + 1),
      completed_at: new Date(startedAt + 9),
      duration_ms: 8,
      items_in: '0',
      items_out: '1',
      tokens_used: null,
      error_type: null,
      error_message: null,
      source: 'otlp',
      metadata: { span_id: spanId(0x11), type_version: 3.4 },
    },
    expect.objectContaining({
      node_name: 'Send',
      status: 'error',
      error_type: 'NodeApiError',
      error_message: 'The service refused the connection',
    }),
  ]);
});

test('a node that ran several times has several runs, in order of their start', async () => {
  const { workflow, nodes } = run({ nodes: ['Loop', 'Loop', 'Loop'] });
  const [first, second, third] = nodes as [SpanDraft, SpanDraft, SpanDraft];
  await send([third, workflow]);
  await send([first]);
  await send([second]);
  const told = (await rows()).nodes;
  expect(told.map(({ run_index, items_out }) => [run_index, items_out])).toEqual([
    [0, '1'],
    [1, '2'],
    [2, '3'],
  ]);
});

test('a node that was stopped with its run was cancelled', async () => {
  const { workflow, nodes } = run({ status: 'canceled' });
  const [first, second] = nodes as [SpanDraft, SpanDraft];
  const stopped = {
    ...second,
    status: 'error' as const,
    attributes: { ...second.attributes, 'n8n.node.termination_reason': 'workflow_cancelled' },
  };
  await send([first, stopped, workflow]);
  const { executions, nodes: told } = await rows();
  expect(executions).toMatchObject([{ status: 'cancelled' }]);
  expect(told.map(({ status }) => status)).toEqual(['success', 'cancelled']);
});

test('a run that waited and went on is one execution with the nodes of both parts', async () => {
  const first = run({ status: 'waiting' });
  const second = run({
    span: 0x20,
    parent: 0x10,
    startedAt: startedAt + 5_000,
    // The node that it waited in is told again.
    nodes: ['Send', 'After'],
    links: [{ trace: 1, span: 0x10, attributes: { 'n8n.continuation.reason': 'resume' } }],
  });
  await send([...first.nodes, first.workflow]);
  expect((await rows()).executions).toMatchObject([{ status: 'waiting', completed_at: null }]);
  await send([...second.nodes, second.workflow]);
  const { executions, nodes } = await rows();
  expect(executions).toMatchObject([
    {
      execution_id: '7',
      status: 'success',
      started_at: new Date(startedAt),
      completed_at: new Date(startedAt + 5_030),
      parent_execution_id: null,
    },
  ]);
  expect(nodes.map(({ node_name, run_index }) => [node_name, run_index])).toEqual([
    ['Start', 0],
    ['Send', 0],
    ['After', 0],
  ]);
  expect(nodes[1]).toMatchObject({ started_at: new Date(startedAt + 5_001) });
});

test('a retry knows what it repeats', async () => {
  const attributes = { 'n8n.execution.is_retry': true, 'n8n.execution.retry_of': '3' };
  await send([run({ attributes }).workflow]);
  expect((await rows()).executions).toMatchObject([{ retry_of: '3' }]);
});

test('the same execution number in two instances is two executions', async () => {
  const other = { 'service.name': 'n8n', 'n8n.instance.id': 'instance-2' };
  await send([run().workflow, run({ trace: 2, resource: other }).workflow]);
  expect((await rows()).executions.map(({ instance_id }) => instance_id).sort()).toEqual([
    'instance-1',
    'instance-2',
  ]);
});

test('spans of tenants with the same ids have nothing to do with each other', async () => {
  const { workflow, nodes } = run();
  const stranger = await rollcall.keyFor(`${tenant}-stranger`);
  await send(nodes, { key: stranger });
  await send([workflow]);
  const theirs = await tracedRows(rollcall, `${tenant}-stranger`);
  expect(theirs.spans.map(({ execution_id }) => execution_id)).toEqual([null, null]);
  expect((await rows()).nodes).toEqual([]);
});

test('any other span is kept as a span', async () => {
  await send([
    { trace: 9, span: 1, name: 'GET /orders', kind: 1, startedAt, attributes: { a: 1 } },
    { trace: 9, span: 2, parent: 1, name: 'query', startedAt },
  ]);
  const { executions, nodes, spans } = await rows();
  expect([executions, nodes]).toEqual([[], []]);
  expect(spans.map(({ name, execution_id }) => [name, execution_id])).toEqual([
    ['GET /orders', null],
    ['query', null],
  ]);
});

test('a run with the longest names and the most tags is told all the same', async () => {
  const { workflow, nodes } = run({ attributes: { 'n8n.workflow.name': 'x'.repeat(10_000) } });
  const tags = Object.fromEntries(
    Array.from({ length: 100 }, (_, index) => [`n8n.workflow.custom.${index}`, 'y'.repeat(4_000)]),
  );
  workflow.attributes = { ...workflow.attributes, ...tags };
  const { bytes } = await send([...nodes, workflow]);
  expect(bytes.toString()).toBe('');
  expect((await rows()).executions).toMatchObject([{ execution_id: '7' }]);
});

test('a trace is told to whoever asks for it', async () => {
  await send([run().workflow]);
  expect((await rows()).executions).toMatchObject([{ trace_id: traceId(1) }]);
});
