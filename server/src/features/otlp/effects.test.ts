import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { n8nRun, type SpanDraft } from '../../../../test/rollcall/otlp.ts';
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
  tenant = `effects-${count++}`;
  key = await rollcall.keyFor(tenant);
});

const send = (spans: SpanDraft[] | Uint8Array, options: TraceOptions = {}) =>
  sendTraces(rollcall, spans, { key, ...options });
const rows = () => tracedRows(rollcall, tenant);
const telemetry = async () => (await rollcall.get('/api/v1/telemetry', { key })).body.items;

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

test('the registry of n8n’s workflows learns what runs where, in which version', async () => {
  const known = async () =>
    (await rollcall.get('/api/v1/n8n/workflows', { key })).body.items as unknown[];
  await send([run().workflow]);
  expect(await known()).toEqual([
    expect.objectContaining({
      instance_id: 'instance-1',
      workflow_id: 'orders',
      name: 'orders name',
      version_id: 'version-1',
      active_version_id: 'version-1',
      project: { id: 'n8n-project' },
      node_count: 2,
    }),
  ]);
  const instances = (await rollcall.get('/api/v1/n8n/instances', { key })).body.items;
  expect(instances).toMatchObject([{ instance_id: 'instance-1', n8n_version: '2.41.1' }]);
  // A manual run may be of a draft, and registers nothing either.
  const draft = { 'n8n.execution.mode': 'manual', 'n8n.workflow.version_id': 'version-2' };
  await send([run({ startedAt: startedAt + 1_000, execution: '8', attributes: draft }).workflow]);
  expect(await known()).toMatchObject([
    { version_id: 'version-2', active_version_id: 'version-1' },
  ]);
  expect((await rollcall.get('/api/v1/entities', { key })).body.items).toEqual([]);
});

test('whoever watches is told when nodes have come', async () => {
  const { workflow, nodes } = run();
  await send([workflow]);
  const announced = async () =>
    rollcall.sql(
      `select body from rollcall.live_events where tenant_id = $1 and topic = 'executions'`,
      [tenant],
    );
  const before = await announced();
  await send(nodes);
  const after = await announced();
  expect(after).toHaveLength(before.length + 1);
  await send(nodes);
  expect(await announced()).toEqual(after);
});

describe('telemetry', () => {
  const chat = (more: Partial<SpanDraft> = {}): SpanDraft => ({
    trace: 1,
    span: 0x50,
    name: 'chat',
    startedAt,
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.request.model': 'gpt-4o',
      'gen_ai.usage.input_tokens': 10,
      'gen_ai.usage.output_tokens': 5,
    },
    ...more,
  });

  test('of a model call within a run, once, however often it is sent', async () => {
    const { workflow, nodes } = run();
    for (let times = 0; times < 2; times++)
      await send([...nodes, chat({ parent: 0x12 }), workflow]);
    expect(await telemetry()).toEqual([
      expect.objectContaining({
        protocol: 'n8n',
        source_id: 'orders',
        target_id: 'orders',
        operation: 'workflow.execute',
        duration_ms: 30,
      }),
      expect.objectContaining({
        protocol: 'http',
        source_id: 'n8n',
        target_id: 'gpt-4o',
        tokens_used: 15,
        workflow_id: 'orders',
        execution_id: '7',
      }),
    ]);
  });

  test('of n8n’s own token counts, when node and run have met', async () => {
    const { workflow, nodes } = run();
    const [first, second] = nodes as [SpanDraft, SpanDraft];
    const model = {
      ...second,
      attributes: {
        ...second.attributes,
        'n8n.node.custom.llm.tokens.in': '100',
        'n8n.node.custom.llm.tokens.out': '20',
        'n8n.node.custom.llm.tokens.total': '120',
        'n8n.node.custom.llm.cost.total': '0.0031',
      },
    };
    await send([first, model]);
    expect(await telemetry()).toEqual([]);
    for (let times = 0; times < 2; times++) await send([workflow]);
    expect(await telemetry()).toEqual([
      expect.objectContaining({ operation: 'workflow.execute' }),
      expect.objectContaining({
        protocol: 'n8n',
        source_id: 'orders',
        target_id: 'n8n-nodes-base.set',
        operation: 'Send',
        tokens_used: 120,
        cost_micros: 3100,
        currency: 'USD',
        execution_id: '7',
      }),
    ]);
    expect((await rows()).nodes).toMatchObject([{ tokens_used: null }, { tokens_used: '120' }]);
  });
});

describe('partial success', () => {
  let good: SpanDraft;
  let old: SpanDraft;
  beforeEach(() => {
    good = { trace: 1, span: 1, name: 'good', startedAt };
    old = { ...good, span: 2, startedAt: startedAt - 400 * 86_400_000 };
  });

  test('says in protobuf how many spans were refused, and why', async () => {
    const { status, headers, bytes } = await send([good, old]);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/x-protobuf']);
    const { partialSuccess } = ProtobufTraceSerializer.deserializeResponse(bytes);
    expect(Number(partialSuccess?.rejectedSpans)).toBe(1);
    expect(partialSuccess?.errorMessage).toMatch(/^span 1: start_time_unix_nano is older than/);
    expect((await rows()).spans.map(({ name }) => name)).toEqual(['good']);
  });

  test('and in JSON', async () => {
    const { status, json } = await send([old, good], { encoding: 'json' });
    expect([status, json]).toEqual([
      200,
      {
        partialSuccess: {
          rejectedSpans: '1',
          errorMessage: expect.stringContaining('span 0: start_time_unix_nano is older'),
        },
      },
    ]);
  });

  test('is silent when all were kept', async () => {
    expect((await send([good])).bytes).toHaveLength(0);
    expect((await send([good], { encoding: 'json' })).json).toEqual({});
  });

  test('explains ten and counts all', async () => {
    const many = Array.from({ length: 25 }, (_, index) => ({ ...old, span: index + 1 }));
    const { json } = await send(many, { encoding: 'json' });
    expect(json).toMatchObject({ partialSuccess: { rejectedSpans: '25' } });
    expect(json.partialSuccess.errorMessage).toMatch(/span 9: [^;]*; and 15 more$/);
  });
});
