import { kept, rollcall, type Received } from './rollcall.ts';
import { runWorkflow, telemetryEmit, type Step } from './workflow.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const emit = (parameters: Step['parameters'], name = 'Emit'): Step => ({
  name,
  does: telemetryEmit,
  parameters,
});

let received: Received[];
const events = () => received.flatMap((request) => request.body);

beforeEach(async () => {
  received = await rollcall({ 'POST /api/v1/telemetry': { body: kept() } });
});

it('tells of the execution it runs in when nothing is set', async () => {
  const before = Date.now();
  await runWorkflow([emit({}, 'Report')]);
  expect(events()).toEqual([
    {
      event_id: expect.stringMatching(UUID),
      timestamp: expect.any(String),
      protocol: 'n8n',
      source_id: 'wf-1',
      target_id: 'wf-1',
      operation: 'Report',
      status: 'success',
      workflow_id: 'wf-1',
      execution_id: expect.any(String),
      metadata: {
        workflow_name: 'Nightly sync',
        node_name: 'Report',
        mode: 'trigger',
        instance_id: expect.any(String),
        item_count: 1,
      },
    },
  ]);
  expect(Date.parse(events()[0].timestamp)).toBeGreaterThanOrEqual(before);
  expect(received[0]?.headers.authorization).toBe('Bearer rc_test');
});

it('sends every field that is set, and no field that is left empty', async () => {
  await runWorkflow([
    emit({
      protocol: 'mcp',
      status: 'timeout',
      source_id: 'team-a',
      target_id: 'github-mcp',
      operation_name: 'create_issue',
      additionalFields: {
        duration_ms: 12.5,
        tokens_used: 30,
        cost_micros: 250000,
        currency: 'EUR',
        model: 'm-1',
        correlation_id: 'c-1',
        trace_id: '0af7651916cd43dd8448eb211c80319c',
        workflow_id: 'wf-other',
        execution_id: 'e-9',
        user_id: '',
        timestamp: '2026-02-03T04:05:06+02:00',
        event_id: '5d0c4a0e-9f0b-4c55-8f0e-4b2f6f3f9c11',
        metadata: '{"region":"eu"}',
      },
    }),
  ]);
  expect(events()).toEqual([
    {
      event_id: '5d0c4a0e-9f0b-4c55-8f0e-4b2f6f3f9c11',
      timestamp: '2026-02-03T02:05:06.000Z',
      protocol: 'mcp',
      source_id: 'team-a',
      target_id: 'github-mcp',
      operation: 'create_issue',
      status: 'timeout',
      duration_ms: 12.5,
      tokens_used: 30,
      cost_micros: 250000,
      currency: 'EUR',
      model: 'm-1',
      correlation_id: 'c-1',
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      workflow_id: 'wf-other',
      execution_id: 'e-9',
      metadata: expect.objectContaining({ region: 'eu', node_name: 'Emit' }),
    },
  ]);
});

it('emits one event per run, or one per item in a single request', async () => {
  const items = [{ json: { target: 'a' } }, { json: { target: 'b' } }, { json: { target: 'c' } }];
  const target_id = '={{ $json.target }}';
  await runWorkflow([emit({ target_id })], items);
  expect(events().map((event) => event.target_id)).toEqual(['a']);

  received.length = 0;
  await runWorkflow([emit({ target_id, options: { eventsPer: 'item' } })], items);
  expect(received).toHaveLength(1);
  expect(events().map((event) => event.target_id)).toEqual(['a', 'b', 'c']);
  expect(new Set(events().map((event) => event.event_id)).size).toBe(3);
});

it('splits more events than one request may hold', async () => {
  const items = Array.from({ length: 1201 }, () => ({ json: {} }));
  await runWorkflow([emit({ options: { eventsPer: 'item' } })], items);
  expect(received.map((request) => request.body.length)).toEqual([500, 500, 201]);
});

it('hands its items on as they came, whatever becomes of the event', async () => {
  const binary = { file: { data: 'aGk=', mimeType: 'text/plain' } };
  const items = [
    { json: { a: 1, deep: { b: [2] } }, binary },
    { json: { c: null, error: 'kept' } },
  ];
  const { output } = await runWorkflow([emit({})], structuredClone(items));
  expect(output('Emit')).toEqual(
    items.map((item, index) => ({ ...item, pairedItem: { item: index } })),
  );
});

