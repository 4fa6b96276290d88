import type { SpanTree, StateSnapshot } from '@rollcall/client/contract';
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

const at = (seconds: number) =>
  new Date(rollcall.clock.now().getTime() - 3_600_000 + seconds * 1_000).toISOString();
const trace_id = 'cd'.repeat(16);
const spanId = (number: number) => number.toString(16).padStart(16, '0');
const span = (number: number, parent: number | null, more: object = {}) => ({
  trace_id,
  span_id: spanId(number),
  ...(parent !== null && { parent_span_id: spanId(parent) }),
  name: `span ${number}`,
  started_at: at(number),
  ...more,
});

async function report(execution_id: string, more: object = {}) {
  const body = { execution_id, workflow_id: 'w', status: 'success', started_at: at(0), ...more };
  const answer = await rollcall.post('/api/v1/executions/ingest', body);
  if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
  return answer.body.id as string;
}
const read = async (id: string, part: string, query: Record<string, string> = {}) =>
  (await rollcall.get(`/api/v1/executions/${id}/${part}`, { query })).body;

describe('spans', () => {
  const page = (id: string, query: Record<string, string> = {}) =>
    read(id, 'telemetry-spans', query);
  const names = (trees: SpanTree[]): unknown[] =>
    trees.map(({ name, children }) => (children.length > 0 ? [name, names(children)] : name));

  test('are trees, by start, with all that was told', async () => {
    const id = await report('1', {
      telemetry_spans: [
        span(3, 1),
        span(2, 1, {
          kind: 'client',
          status: 'error',
          status_message: 'no',
          ended_at: at(2.5),
          attributes: { a: 1, 'n8n.node.name': 'A' },
          events: [{ name: 'exception', at: at(2), attributes: { b: 2 } }],
          links: [{ trace_id, span_id: spanId(9) }],
          resource: { 'service.name': 'n8n' },
        }),
        span(1, null),
        span(5, 4),
      ],
    });
    const { items, next_cursor } = await page(id);
    expect(next_cursor).toBeNull();
    expect(names(items as SpanTree[])).toEqual([['span 1', ['span 2', 'span 3']], 'span 5']);
    expect(items.map((tree: SpanTree) => tree.parent_missing)).toEqual([false, true]);
    expect(items[0].children[0]).toMatchObject({
      kind: 'client',
      status: 'error',
      status_message: 'no',
      duration_ms: 500,
      node_name: 'A',
      attributes: { a: 1 },
      events: [{ name: 'exception', attributes: { b: 2 } }],
      links: [{ span_id: spanId(9) }],
      resource: { 'service.name': 'n8n' },
    });
    expect(items[0].children[1]).toMatchObject({
      ended_at: null,
      duration_ms: null,
      attributes: {},
      events: [],
    });
  });

  test('in a circle are told once each', async () => {
    const id = await report('1', { telemetry_spans: [span(1, 2), span(2, 1), span(3, 3)] });
    expect(names((await page(id)).items as SpanTree[])).toEqual([['span 1', ['span 2']], 'span 3']);
  });

  test.each(['1', '2', '5'])(
    'come %s at a time, each once, and none that is stored is missing',
    async (limit) => {
      const spans = [span(1, null), span(2, 1), span(3, 2), span(4, 1), span(5, 4)];
      const id = await report('1', { telemetry_spans: spans });
      const seen: string[] = [];
      const collect = (trees: SpanTree[]): void => {
        for (const tree of trees) {
          expect(tree.parent_missing).toBe(false);
          seen.push(tree.name);
          collect(tree.children);
        }
      };
      for (let cursor: string | null = ''; cursor !== null;) {
        const { items, next_cursor } = await page(id, { limit, ...(cursor ? { cursor } : {}) });
        collect(items as SpanTree[]);
        cursor = next_cursor;
      }
      expect(seen.toSorted()).toEqual([1, 2, 3, 4, 5].map((number) => `span ${number}`));
    },
  );

  test('a page ends early where it would be larger than 8 MB', async () => {
    const word = 'x'.repeat(60_000);
    const heavy = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) =>
        span(from + index, null, { attributes: { word } }),
      );
    const id = await report('1', { telemetry_spans: heavy(1, 100) });
    await report('1', { telemetry_spans: heavy(101, 50) });
    const first = await page(id);
    expect(first.items).toHaveLength(133);
    const second = await page(id, { cursor: first.next_cursor });
    expect([second.items.length, second.items[0].name, second.next_cursor]).toEqual([
      17,
      'span 134',
      null,
    ]);
  });
});

