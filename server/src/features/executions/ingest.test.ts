import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
afterAll(() => rollcall.stop());

const at = (seconds: number) =>
  new Date(rollcall.clock.now().getTime() - 600_000 + seconds * 1000).toISOString();
const send = (body: unknown) => rollcall.post('/api/v1/executions/ingest', body);
const rows = (table: string, id: string) =>
  rollcall.sql<Record<string, unknown>>(`select * from rollcall.${table} where id = $1`, [id]);
const one = async (id: string) => (await rows('executions', id))[0] as Record<string, unknown>;
const trace = () => randomUUID().replaceAll('-', '');
const span = (trace_id: string, more: object = {}) => ({
  trace_id,
  span_id: trace().slice(0, 16),
  name: 'work',
  started_at: at(1),
  ...more,
});

const whole = (more: object = {}) => ({
  workflow_id: 'agora',
  session_id: randomUUID(),
  status: 'success',
  started_at: at(0),
  completed_at: at(5),
  duration_ms: 5000,
  node_executions: [
    {
      node_id: 'node-uuid',
      node_name: 'processor',
      node_type: 'AuditedNode',
      status: 'success',
      started_at: at(1),
      prep_duration_ms: 1,
      exec_duration_ms: 100,
      post_duration_ms: 2,
    },
    { node_name: 'validator', status: 'error', error: { type: 'Bad', message: 'no' } },
  ],
  telemetry_spans: [span(trace())],
  telemetry_events: [{ name: 'node.started', at: at(1), node_name: 'processor' }],
  shared_state_snapshots: [
    { at: at(1), state: { count: 1 } },
    { at: at(2), state: { count: 2 } },
  ],
  ...more,
});

