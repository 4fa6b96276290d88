import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';

let server: TestRollcall;
let rollcall: FreshTenant;
beforeAll(async () => {
  server = await startTestRollcall();
});
afterAll(() => server.stop());
beforeEach(async () => {
  rollcall = await freshTenant(server);
});

const at = (milliseconds: number) =>
  new Date(rollcall.clock.now().getTime() - 3_600_000 + milliseconds).toISOString();
const line = (eventName: string, milliseconds: number, payload: object = {}) => ({
  id: randomUUID(),
  eventName,
  ts: at(milliseconds),
  payload: { executionId: '1', workflowId: 'w', ...payload },
});
const started = (nodeName: string, milliseconds: number, nodeType = 'n8n-nodes-base.set') =>
  line('n8n.node.started', milliseconds, { nodeName, nodeType });
const finished = (nodeName: string, milliseconds: number, nodeType = 'n8n-nodes-base.set') =>
  line('n8n.node.finished', milliseconds, { nodeName, nodeType });

async function tell(...lines: object[]): Promise<void> {
  const { status, body } = await rollcall.post('/api/v1/n8n/webhook', lines);
  expect([status, body.rejected]).toEqual([200, 0]);
}
interface Run {
  node_name: string;
  run_index: number;
  status: string;
  duration_ms: number | null;
  error: { message: string } | null;
}
const runs = async () =>
  ((await rollcall.get('/api/v1/executions/1')).body.node_executions as Run[]).map(
    ({ node_name, run_index, status, duration_ms }) =>
      `${node_name} ${run_index} ${status} ${duration_ms}`,
  );

/** Two nodes in a loop of three, and all in one millisecond in the second turn. */
const loop = () => [
  line('n8n.workflow.started', 0),
  started('Loop', 1),
  finished('Loop', 3),
  started('Body', 3),
  finished('Body', 10),
  ...[20, 30].flatMap((from) => [
    started('Loop', from),
    finished('Loop', from),
    started('Body', from),
    finished('Body', from + (from === 30 ? 5 : 0)),
  ]),
  line('n8n.workflow.success', 40),
];
const LOOPED = [
  'Loop 0 success 2',
  'Body 0 success 7',
  'Body 1 success 0',
  'Loop 1 success 0',
  'Body 2 success 5',
  'Loop 2 success 0',
];

test('a node that begins in one line and ends in another has a duration', async () => {
  await tell(started('A', 0));
  expect(await runs()).toEqual(['A 0 running null']);
  await tell(finished('A', 12));
  expect(await runs()).toEqual(['A 0 success 12']);
});

test('the n-th time that a node runs is a run of its own', async () => {
  await tell(...loop());
  expect(await runs()).toEqual(LOOPED);
});

test('in any order, in any portions and any number of times it is the same', async () => {
  const lines = loop();
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(lines, { minLength: lines.length }),
      fc.integer({ min: 1, max: lines.length }),
      fc.subarray(lines),
      async (shuffled, size, again) => {
        rollcall = await freshTenant(server);
        const all = [...shuffled, ...again];
        for (let from = 0; from < all.length; from += size) {
          await tell(...all.slice(from, from + size));
        }
        expect(await runs()).toEqual(LOOPED);
      },
    ),
    { numRuns: 15 },
  );
});

test('the node that a run failed at failed in its latest run', async () => {
  const failure = { lastNodeExecuted: 'A', errorMessage: 'no' };
  await tell(started('A', 0), finished('A', 5), started('A', 10), finished('A', 14));
  await tell(line('n8n.workflow.failed', 14, failure));
  expect(await runs()).toEqual(['A 0 success 5', 'A 1 error 4']);
  const { body } = await rollcall.get('/api/v1/executions/1');
  expect(body.node_executions[1].error).toEqual({ message: 'no' });
});

describe('a node that its run waited in', () => {
  const lines = (nodeType: string) => [
    line('n8n.workflow.started', 0),
    started('Wait', 1, nodeType),
    finished('Wait', 2, nodeType),
    started('Wait', 5_000, nodeType),
    finished('Wait', 5_001, nodeType),
    started('After', 5_001),
    finished('After', 5_002),
  ];
  const once = ['Wait 0 success 5000', 'After 0 success 1'];

  test('ran once, when somebody told of the pause, before or after', async () => {
    const paused = line('n8n.audit.workflow.waiting', 3);
    await tell(...lines('n8n-nodes-base.slack'));
    expect(await runs()).toHaveLength(3);
    await tell(paused);
    expect(await runs()).toEqual(once);
  });

  test('ran once, when it is a node that does nothing else', async () => {
    await tell(...lines('n8n-nodes-base.wait'));
    expect(await runs()).toEqual(once);
  });

  test('and comes round to again ran twice', async () => {
    const wait = 'n8n-nodes-base.wait';
    await tell(started('Wait', 1, wait), finished('Wait', 2, wait), started('Set', 3));
    await tell(started('Wait', 4, wait), finished('Wait', 6, wait));
    expect(await runs()).toEqual(['Wait 0 success 1', 'Set 0 running null', 'Wait 1 success 2']);
  });
});

