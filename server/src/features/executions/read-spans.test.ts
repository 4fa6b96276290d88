import fc from 'fast-check';
import type { SpanTree } from '@rollcall/client/contract';
import { DEEPEST_SPAN, spanTrees, type StoredSpan } from './read-spans.ts';

const span = (
  span_id: string,
  parent_span_id: string | null,
  parent_stored = true,
): StoredSpan => ({
  trace_id: 't',
  span_id,
  parent_span_id,
  parent_stored: parent_span_id !== null && parent_stored,
  name: span_id,
  kind: 'internal',
  status: 'ok',
  status_message: null,
  started_at: '2026-01-01T00:00:00Z',
  ended_at: null,
  duration_ms: null,
  node_name: null,
  attributes: {},
  events: [],
  links: [],
  resource: null,
});

/** `a(b, c)`: a with b and c below; `!`: its parent is missing. */
const drawn = (trees: SpanTree[]): string =>
  trees
    .map(({ name, parent_missing, children }) =>
      [name, parent_missing ? '!' : '', children.length > 0 ? `(${drawn(children)})` : ''].join(''),
    )
    .join(', ');

test('children stand below their parents, whatever the order', () => {
  const spans = [span('leaf', 'b'), span('a', null), span('b', 'a'), span('c', 'a')];
  expect(drawn(spanTrees(spans))).toBe('a(b(leaf), c)');
});

test('a span whose parent is not stored stands at the top and says so', () => {
  expect(drawn(spanTrees([span('a', 'gone', false), span('b', 'a')]))).toBe('a!(b)');
});

test('a span whose parent is on another page stands at the top, and nothing is missing', () => {
  expect(drawn(spanTrees([span('a', 'before')]))).toBe('a');
});

test('the same id in another trace is another span', () => {
  const other = { ...span('b', 'a', false), trace_id: 'u' };
  expect(drawn(spanTrees([span('a', null), other]))).toBe('a, b!');
});

test('a circle is cut open, a span that is its own parent too', () => {
  const circle = [
    span('x', 'a'),
    span('a', 'c'),
    span('b', 'a'),
    span('c', 'b'),
    span('self', 'self'),
  ];
  const trees = spanTrees(circle);
  expect(drawn(trees)).toBe('a(x, b(c)), self');
});

const size = (trees: SpanTree[]): number =>
  trees.reduce((sum, { children }) => sum + 1 + size(children), 0);
const depth = (trees: SpanTree[]): number =>
  trees.reduce((deepest, { children }) => Math.max(deepest, 1 + depth(children)), 0);

test('a chain without end becomes several trees that can be written', () => {
  const chain = Array.from({ length: 5_000 }, (_, index) =>
    span(String(index), index === 0 ? null : String(index - 1)),
  );
  for (const spans of [chain, chain.toReversed()]) {
    const trees = spanTrees(spans);
    expect([size(trees), depth(trees)]).toEqual([5_000, DEEPEST_SPAN]);
    expect(JSON.stringify(trees).length).toBeGreaterThan(5_000);
  }
});

test('whatever the parents: every span stands in the trees once, below its parent or at the top', () => {
  const parents = fc.array(fc.option(fc.nat(40)), { maxLength: 40 });
  fc.assert(
    fc.property(parents, (list) => {
      const spans = list.map((parent, index) =>
        span(String(index), parent === null ? null : String(parent)),
      );
      const trees = spanTrees(spans);
      const seen: string[] = [];
      const walk = (tree: SpanTree, parent: string | null) => {
        seen.push(tree.span_id);
        if (parent !== null) expect(tree.parent_span_id).toBe(parent);
        for (const child of tree.children) walk(child, tree.span_id);
      };
      for (const tree of trees) walk(tree, null);
      expect(seen.sort()).toEqual(spans.map(({ span_id }) => span_id).sort());
    }),
    { numRuns: 300 },
  );
});