describe('an error', () => {
  it('is read from an Error Trigger: the failed workflow is its source', async () => {
    const json = {
      execution: {
        id: '231',
        url: 'https://n8n.test/workflow/wf-failed/executions/231',
        error: { name: 'NodeApiError', message: 'Bad gateway', description: 'upstream is away' },
        lastNodeExecuted: 'Fetch invoices',
        mode: 'trigger',
      },
      workflow: { id: 'wf-failed', name: 'Invoices' },
    };
    await runWorkflow([emit({ operation: 'error' })], [{ json }]);
    expect(events()[0]).toMatchObject({
      status: 'error',
      source_id: 'wf-failed',
      target_id: 'wf-failed',
      workflow_id: 'wf-failed',
      execution_id: '231',
      operation: 'Fetch invoices',
      error_type: 'NodeApiError',
      error_message: 'Bad gateway: upstream is away',
      metadata: { workflow_name: 'Invoices', mode: 'trigger', execution_url: json.execution.url },
    });
  });

  it('is read from a trigger that could not start: there is no execution', async () => {
    const error = { name: 'TriggerError', message: 'Queue is gone' };
    const workflow = { id: 'wf-failed', name: 'Invoices' };
    await runWorkflow(
      [emit({ operation: 'error' })],
      [{ json: { trigger: { error, mode: 'trigger' }, workflow } }],
    );
    expect(events()[0]).toMatchObject({ workflow_id: 'wf-failed', error_message: 'Queue is gone' });
    expect(events()[0]).not.toHaveProperty('execution_id');
  });

  it('is read from an item of an error output', async () => {
    await runWorkflow(
      [emit({ operation: 'error' })],
      [{ json: { id: 1 } }, { json: { id: 2, error: 'No such customer' } }],
    );
    expect(events()).toHaveLength(1);
    expect(events()[0]).toMatchObject({
      source_id: 'wf-1',
      error_type: 'Error',
      error_message: 'No such customer',
    });
  });

  it('may be described by hand, and says so when nobody described it', async () => {
    const additionalFields = { error_type: 'Quota', error_message: 'Out of credit' };
    await runWorkflow([emit({ operation: 'error', additionalFields })]);
    await runWorkflow([emit({ operation: 'error' })]);
    expect(events()[0]).toMatchObject(additionalFields);
    expect(events()[1].error_message).toBe('The input item holds no error details');
  });
});

describe('a step', () => {
  const start = (step: string): Step => emit({ operation: 'startStep', step }, `Start ${step}`);
  const end = (step: string): Step => emit({ operation: 'endStep', step }, `End ${step}`);

  it('is timed from its start to its end, across nodes and inside other steps', async () => {
    let now = 1_000_000;
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => now);
    const pass = (name: string, ms: number): Step => ({ name, does: () => void (now += ms) });
    await runWorkflow([
      start('outer'),
      pass('A', 300),
      start('inner'),
      pass('B', 40),
      end('inner'),
      pass('C', 5),
      end('outer'),
    ]);
    clock.mockRestore();
    expect(events().map(({ operation, duration_ms }) => [operation, duration_ms])).toEqual([
      ['inner', 40],
      ['outer', 345],
    ]);
  });

  it('keeps its start in the execution itself, where a pause does not lose it', async () => {
    const { run } = await runWorkflow([start('enrich')]);
    expect(run.data.executionData?.contextData.flow).toEqual({
      rollcallSteps: { enrich: expect.any(Number) },
    });
    expect(received).toEqual([]);
  });

  it('that never started is not reported, and the editor says why', async () => {
    const { run, task, output } = await runWorkflow([end('ghost')], [{ json: { a: 1 } }]);
    expect(run.status).toBe('success');
    expect(received).toEqual([]);
    expect(output('End ghost')[0]?.json).toEqual({ a: 1 });
    expect(task('End ghost').hints?.[0]?.message).toContain('No Start Step with this step name');
  });

  it('holds at most a hundred open starts', async () => {
    const starts = Array.from({ length: 130 }, (_, index) => start(`s${index}`));
    const { run } = await runWorkflow(starts);
    const { rollcallSteps } = run.data.executionData?.contextData.flow as never;
    expect(Object.keys(rollcallSteps)).toHaveLength(100);
    expect(Object.keys(rollcallSteps)).toContain('s129');
  });
});
