import { randomUUID } from 'node:crypto';
import type { ExecutionReport } from '@rollcall/client/contract';
import fc from 'fast-check';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { connectPostgres } from '../../platform/database/postgres.ts';
import { createRedactor } from '../../platform/redact.ts';
import { executionIntake, type ReportResult } from './executions.ts';
import { executionsStore } from './executions.store.ts';

let rollcall: TestRollcall;
let close: () => Promise<void>;
/** Reports that go into one transaction together. */
let together: (reports: ExecutionReport[]) => Promise<ReportResult[]>;
beforeAll(async () => {
  rollcall = await startTestRollcall();
  const database = connectPostgres({
    url: rollcall.databaseUrl,
    connections: 2,
    timeoutMs: 10_000,
    onIdleError: () => undefined,
  });
  const { report } = executionIntake({
    store: executionsStore(database),
    redactor: createRedactor([], []),
    clock: rollcall.clock.now,
    days: 90,
  });
  together = (reports) => report({ tenant: 'default', project: 'default', actor: 'test' }, reports);
  close = () => database.close();
});
afterAll(async () => {
  await close();
  await rollcall.stop();
});

const at = (seconds: number) =>
  new Date(rollcall.clock.now().getTime() - 600_000 + seconds * 1000).toISOString();
const trace = () => randomUUID().replaceAll('-', '');
const run = (more: Partial<ExecutionReport>): ExecutionReport => ({
  workflow_id: 'w',
  status: 'running',
  at: at(1),
  ...more,
});
const send = async (report: object) => {
  const { status, body } = await rollcall.post('/api/v1/executions/ingest', report);
  expect([status, body.code]).toEqual([expect.any(Number), undefined]);
  return body as { id: string; status: string; run_status: string };
};
const stored = (ids: string[]) =>
  rollcall.sql<Record<string, unknown>>('select * from rollcall.executions where id = any ($1)', [
    ids,
  ]);
const nodesOf = (id: string) =>
  rollcall.sql<Record<string, unknown>>(
    'select * from rollcall.node_executions where id = $1 order by node_name',
    [id],
  );

describe('in one transaction', () => {
  test('two reports that know one run by different keys are one', async () => {
    const names = { execution_id: randomUUID(), session_id: randomUUID(), started_at: at(0) };
    const { id } = await send(run(names));
    const node = { node_name: 'A', status: 'success' as const };
    const results = await together([
      run({ execution_id: names.execution_id, status: 'success', at: at(9), last_node: 'A' }),
      run({
        session_id: names.session_id,
        started_at: names.started_at,
        mode: 'webhook',
        node_executions: [node],
      }),
    ]);
    expect(results.map((result) => [result.status, result.id])).toEqual([
      ['updated', id],
      ['updated', id],
    ]);
    expect(await stored([id])).toMatchObject([
      { status: 'success', last_node: 'A', mode: 'webhook' },
    ]);
    expect(await nodesOf(id)).toHaveLength(1);
  });

  test('two reports that tell of the same node of one run under different keys', async () => {
    const names = { execution_id: randomUUID(), session_id: randomUUID(), started_at: at(0) };
    const { id } = await send(run(names));
    await together([
      run({
        execution_id: names.execution_id,
        node_executions: [{ node_name: 'A', status: 'running', started_at: at(1), items_in: 3 }],
      }),
      run({
        session_id: names.session_id,
        started_at: names.started_at,
        node_executions: [{ node_name: 'A', status: 'success', completed_at: at(2) }],
      }),
    ]);
    expect(await nodesOf(id)).toMatchObject([{ status: 'success', items_in: '3' }]);
  });

  test('a chain of runs that turn out to be one loses nothing', async () => {
    const names = ['a', 'b', 'c'].map(() => ({ session_id: randomUUID(), started_at: at(0) }));
    const executions = names.map(() => randomUUID());
    const node = (name: string) => [{ node_name: name, status: 'success' as const }];
    const ids: string[] = [];
    for (const [place, name] of names.entries()) {
      ids.push((await send(run({ ...name, node_executions: node(`own ${place}`) }))).id);
    }
    const [a, b, c] = names as [object, object, object];
    const [x, y] = executions as [string, string];
    await send(run({ ...b, execution_id: x }));
    await send(run({ ...c, execution_id: y }));
    // The one joins a with b; the other names b and c, of which b is gone by then.
    await together([
      run({ ...a, execution_id: x, node_executions: node('first') }),
      run({ ...b, execution_id: y, node_executions: node('second') }),
    ]);
    const left = await stored(ids);
    expect(left).toHaveLength(1);
    const nodes = await nodesOf(left[0]?.id as string);
    expect(nodes.map(({ node_name }) => node_name)).toEqual([
      'first',
      'own 0',
      'own 1',
      'own 2',
      'second',
    ]);
  });
});

test('a session that was told by two instances stays one run, however often it is told', async () => {
  const names = { session_id: randomUUID(), started_at: at(0) };
  const ids = new Set<string>();
  for (const instance_id of ['a', 'b', 'a', 'b', 'b']) {
    ids.add((await send(run({ ...names, instance_id }))).id);
  }
  expect(ids.size).toBe(1);
});