describe('one call', () => {
  test('writes the execution with all that is below it, and answers its id', async () => {
    const { status, body } = await send(whole());
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(String),
      execution_id: body.id,
      status: 'created',
      run_status: 'success',
      stored: {
        node_executions: 2,
        telemetry_spans: 1,
        telemetry_events: 1,
        shared_state_snapshots: 2,
      },
    });
    expect(await one(body.id)).toMatchObject({
      workflow_id: 'agora',
      status: 'success',
      duration_ms: 5000,
      started_at: new Date(at(0)),
      project_id: 'default',
      sources: ['client'],
    });
    const nodes = await rows('node_executions', body.id);
    expect(nodes).toHaveLength(2);
    expect(nodes.find(({ node_name }) => node_name === 'processor')).toMatchObject({
      node_id: 'node-uuid',
      exec_duration_ms: 100,
    });
    const states = await rows('shared_state_snapshots', body.id);
    expect(states.map(({ sequence, state }) => [sequence, state])).toEqual([
      [0, { count: 1 }],
      [1, { count: 2 }],
    ]);
  });

  test('takes times without an offset as UTC', async () => {
    const day = at(0).slice(0, 19);
    const { status, body } = await send({
      workflow_id: 'agora',
      session_id: 'naive',
      status: 'success',
      started_at: day,
      completed_at: day,
    });
    expect(status).toBe(201);
    expect((await one(body.id)).started_at).toEqual(new Date(`${day}Z`));
  });

  test('repeated changes nothing, and answers the same id', async () => {
    const report = whole();
    const first = await send(report);
    const again = await send(report);
    expect([again.status, again.body.status]).toEqual([200, 'duplicate']);
    expect(again.body.id).toBe(first.body.id);
    expect(again.body.stored).toEqual({
      node_executions: 0,
      telemetry_spans: 0,
      telemetry_events: 0,
      shared_state_snapshots: 0,
    });
    expect(await rows('telemetry_events', first.body.id)).toHaveLength(1);
  });

  test('leaves nothing behind when something in it is wrong', async () => {
    const session_id = randomUUID();
    const broken = [
      whole({ session_id, telemetry_spans: [span(trace()), span('nonsense')] }),
      whole({ session_id, node_executions: [{ node_name: 'a', status: 'dancing' }] }),
      whole({ session_id, project_id: 'nowhere' }),
      whole({
        session_id,
        telemetry_spans: [span(trace(), { started_at: '2001-01-01T00:00:00Z' })],
      }),
      whole({ session_id, started_at: '2199-01-01T00:00:00Z' }),
      whole({ session_id, shared_state_snapshots: [{ at: at(1), state: 'a\0b' }] }),
      whole({ session_id, unheard: 1 }),
    ];
    const paths = [];
    for (const report of broken) {
      const { status, body } = await send(report);
      expect(status).toBe(422);
      paths.push(body.errors[0].path);
    }
    expect(paths).toEqual([
      'telemetry_spans.1.trace_id',
      'node_executions.0.status',
      'project_id',
      'telemetry_spans.0.started_at',
      'started_at',
      'shared_state_snapshots.0.state',
      'unheard',
    ]);
    const left = await rollcall.sql('select from rollcall.executions where session_id = $1', [
      session_id,
    ]);
    expect(left).toHaveLength(0);
  });

  test('asks how the run is found again', async () => {
    const { status, body } = await send({ workflow_id: 'w', status: 'success', session_id: 's' });
    expect(status).toBe(422);
    expect(body.errors[0]).toMatchObject({ path: 'execution_id', code: 'required' });
  });

  test('redacts what looks like a secret, wherever it stands', async () => {
    const secret = 'rc_abcdefghijklmnopqrstuvwxyz';
    const { body } = await send(
      whole({
        status: 'error',
        error: { message: `key ${secret}`, stack: secret },
        metadata: { note: secret },
        telemetry_spans: [span(trace(), { attributes: { password: 'x', note: secret } })],
        telemetry_events: [{ name: 'e', at: at(1), message: secret, data: { note: secret } }],
        shared_state_snapshots: [{ at: at(1), state: [secret] }],
      }),
    );
    for (const table of [
      'executions',
      'telemetry_spans',
      'telemetry_events',
      'shared_state_snapshots',
    ]) {
      expect(JSON.stringify(await rows(table, body.id))).not.toContain(secret);
    }
  });

  test('gives a node the same id every time, its own where that was told', async () => {
    const ids = async (nodes: object[]) => {
      const report = whole({ workflow_id: 'named', node_executions: nodes });
      const { body } = await send(report);
      const stored = await rows('node_executions', body.id);
      return Object.fromEntries(stored.map(({ node_name, node_id }) => [node_name, node_id]));
    };
    const [a, b] = [
      { node_name: 'A', status: 'success' },
      { node_name: 'B', status: 'success' },
    ];
    const first = await ids([a, { ...b, node_id: 'b-1' }]);
    expect(await ids([a, b])).toEqual(first);
    expect(first.B).toBe('b-1');
  });

  test('moves the activity of its workflow', async () => {
    await send(whole({ workflow_id: 'moved' }));
    const [activity] = await rollcall.sql(
      "select last_seen from rollcall.activity where entity_id = 'moved'",
    );
    expect(activity).toEqual({ last_seen: new Date(at(5)) });
  });
});

