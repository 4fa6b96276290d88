import fc from 'fast-check';
import { n8nRun, type SpanDraft } from '../../../../test/rollcall/otlp.ts';
import { startSecondRollcall, type SecondRollcall } from '../../../../test/rollcall/second.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { sendTraces, tracedRows } from '../../../../test/rollcall/traces.ts';

let rollcall: TestRollcall;
let second: SecondRollcall;
/** A run that called a sub-workflow, asked a model, waited and went on: 14 spans of one trace. */
let story: SpanDraft[];
let told: Awaited<ReturnType<typeof tracedRows>>;

beforeAll(async () => {
  rollcall = await startTestRollcall();
  second = await startSecondRollcall(rollcall);
  const startedAt = rollcall.clock.now().getTime() - 60_000;
  const run = (more: Partial<Parameters<typeof n8nRun>[0]>) => {
    const { workflow, nodes } = n8nRun({
      trace: 1,
      span: 0x10,
      startedAt,
      workflow: 'orders',
      execution: '7',
      nodes: [],
      ...more,
    });
    return [...nodes, workflow];
  };
  const call = (span: number, parent: number, attributes = {}): SpanDraft => ({
    trace: 1,
    span,
    parent,
    name: 'call',
    startedAt: startedAt + 15,
    attributes,
  });
  story = [
    ...run({ nodes: ['Start', 'Ask', 'Ask', 'Ask'], status: 'waiting' }),
    // A model's call below a node, and what it did in turn.
    call(0x50, 0x12, { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'm' }),
    call(0x51, 0x50),
    ...run({
      span: 0x20,
      parent: 0x10,
      startedAt: startedAt + 20,
      workflow: 'prices',
      execution: '8',
      nodes: ['Look up'],
    }),
    // A sub-workflow's sub-workflow, which something lies before.
    call(0x60, 0x21),
    ...run({
      span: 0x30,
      parent: 0x60,
      startedAt: startedAt + 25,
      workflow: 'rates',
      execution: '9',
      nodes: ['Fetch'],
      status: 'error',
    }),
    ...run({
      span: 0x40,
      parent: 0x10,
      startedAt: startedAt + 30_000,
      // The first is the node that it waited in, told again.
      nodes: ['Ask', 'Ask'],
      links: [{ trace: 1, span: 0x10, attributes: { 'n8n.continuation.reason': 'resume' } }],
    }),
  ];
  told = await afterwards([story]);
});
afterAll(async () => {
  await second.stop();
  await rollcall.stop();
});

let count = 0;

/** What is there after these requests, one after another, or all at once to two servers. */
async function afterwards(requests: SpanDraft[][], atOnce = false) {
  const tenant = `arrival-${count++}`;
  const key = await rollcall.keyFor(tenant);
  const send = async (spans: SpanDraft[], index: number) => {
    const { url } = atOnce && index % 2 === 1 ? second : rollcall;
    const { status, bytes } = await sendTraces({ url, key }, spans);
    expect([status, bytes.toString()]).toEqual([200, '']);
  };
  if (atOnce) await Promise.all(requests.map(send));
  else for (const [index, spans] of requests.entries()) await send(spans, index);
  return tracedRows(rollcall, tenant);
}

test('all at once it is three executions, each with its nodes and its parent', () => {
  expect(
    told.executions.map(({ execution_id, status, parent_execution_id }) => [
      execution_id,
      status,
      parent_execution_id,
    ]),
  ).toEqual([
    ['7', 'success', null],
    ['8', 'success', '7'],
    ['9', 'error', '8'],
  ]);
  expect(
    told.nodes.map(({ execution_id, node_name, run_index }) => [
      execution_id,
      node_name,
      run_index,
    ]),
  ).toEqual([
    ['7', 'Start', 0],
    ['7', 'Ask', 0],
    ['7', 'Ask', 1],
    ['7', 'Ask', 2],
    ['7', 'Ask', 3],
    ['8', 'Look up', 0],
    ['9', 'Fetch', 0],
  ]);
  expect(told.spans.map(({ execution_id }) => execution_id)).not.toContain(null);
});

test.each([
  ['as n8n sends it: what ends first comes first', () => story],
  ['from the end', () => story.toReversed()],
  ['workflows before their nodes', () => story.toSorted((a, b) => b.name.localeCompare(a.name))],
])('span by span, %s, it is the same', async (_, ordered) => {
  expect(await afterwards(ordered().map((span) => [span]))).toEqual(told);
});

test('in any order, in any requests, some of them twice, it is the same', async () => {
  const orders = fc
    .tuple(
      fc.shuffledSubarray([...story.keys()], { minLength: story.length }),
      fc.array(fc.nat(story.length - 1), { maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: story.length, maxLength: 20 }),
    )
    .map(([order, again, sizes]) => {
      const rest = [...order, ...again].map((index) => story[index] as SpanDraft);
      const requests: SpanDraft[][] = [];
      for (const size of sizes) if (rest.length > 0) requests.push(rest.splice(0, size));
      return [...requests, ...(rest.length > 0 ? [rest] : [])];
    });
  await fc.assert(
    fc.asyncProperty(orders, fc.boolean(), async (requests, atOnce) => {
      expect(await afterwards(requests, atOnce)).toEqual(told);
    }),
    { numRuns: 25 },
  );
});

test('span by span to two servers at once it is the same', async () => {
  for (let round = 0; round < 3; round++) {
    expect(
      await afterwards(
        story.map((span) => [span]),
        true,
      ),
    ).toEqual(told);
  }
});

test('nodes of a run that is never told wait as spans', async () => {
  const nodes = story.filter(({ name }) => name === 'node.execute');
  const { executions, nodes: runs, spans } = await afterwards([nodes]);
  expect([executions, runs]).toEqual([[], []]);
  expect(spans).toHaveLength(nodes.length);
});
