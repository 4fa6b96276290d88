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
const trace = () => randomUUID().replaceAll('-', '');

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