test('what was united is still found by the id that was answered first', async () => {
  const names = { trace_id: trace(), execution_id: randomUUID() };
  const early = await send(run({ trace_id: names.trace_id }));
  const known = await send(run({ execution_id: names.execution_id }));
  const both = await send(run({ ...names, status: 'success', at: at(2) }));
  for (const { id } of [early, known, both]) {
    const { status, body } = await rollcall.get(`/api/v1/executions/${id}`);
    expect([status, body.id, body.status]).toEqual([200, both.id, 'success']);
  }
});

test('a run that waited began when it began, and took all that time', async () => {
  const legs: Partial<ExecutionReport>[] = [
    { status: 'waiting', started_at: at(10), at: at(12), duration_ms: 2_000 },
    {
      status: 'success',
      started_at: at(100),
      completed_at: at(103),
      at: at(103),
      duration_ms: 3_000,
    },
  ];
  for (const order of [legs, legs.toReversed()]) {
    const execution_id = randomUUID();
    let id = '';
    for (const leg of order) ({ id } = await send(run({ execution_id, source: 'hooks', ...leg })));
    expect(await stored([id])).toMatchObject([
      { status: 'success', started_at: new Date(at(10)), duration_ms: 93_000 },
    ]);
  }
});

test('a crash is an error of its own kind only where nobody knows better', async () => {
  const words: Partial<ExecutionReport>[] = [
    { source: 'log', status: 'crashed', at: at(9) },
    { source: 'log', status: 'error', at: at(8), error: { type: 'OutOfMemory', message: 'no' } },
  ];
  for (const order of [words, words.toReversed()]) {
    const execution_id = randomUUID();
    let id = '';
    for (const word of order) ({ id } = await send(run({ execution_id, ...word })));
    expect(await stored([id])).toMatchObject([{ status: 'error', error_type: 'OutOfMemory' }]);
  }
  const { id } = await send(run({ execution_id: randomUUID(), status: 'crashed' }));
  expect(await stored([id])).toMatchObject([{ status: 'error', error_type: 'crashed' }]);
});

test('where tracing and a client disagree on when, tracing is believed', async () => {
  const execution_id = randomUUID();
  const told = [
    { source: 'client' as const, started_at: at(5) },
    { source: 'otlp' as const, started_at: at(4) },
    { source: 'hooks' as const, started_at: at(3) },
    { source: 'log' as const, started_at: at(2) },
  ];
  let id = '';
  for (const word of told) ({ id } = await send(run({ execution_id, ...word })));
  expect(await stored([id])).toMatchObject([{ started_at: new Date(at(3)) }]);
});

describe('whatever is told of one run', () => {
  const status = fc.constantFrom<ExecutionReport['status']>(
    'new', 'running', 'waiting', 'success', 'error', 'crashed', 'canceled', 'unknown', 'lost',
  ); // prettier-ignore
  const moment = fc.integer({ min: 0, max: 3 }).map(at);
  const word = fc.record(
    {
      source: fc.constantFrom<NonNullable<ExecutionReport['source']>>(
        'hooks',
        'otlp',
        'log',
        'emit',
      ),
      status,
      at: moment,
      started_at: moment,
      completed_at: moment,
      duration_ms: fc.integer({ min: 0, max: 3 }),
      mode: fc.constantFrom('trigger', 'webhook', 'é'),
      trace_id: fc.constantFrom('1'.repeat(32), '2'.repeat(32)),
      instance_id: fc.constant('i'),
      tokens_used: fc.integer({ min: 0, max: 3 }),
      metadata: fc.record({ x: fc.constantFrom(1, 'a', [2], { y: 'b' }) }),
      error: fc.record({ type: fc.constantFrom('A', 'B'), message: fc.constantFrom('m', 'n') }),
    },
    { requiredKeys: ['source', 'status', 'at'] },
  );

  test('the execution is the same in any order and any company', async () => {
    const told = fc
      .array(word, { minLength: 2, maxLength: 6 })
      .chain((words) =>
        fc.tuple(
          fc.constant(words),
          fc.shuffledSubarray(words, { minLength: words.length }),
          fc.integer({ min: 1, max: 6 }),
        ),
      );
    await fc.assert(
      fc.asyncProperty(told, async ([words, shuffled, size]) => {
        const runs = [];
        for (const [order, group] of [
          [words, 1],
          [shuffled, size],
        ] as const) {
          const execution_id = randomUUID();
          // A trace would tie it to the runs before.
          const named = order.map((one) =>
            run({ ...one, execution_id, workflow_id: execution_id }),
          );
          for (let from = 0; from < named.length; from += group) {
            await together(named.slice(from, from + group));
          }
          const rows = await rollcall.sql<Record<string, unknown>>(
            `select status, status_at, mode, began, started_at, completed_at, duration_ms, instance_id, trace_id, error_type,
                    error_message, tokens_used, metadata, sources, lost_at, late_end
               from rollcall.executions where execution_id = $1`,
            [execution_id],
          );
          expect(rows).toHaveLength(1);
          runs.push(rows[0]);
        }
        expect(runs[1]).toEqual(runs[0]);
      }),
      { numRuns: 120 },
    );
  });
});
