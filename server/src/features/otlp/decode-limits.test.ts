import fc from 'fast-check';
import {
  exportedBy,
  recorded,
  spanId,
  traceId,
  type SpanDraft,
} from '../../../../test/rollcall/otlp.ts';
import { Problem } from '../../platform/problem.ts';
import { createRedactor } from '../../platform/redact.ts';
import { createTurns } from '../../platform/turns.ts';
import { decodeTraces, type Encoding } from './decode.ts';
import { createPrivacy } from './privacy.ts';

const now = new Date('2026-11-21T06:00:00Z');
const startedAt = now.getTime() - 60_000;
const inTurns = createTurns();

const decode = (bytes: Uint8Array, encoding: Encoding = 'protobuf', keepPayloads = false) =>
  decodeTraces(
    bytes,
    { encoding, privacy: createPrivacy(createRedactor([], []), keepPayloads), now, days: 30 },
    inTurns,
  );

const draft = (more: Partial<SpanDraft> = {}): SpanDraft => ({
  trace: 1,
  span: 2,
  name: 'work',
  startedAt,
  ...more,
});

/** A request in JSON with one span, which has these fields beside good ones. */
const json = (fields: object): Buffer =>
  Buffer.from(
    JSON.stringify({
      resourceSpans: [
        {
          scopeSpans: [
            {
              spans: [
                {
                  traceId: traceId(1),
                  spanId: spanId(2),
                  name: 'work',
                  startTimeUnixNano: `${startedAt}000000`,
                  endTimeUnixNano: `${startedAt + 5}000000`,
                  ...fields,
                },
              ],
            },
          ],
        },
      ],
    }),
  );

describe('limits that cost no span', () => {
  test('attributes beyond 128, keys beyond 255 characters and text beyond 4,096 are left out', async () => {
    const attributes = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [
        `key ${index}`,
        index < 2 ? 'x'.repeat(5_000) : index,
      ]),
    );
    const [span] = (await decode(exportedBy([draft({ attributes })]))).spans;
    expect(Object.keys(span?.attributes ?? {})).toHaveLength(128);
    expect(span?.attributes['key 0']).toHaveLength(4_096);
    const long = await decode(exportedBy([draft({ attributes: { ['k'.repeat(256)]: 1 } })]));
    expect({ ...long.spans[0]?.attributes }).toEqual({});
  });

  test('what PostgreSQL or JSON cannot hold is kept as near as it can be', async () => {
    const { spans } = await decode(
      json({
        name: 'a\0b',
        attributes: [
          { key: 'nul\0', value: { stringValue: 'a\0\ud800' } },
          { key: '__proto__', value: { stringValue: 'own' } },
          { key: 'huge', value: { intValue: '9223372036854775807' } },
          { key: 'nan', value: { doubleValue: 'NaN' } },
          { key: 'bytes', value: { bytesValue: 'AAECAw==' } },
          {
            key: 'map',
            value: { kvlistValue: { values: [{ key: 'a', value: { boolValue: true } }] } },
          },
          { key: 'none', value: {} },
        ],
      }),
      'json',
    );
    expect(spans[0]?.name).toBe('a\uFFFDb');
    expect(JSON.stringify(spans[0]?.attributes)).toBe(
      JSON.stringify({
        'nul\uFFFD': 'a\uFFFD\uFFFD',
        ['__proto__']: 'own',
        huge: '9223372036854775807',
        nan: 'NaN',
        bytes: 'AAECAw==',
        map: { a: true },
      }),
    );
  });

  test('deep and wide values end somewhere', async () => {
    let deep: object = { stringValue: 'bottom' };
    for (let level = 0; level < 50; level++) deep = { arrayValue: { values: [deep] } };
    const wide = { arrayValue: { values: Array.from({ length: 5_000 }, () => ({ intValue: 1 })) } };
    const { spans } = await decode(
      json({
        attributes: [
          { key: 'deep', value: deep },
          { key: 'wide', value: wide },
        ],
      }),
      'json',
    );
    expect(JSON.stringify(spans[0]?.attributes.deep)).toBe('[[[[[[[]]]]]]]');
    expect(spans[0]?.attributes.wide).toHaveLength(200);
  });

  test('a span that ends before it began took no time', async () => {
    const { spans } = await decode(json({ endTimeUnixNano: `${startedAt - 5}000000` }), 'json');
    expect(spans[0]).toMatchObject({ duration_ms: 0, ended_at: spans[0]?.started_at });
  });

  test('a span that has not ended has no end', async () => {
    const { spans } = await decode(json({ endTimeUnixNano: 0 }), 'json');
    expect(spans[0]).toMatchObject({ duration_ms: null });
    expect(spans[0]).not.toHaveProperty('ended_at');
  });
});

describe('whatever comes', () => {
  /** Either spans that can be stored, or a problem of the sender's. */
  async function expectTame(bytes: Uint8Array, encoding: Encoding): Promise<void> {
    const decoded = await decode(bytes, encoding).catch((error: unknown) => {
      if (error instanceof Problem && error.status < 500) return undefined;
      throw error;
    });
    for (const span of decoded?.spans ?? []) {
      expect(span.trace_id).toMatch(/^(?!0+$)[0-9a-f]{32}$/);
      expect(span.span_id).toMatch(/^(?!0+$)[0-9a-f]{16}$/);
      const text = JSON.stringify(span);
      expect(text).not.toMatch(/\\u0000|\\ud[89a-f]/);
      expect(Number.isNaN(Date.parse(span.started_at))).toBe(false);
    }
  }

  test('random bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 500 }),
        fc.constantFrom<Encoding>('protobuf', 'json'),
        expectTame,
      ),
      { numRuns: 500 },
    );
  });

  test('real bytes with some of them changed', async () => {
    const change = fc.tuple(fc.nat(recorded.bytes.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 20 }), async (changes) => {
        const bytes = Buffer.from(recorded.bytes);
        for (const [at, value] of changes) bytes[at] = value;
        await expectTame(bytes, 'protobuf');
      }),
      { numRuns: 500 },
    );
  });

  test('JSON of any shape', async () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const anything = fc.record({
      resourceSpans: fc.array(
        fc.record({
          resource: value,
          scopeSpans: fc.array(
            fc.record({
              scope: value,
              spans: fc.array(
                fc.record({
                  traceId: fc.oneof(fc.constant(traceId(1)), value),
                  spanId: fc.oneof(fc.constant(spanId(1)), value),
                  startTimeUnixNano: fc.oneof(fc.constant(`${startedAt}000000`), value),
                  endTimeUnixNano: value,
                  name: value,
                  kind: value,
                  status: value,
                  attributes: value,
                  events: value,
                  links: value,
                }),
                { maxLength: 3 },
              ),
            }),
            { maxLength: 2 },
          ),
        }),
        { maxLength: 2 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(anything, (request) =>
        expectTame(Buffer.from(JSON.stringify(request)), 'json'),
      ),
      { numRuns: 100 },
    );
  });
});