describe('reports of one run', () => {
  const run = (id: string, more: object) => ({ workflow_id: 'w', execution_id: id, ...more });
  const reports = (id: string) => [
    run(id, { source: 'hooks', instance_id: 'i', status: 'running', mode: 'webhook', at: at(0) }),
    run(id, {
      source: 'hooks',
      instance_id: 'i',
      status: 'error',
      started_at: at(0),
      completed_at: at(9),
      error: { type: 'NodeApiError', message: 'from hooks', node: 'Call' },
      node_executions: [{ node_name: 'Call', status: 'error', duration_ms: 8, items_in: 2 }],
    }),
    run(id, {
      source: 'otlp',
      instance_id: 'i',
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      status: 'error',
      started_at: at(1),
      completed_at: at(8),
      workflow_version: 'v1',
      node_executions: [{ node_name: 'Call', node_id: 'n', status: 'error', duration_ms: 7 }],
    }),
    run(id, { source: 'log', status: 'error', at: at(10), error: { message: 'from log' } }),
    run(id, { source: 'emit', status: 'running', at: at(4), metadata: { step: 'two' } }),
  ];

  test('become one execution with the best of each, in any order and any company', async () => {
    let expected: unknown;
    const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 0, 2], { minLength: 7 });
    await fc.assert(
      fc.asyncProperty(order, fc.boolean(), async (places, together) => {
        const id = randomUUID();
        const told = reports(id);
        const sendings = places.map((place) => () => send(told[place]));
        const answers = together
          ? await Promise.all(sendings.map((sending) => sending()))
          : await inTurn(sendings);
        const ids = new Set(answers.map(({ body }) => body.id as string));
        const stored = await rollcall.sql<Record<string, unknown>>(
          'select * from rollcall.executions where execution_id = $1',
          [id],
        );
        expect(stored).toHaveLength(1);
        const final = stored[0] as Record<string, unknown>;
        expect(ids.has(final.id as string)).toBe(true);
        const nodes = await rollcall.sql<Record<string, unknown>>(
          'select source, node_id, duration_ms from rollcall.node_executions where id = $1 order by 1',
          [final.id],
        );
        for (const field of ['id', 'execution_id', 'first_reported_at', 'updated_at', 'said'])
          delete final[field];
        expected ??= {
          final,
          nodes: nodes.map(({ source, duration_ms }) => [source, duration_ms]),
        };
        expect({
          final,
          nodes: nodes.map(({ source, duration_ms }) => [source, duration_ms]),
        }).toEqual(expected);
      }),
      { numRuns: 25 },
    );
    expect(expected).toMatchObject({
      final: {
        status: 'error',
        started_at: new Date(at(0)),
        completed_at: new Date(at(9)),
        error_type: 'NodeApiError',
        error_message: 'from hooks',
        workflow_version: 'v1',
        mode: 'webhook',
        metadata: { step: 'two' },
        sources: ['emit', 'hooks', 'log', 'otlp'],
      },
      nodes: [
        ['hooks', 8],
        ['otlp', 7],
      ],
    });
  });

  test('of two instances stay two, though workflow and number are the same', async () => {
    const id = randomUUID();
    const ids = await inTurn(
      ['a', 'b', 'a', 'b'].map(
        (instance_id) => () => send(run(id, { instance_id, status: 'success', at: at(1) })),
      ),
    );
    const [a, b, again, bAgain] = ids.map(({ body }) => body.id as string);
    expect(a).not.toBe(b);
    expect([again, bAgain]).toEqual([a, b]);
  });

  test('that turn out to be one are united', async () => {
    const trace_id = trace();
    const id = randomUUID();
    const early = await send({ workflow_id: 'w', trace_id, status: 'running', at: at(1) });
    const known = await send(run(id, { status: 'running', at: at(1) }));
    expect(early.body.id).not.toBe(known.body.id);
    const both = await send(run(id, { trace_id, status: 'success', at: at(2) }));
    expect(both.body.id).toBe(early.body.id);
    expect(await rows('executions', known.body.id)).toHaveLength(0);
    expect((await send(run(id, { status: 'running', at: at(1) }))).body.id).toBe(early.body.id);
  });

  test('in one trace stay apart, as a sub-workflow and its caller', async () => {
    const trace_id = trace();
    const [a, b] = [randomUUID(), randomUUID()];
    const first = await send(run(a, { trace_id, status: 'success', at: at(1) }));
    const second = await send(run(b, { trace_id, status: 'success', at: at(1) }));
    expect(first.body.id).not.toBe(second.body.id);
  });
});

test('n8n’s words for a status mean ours', async () => {
  const meant = [];
  for (const status of [
    'new',
    'running',
    'waiting',
    'success',
    'error',
    'crashed',
    'canceled',
    'unknown',
  ]) {
    const { body } = await send({ workflow_id: 'w', execution_id: `status-${status}`, status });
    meant.push(body.run_status);
  }
  expect(meant).toEqual([
    'queued',
    'running',
    'waiting',
    'success',
    'error',
    'error',
    'cancelled',
    'running',
  ]);
});

test('waiting, running again and done are one run, told in any order', async () => {
  const words = [
    { status: 'waiting', at: at(1), wait_till: at(100) },
    { status: 'running', at: at(2) },
    { status: 'success', at: at(3) },
    { status: 'unknown', at: at(4) },
  ];
  const seen = [];
  for (const order of [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [1, 0, 3],
    [0, 3],
  ]) {
    const execution_id = randomUUID();
    let last = '';
    for (const place of order) {
      last = (await send({ workflow_id: 'w', execution_id, ...words[place] })).body.run_status;
    }
    seen.push(last);
  }
  expect(seen).toEqual(['success', 'success', 'running', 'waiting']);
});

async function inTurn<Result>(works: (() => Promise<Result>)[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const work of works) results.push(await work());
  return results;
}
