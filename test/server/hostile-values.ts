import fc from 'fast-check';

/** Texts that some field, some parser or some database trips over. */
export const HOSTILE_TEXTS = [
  '',
  ' ',
  '\u0000',
  '\ud800',
  '\udc00x',
  '\u202e',
  'a'.repeat(256),
  '漢'.repeat(255),
  '💥'.repeat(127),
  "'; drop table entities; --",
  '%',
  '../..',
  '__proto__',
  'null',
  'NaN',
  '-1',
  '1e309',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999999Z',
  '2026-02-29T00:00:00Z',
  '2026-01-01T00:00:00+15:59',
  '2026-01-01T00:00:00-23:59',
  'infinity',
  '00000000-0000-0000-0000-000000000000',
  'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
  'https://user:secret@example.com',
  'http://[::1',
  'javascript:alert(1)',
  'https://example.com/\u0000',
];
/** And what is no text. */
export const HOSTILE_VALUES = [
  ...HOSTILE_TEXTS,
  0,
  -1,
  0.5,
  1e15 + 2,
  1e308,
  true,
  null,
  [],
  {},
  [null],
  ['\u0000'],
  [{}],
  { __proto__: null, a: { b: [] } },
  nested(25),
];
export const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(...HOSTILE_TEXTS),
);
const hostileNumber = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(0, -0, -1, 0.1, 1e15, 1e15 + 2, 2 ** 53, 1e308, 5e-324, -1e308),
);
const hostileKey = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'entity_id',
    'length',
    '',
    '\u0000',
    '\ud800',
  ),
  fc.string({ maxLength: 5 }),
);
const { hostile } = fc.letrec<{ hostile: unknown }>((tie) => ({
  hostile: fc.oneof(
    { depthSize: 'small' },
    hostileText,
    hostileNumber,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('hostile'), { maxLength: 3 }),
    fc
      .array(fc.tuple(hostileKey, tie('hostile')), { maxLength: 3 })
      .map((entries) => Object.fromEntries(entries)),
    fc.nat({ max: 60 }).map((depth) => nested(depth)),
  ),
}));

function nested(depth: number): unknown {
  let value: unknown = 'deep';
  for (let level = 0; level < depth; level++) value = level % 2 ? [value] : { value };
  return value;
}

/** Some fields of a good body are replaced, left out or added. */
export const changes = fc.array(
  fc.record({
    at: fc.nat(),
    what: fc.constantFrom('replace', 'remove', 'add'),
    key: hostileKey,
    value: hostile,
  }),
  { minLength: 1, maxLength: 3 },
);
export type Changes = typeof changes extends fc.Arbitrary<infer Value> ? Value : never;

/** A good body with the changes made to these of its fields. */
export function changed(good: unknown, list: Changes, fields: string[]): unknown {
  if (typeof good !== 'object' || good === null) return list[0]?.value;
  const entries = new Map<string, unknown>(Object.entries(good));
  for (const { at, what, key: added, value } of list) {
    const field = fields[at % fields.length] ?? added;
    if (what === 'remove') entries.delete(field);
    else entries.set(what === 'replace' ? field : added, value);
  }
  return Object.fromEntries(entries);
}

/** For a query, where every value is a text. */
export const queryText = fc.oneof(
  hostileText,
  fc.array(hostileText, { maxLength: 2 }).map((list) => JSON.stringify(list)),
);
