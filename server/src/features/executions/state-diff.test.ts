import fc from 'fast-check';
import type { ValueChange } from '@rollcall/client/contract';
import { diffValues } from './state-diff.ts';

const changes = (before: unknown, after: unknown) => diffValues(before, after).changes;

test('says what was added, removed and changed, and where', () => {
  const before = { kept: 1, gone: [1], deep: { a: { b: 'old' } }, list: ['x', 'y'] };
  const after = { kept: 1, deep: { a: { b: 'new', c: null } }, list: ['x', 'z', 'w'], fresh: true };
  expect(diffValues(before, after)).toEqual({
    changes: [
      { op: 'removed', path: '/gone', from: [1] },
      { op: 'changed', path: '/deep/a/b', from: 'old', to: 'new' },
      { op: 'added', path: '/deep/a/c', to: null },
      { op: 'changed', path: '/list/1', from: 'y', to: 'z' },
      { op: 'added', path: '/list/2', to: 'w' },
      { op: 'added', path: '/fresh', to: true },
    ],
    truncated: false,
  });
});

test.each([
  [1, 1],
  [{ a: [{}] }, { a: [{}] }],
  [
    { a: 1, b: 2 },
    { b: 2, a: 1 },
  ],
  [null, null],
])('%j and %j do not differ', (before, after) => {
  expect(changes(before, after)).toEqual([]);
});

test.each([
  [1, '1'],
  [null, {}],
  [[], {}],
  [{ 0: 'a' }, ['a']],
  [0, false],
])('%j became %j as a whole', (before, after) => {
  expect(changes(before, after)).toEqual([{ op: 'changed', path: '', from: before, to: after }]);
});

test('keys are escaped as JSON pointers ask', () => {
  expect(changes({ 'a/b': { '~': 1, '': 2 } }, { 'a/b': {} }).map(({ path }) => path)).toEqual([
    '/a~1b/~0',
    '/a~1b/',
  ]);
});

test('keys of the prototype are keys like others', () => {
  const hostile = JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}') as object;
  expect(changes({}, hostile).map(({ path }) => path)).toEqual(['/__proto__', '/constructor']);
});

test('long values are left out', () => {
  const [change] = changes({ a: 1 }, { a: 'x'.repeat(1000) });
  expect(change).toEqual({ op: 'changed', path: '/a', from: 1 });
});

test('of many changes 200 are told', () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => index);
  expect(diffValues([], many(200)).truncated).toBe(false);
  const { changes, truncated } = diffValues([], many(201));
  expect([changes.length, truncated]).toEqual([200, true]);
});

test('what is nested beyond measure is compared as a whole', () => {
  const nest = (leaf: unknown, depth = 2_000) => {
    let value = leaf;
    for (let level = 0; level < depth; level++) value = [value];
    return value;
  };
  expect(changes(nest(1), nest(1))).toEqual([]);
  expect(changes(nest(1), nest(2))).toMatchObject([{ op: 'changed' }]);
});

/** A second reading of the pointers: does what was told. */
function apply(value: unknown, list: ValueChange[]): unknown {
  let root = structuredClone(value);
  // Removals from the back, so that the indexes before stay true.
  const ordered = [
    ...list.filter(({ op }) => op !== 'removed'),
    ...list.filter(({ op }) => op === 'removed').reverse(),
  ];
  for (const { op, path, to } of ordered) {
    const keys = path
      .split('/')
      .slice(1)
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop();
    if (last === undefined) {
      root = to;
      continue;
    }
    const parent = keys.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], root);
    if (op === 'removed' && Array.isArray(parent)) parent.splice(Number(last), 1);
    else if (op === 'removed') delete (parent as Record<string, unknown>)[last];
    else
      Object.defineProperty(parent, last, {
        value: to,
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  return root;
}

test('whatever changed: done to the one, the changes give the other', () => {
  const key = fc.oneof(fc.constantFrom('a', 'b', '/', '~', ''), fc.string({ maxLength: 3 }));
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.oneof(
        fc.integer({ min: 0, max: 3 }),
        fc.boolean(),
        fc.constant(null),
        fc.string({ maxLength: 3 }),
      ),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  fc.assert(
    fc.property(value, value, (before, after) => {
      const diff = diffValues(before, after);
      fc.pre(!diff.truncated);
      expect(apply(before, diff.changes)).toEqual(after);
      expect(diffValues(after, after).changes).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
