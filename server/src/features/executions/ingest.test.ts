import { randomUUID } from 'node:crypto';
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