test('events come by time, filtered, page by page', async () => {
  const event = (seconds: number, more: object = {}) => ({
    name: 'step',
    at: at(seconds),
    ...more,
  });
  const id = await report('1', {
    telemetry_events: [
      event(3, { level: 'error', message: 'no', data: { a: 1 }, span_id: spanId(1) }),
      event(1),
      event(2, { name: 'other', node_name: 'A' }),
    ],
  });
  const events = (query: Record<string, string> = {}) => read(id, 'telemetry-events', query);
  const { items } = await events();
  expect(items).toMatchObject([
    { name: 'step', level: 'info', message: null, node_name: null, data: null },
    { name: 'other', node_name: 'A' },
    { level: 'error', message: 'no', data: { a: 1 }, span_id: spanId(1) },
  ]);
  const first = await events({ limit: '2' });
  const rest = await events({ limit: '2', cursor: first.next_cursor });
  expect([...first.items, ...rest.items]).toEqual(items);
  expect(rest.next_cursor).toBeNull();
  expect((await events({ level: 'info' })).items).toEqual(items.slice(0, 2));
  expect((await events({ name: 'other' })).items).toEqual([items[1]]);
  expect((await events({ node_name: 'A' })).items).toEqual([items[1]]);
});

describe('states', () => {
  const states = (id: string, query: Record<string, string> = {}) => read(id, 'state', query);

  test('come in sequence, each with what changed since the one before, over pages too', async () => {
    const snapshot = (sequence: number, state: unknown) => ({
      sequence,
      at: at(sequence),
      node_name: 'A',
      phase: 'post',
      state,
    });
    const id = await report('1', {
      shared_state_snapshots: [
        snapshot(7, { count: 2, list: ['a', 'b'] }),
        snapshot(0, { count: 1 }),
        snapshot(3, { count: 2, list: ['a'] }),
      ],
    });
    const { items } = await states(id);
    expect(
      items.map(({ sequence, diff }: StateSnapshot) => [sequence, diff?.changes ?? null]),
    ).toEqual([
      [0, null],
      [
        3,
        [
          { op: 'changed', path: '/count', from: 1, to: 2 },
          { op: 'added', path: '/list', to: ['a'] },
        ],
      ],
      [7, [{ op: 'added', path: '/list/1', to: 'b' }]],
    ]);
    expect(items[2]).toMatchObject({
      node_name: 'A',
      phase: 'post',
      state: { count: 2, list: ['a', 'b'] },
    });
    const paged = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: { items: unknown[]; next_cursor: string | null } = await states(id, {
        limit: '1',
        ...(cursor ? { cursor } : {}),
      });
      paged.push(...page.items);
      cursor = page.next_cursor;
    }
    expect(paged).toEqual(items);
  });

  test('a page ends early where it would be larger than 8 MB', async () => {
    const shared_state_snapshots = Array.from({ length: 150 }, (_, sequence) => ({
      sequence,
      at: at(0),
      state: { word: 'x'.repeat(60_000), sequence },
    }));
    const id = await report('1', { shared_state_snapshots: shared_state_snapshots.slice(0, 100) });
    await report('1', { shared_state_snapshots: shared_state_snapshots.slice(100) });
    const first = await states(id, { limit: '500' });
    expect(first.items).toHaveLength(133);
    const second = await states(id, { limit: '500', cursor: first.next_cursor });
    expect([second.items.length, second.next_cursor]).toEqual([17, null]);
    expect(second.items[0].diff.changes).toEqual([
      { op: 'changed', path: '/sequence', from: 132, to: 133 },
    ]);
  });
});

test.each([
  ['telemetry-spans', '["2026-01-01T00:00:00Z"]'],
  ['telemetry-events', '["2026-01-01T00:00:00Z","x"]'],
  ['state', '["x"]'],
  ['state', '[9223372036854775808]'],
])('a cursor of %s that is none is refused: %s', async (part, cursor) => {
  const id = await report('1');
  const query = { cursor: Buffer.from(cursor).toString('base64url') };
  const { status, body } = await rollcall.get(`/api/v1/executions/${id}/${part}`, { query });
  expect([status, body.errors]).toMatchObject([422, [{ path: 'query.cursor' }]]);
});