test('what hooks tell of the same runs goes with it', async () => {
  await tell(...loop());
  const body = {
    workflow_id: 'w',
    execution_id: '1',
    source: 'hooks',
    status: 'success',
    node_executions: [0, 1, 2].map((run_index) => ({
      node_name: 'Body',
      run_index,
      status: 'success',
      items_out: run_index,
      duration_ms: 100,
    })),
  };
  await rollcall.post('/api/v1/executions/ingest', body);
  const { body: detail } = await rollcall.get('/api/v1/executions/1');
  expect(detail.node_executions).toHaveLength(6);
  expect(
    (detail.node_executions as { node_name: string; items_out: number }[])
      .filter(({ node_name }) => node_name === 'Body')
      .map(({ items_out }) => items_out),
  ).toEqual([0, 1, 2]);
});

test('two executions that turn out to be one bring their moments together', async () => {
  const names = { workflow_id: 'w', session_id: 's', started_at: at(0), source: 'log' };
  const mark = (kind: string, milliseconds: number) => ({
    node_name: 'A',
    kind,
    at: at(milliseconds),
  });
  const send = async (report: object) =>
    (await rollcall.post('/api/v1/executions/ingest', { status: 'running', ...report })).body;
  await send({ ...names, node_marks: [mark('started', 20), mark('finished', 29)] });
  await tell(started('A', 0), finished('A', 5));
  await send({ ...names, execution_id: '1' });
  expect(await runs()).toEqual(['A 0 success 5', 'A 1 success 9']);
});

test('of a node that runs without end a thousand runs are kept', async () => {
  const node_marks = Array.from({ length: 2_400 }, (_, index) => ({
    node_name: 'A',
    kind: index % 2 === 0 ? 'started' : 'finished',
    at: at(index),
  }));
  const report = { workflow_id: 'w', execution_id: '1', source: 'log', status: 'running' };
  await rollcall.post('/api/v1/executions/ingest', { ...report, node_marks });
  const counted = async (table: string) =>
    (await rollcall.sql(`select from rollcall.${table} where tenant_id = $1`, [rollcall.tenant]))
      .length;
  expect([await counted('node_executions'), await counted('node_marks')]).toEqual([1_000, 2_000]);
});

test('a mark that names no node is refused, unless it is of the whole run', async () => {
  const send = (mark: object) =>
    rollcall.post('/api/v1/executions/ingest', {
      workflow_id: 'w',
      execution_id: '1',
      status: 'running',
      node_marks: [{ at: at(0), ...mark }],
    });
  expect((await send({ kind: 'paused' })).status).toBe(201);
  for (const mark of [{ kind: 'started' }, { kind: 'paused', node_name: 'A' }]) {
    const { status, body } = await send(mark);
    expect([status, body.errors]).toMatchObject([422, [{ path: 'node_marks.0.node_name' }]]);
  }
});

describe('a report that brings no new node', () => {
  const report = (node: object) =>
    rollcall.post('/api/v1/executions/ingest', {
      workflow_id: 'w',
      execution_id: '1',
      status: 'success',
      at: at(0),
      node_executions: [{ node_name: 'A', status: 'success', completed_at: at(0), ...node }],
    });

  test('but changes one is an update', async () => {
    await report({});
    const { body } = await report({ items_out: 3 });
    expect([body.status, body.stored.node_executions]).toEqual(['updated', 0]);
  });

  test('and changes none is a duplicate, an older word too', async () => {
    const older = { status: 'running', completed_at: undefined, started_at: at(-9) };
    await report({ items_out: 3, metadata: { none: null } });
    await report(older);
    for (const node of [{ items_out: 3 }, {}, older, { metadata: { none: null } }]) {
      expect((await report(node)).body.status).toBe('duplicate');
    }
  });

  test('but a moment of one is an update, and a duplicate the second time', async () => {
    await report({});
    const marked = () =>
      rollcall.post('/api/v1/executions/ingest', {
        workflow_id: 'w',
        execution_id: '1',
        status: 'success',
        at: at(0),
        node_marks: [{ node_name: 'A', kind: 'started', at: at(-5) }],
      });
    expect((await marked()).body.status).toBe('updated');
    expect((await marked()).body.status).toBe('duplicate');
  });
});
