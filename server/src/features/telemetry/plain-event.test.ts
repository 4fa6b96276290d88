import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { isPlainEvent } from './plain-event.ts';
import { TelemetryEventSchema } from './telemetry.schema.ts';

const ordinary = {
  event_id: randomUUID(),
  timestamp: '2026-02-28T23:59:59.999Z',
  protocol: 'mcp',
  source_id: 'agent',
  target_id: 'tools',
  operation: 'search',
  status: 'success',
  duration_ms: 12.25,
  tokens_used: 300,
  cost_micros: 4500,
  currency: 'EUR',
  model: 'm',
  correlation_id: 'c-1',
  trace_id: '0af7651916cd43dd8448eb211c80319c',
  workflow_id: 'w',
  execution_id: '1',
  user_id: 'u',
  project_id: 'default',
  error_type: 'none',
  error_message: '',
  metadata: { one: 1, two: 'ü', three: null, four: true },
};

const edges = fc.oneof(
  fc.constantFrom<unknown>(
    ...['', ' ', '\0', '\ud800', 'a'.repeat(255), 'a'.repeat(256), 'a'.repeat(8001), '__proto__'],
    ...['2026-02-30T00:00:00.000Z', '2026-02-28T24:00:00.000Z', '2026-13-01T00:00:00.000Z'],
    ...['2026-02-28T23:59:60.000Z', '2026-02-28', '2026-02-28T00:00:00.000+01:00'],
    ...['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
    ...['EURO', 'eur', 'default ', '-x', 'mcp\n', 'unknown'],
    ...[-1, -0, 0, 0.5, 1e12, 1e12 + 1, 1e15, 2 ** 53, NaN, Infinity, null, undefined, true],
    ...[[], {}, { a: {} }, { a: 'x'.repeat(70_000) }, { 'a\0': 1 }, JSON.parse('{"__proto__": 1}')],
  ),
  fc.anything(),
  fc.string({ unit: 'binary' }),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.uuid(),
  fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
);

test('an ordinary event needs no second look', () => {
  expect(isPlainEvent(ordinary)).toBe(true);
});

test('what is plain, the schema accepts unchanged', () => {
  const keys = [...Object.keys(ordinary), 'else', 'toString'];
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...keys), edges), { maxLength: 3 }),
      fc.subarray(Object.keys(ordinary)),
      (changes, left) => {
        const kept = Object.entries(ordinary).filter(([key]) => !left.includes(key));
        const item: unknown = Object.fromEntries([...kept, ...changes]);
        if (!isPlainEvent(item)) return;
        const parsed = TelemetryEventSchema.safeParse(item);
        expect(parsed.error).toBeUndefined();
        expect(parsed.data).toEqual(item);
      },
    ),
    { numRuns: 5_000 },
  );
});

test.each([null, undefined, [], 'event', 7, {}, { protocol: 'mcp' }])('%j is not plain', (item) => {
  expect(isPlainEvent(item)).toBe(false);
});
