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
import { decodeTraces, encodingOf, type Decoded, type Encoding } from './decode.ts';
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

/** As the database will read it. */
const stored = ({ spans }: Decoded): unknown => JSON.parse(JSON.stringify(spans));

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

async function problemOf(decoding: Promise<Decoded>): Promise<number> {
  const error: unknown = await decoding.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Problem)) throw new Error(`No problem but ${String(error)}`);
  return error.status;
}

test('protobuf and JSON of the official exporter say the same', async () => {
  const spans = [
    draft({
      parent: 1,
      kind: 2,
      milliseconds: 12.5,
      status: 'error',
      attributes: { text: 'ö', number: 1.5, integer: 7, yes: true, list: ['a', 'b'] },
      events: [{ name: 'exception', attributes: { 'exception.type': 'Timeout' } }],
      links: [{ trace: 9, span: 8, attributes: { 'n8n.continuation.reason': 'resume' } }],
    }),
    draft({ span: 3 }),
  ];
  const fromProtobuf = await decode(exportedBy(spans));
  expect(fromProtobuf.refused).toEqual([]);
  expect(stored(fromProtobuf)).toEqual(stored(await decode(exportedBy(spans, 'json'), 'json')));
  expect(stored(fromProtobuf)).toEqual([
    {
      trace_id: traceId(1),
      span_id: spanId(2),
      parent_span_id: spanId(1),
      name: 'work',
      kind: 'client',
      status: 'error',
      started_at: '2026-11-21T05:59:00.000Z',
      ended_at: '2026-11-21T05:59:00.012500Z',
      duration_ms: 12.5,
      attributes: { text: 'ö', number: 1.5, integer: 7, yes: true, list: ['a', 'b'] },
      events: [
        {
          name: 'exception',
          at: '2026-11-21T05:59:00.012500Z',
          attributes: { 'exception.type': 'Timeout' },
        },
      ],
      links: [
        {
          trace_id: traceId(9),
          span_id: spanId(8),
          attributes: { 'n8n.continuation.reason': 'resume' },
        },
      ],
      resource: {
        'service.name': 'n8n',
        'service.version': '2.41.1',
        'n8n.instance.id': 'instance-1',
        'n8n.instance.role': 'main',
        'otel.scope.name': 'n8n-workflow',
      },
    },
    expect.objectContaining({ span_id: spanId(3), kind: 'internal', status: 'ok' }),
  ]);
});

test('what a real n8n sent is read whole, and nothing of its machine is kept', async () => {
  const { spans, refused } = await decode(recorded.bytes);
  expect(refused).toEqual([]);
  expect(spans.map(({ name }) => name).sort()).toEqual([
    ...Array.from({ length: 7 }, () => 'node.execute'),
    ...Array.from({ length: 3 }, () => 'workflow.execute'),
  ]);
  const kept = JSON.stringify(spans);
  for (const secret of ['host.', 'process.', '/opt/n24', '30112', '"vm"']) {
    expect(kept).not.toContain(secret);
  }
  expect(spans[0]?.resource['n8n.instance.id']).toHaveLength(64);
});

describe('what was processed', () => {
  const payloads = {
    'gen_ai.prompt': 'PAYLOAD',
    'gen_ai.prompt.0.content': 'PAYLOAD',
    'gen_ai.input.messages': 'PAYLOAD',
    'gen_ai.output.messages': 'PAYLOAD',
    'gen_ai.system_instructions': 'PAYLOAD',
    'gen_ai.tool.call.arguments': 'PAYLOAD',
    'gen_ai.tool.call.result': 'PAYLOAD',
    'ai.prompt.messages': 'PAYLOAD',
    'ai.response.text': 'PAYLOAD',
    'ai.toolCall.args': 'PAYLOAD',
    'llm.input_messages.0.message.content': 'PAYLOAD',
    'input.value': 'PAYLOAD',
    'output.value': 'PAYLOAD',
    'traceloop.entity.input': 'PAYLOAD',
    'db.statement': 'PAYLOAD',
    'db.query.text': 'PAYLOAD',
    'db.query.parameter.0': 'PAYLOAD',
    'http.request.body': 'PAYLOAD',
    'http.request.header.x-any': 'PAYLOAD',
    'url.full': 'https://example.com/orders?name=PAYLOAD',
  };
  const rest = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': 'gpt-4o',
    'gen_ai.usage.input_tokens': 5,
    'gen_ai.output.type': 'text',
    'gen_ai.tool.name': 'search',
    'http.request.method': 'GET',
    'http.request.body.size': 9,
    'db.system': 'postgresql',
  };
  const bytes = exportedBy([
    draft({
      attributes: { ...payloads, ...rest },
      events: [{ name: 'gen_ai.user.message', attributes: { content: 'PAYLOAD' } }],
    }),
  ]);

  test('is not kept', async () => {
    const { spans } = await decode(bytes);
    expect({ ...spans[0]?.attributes }).toEqual({
      ...rest,
      'url.full': 'https://example.com/orders',
    });
    expect(JSON.stringify(spans)).not.toContain('PAYLOAD');
  });

  test('is kept when the operator wants it', async () => {
    const { spans } = await decode(bytes, 'protobuf', true);
    expect({ ...spans[0]?.attributes }).toEqual({ ...payloads, ...rest });
    expect(spans[0]?.events?.[0]?.attributes).toEqual({ content: 'PAYLOAD' });
  });

  test('is redacted in any case, as everything is', async () => {
    const secret = 'sk-abcdefghijklmnopqrstuvwxyz';
    const { spans } = await decode(
      exportedBy([
        draft({
          name: `ask ${secret}`,
          attributes: { note: `with ${secret}`, api_key: 'x', 'gen_ai.prompt': secret },
          events: [{ name: 'exception', attributes: { 'exception.message': `bad ${secret}` } }],
        }),
      ]),
      'protobuf',
      true,
    );
    expect(JSON.stringify(spans)).not.toContain(secret);
    expect(spans[0]?.attributes.api_key).toBe('[redacted]');
  });
});

describe('a span that may not be stored is refused alone', () => {
  const day = 86_400_000;
  test.each<[string, SpanDraft, RegExp]>([
    ['without a trace', draft({ trace: 0 }), /trace_id/],
    ['without an id', draft({ span: 0 }), /span_id/],
    ['of the future', draft({ startedAt: now.getTime() + 2 * 3_600_000 }), /ahead/],
    ['that ends in the future', draft({ milliseconds: day }), /ahead/],
    ['beyond retention', draft({ startedAt: startedAt - 30 * day }), /older than the 30 days/],
    ['without a start', draft({ startedAt: 0, milliseconds: 0 }), /missing/],
  ])('%s', async (_, bad, reason) => {
    for (const encoding of ['protobuf', 'json'] as const) {
      const bytes = exportedBy([draft({ span: 5 }), bad, draft({ span: 6 })], encoding);
      const { spans, refused } = await decode(bytes, encoding);
      expect(spans.map(({ span_id }) => span_id)).toEqual([spanId(5), spanId(6)]);
      expect(refused).toEqual([{ index: 1, reason: expect.stringMatching(reason) }]);
    }
  });

  test.each([
    { traceId: 'abc' },
    { traceId: 'z'.repeat(32) },
    { traceId: 7 },
    { spanId: spanId(2) + '00' },
    { parentSpanId: 'abc' },
    { startTimeUnixNano: 'soon' },
    { startTimeUnixNano: -5 },
    { startTimeUnixNano: '9'.repeat(40) },
    { startTimeUnixNano: {} },
  ])('%j', async (fields) => {
    const { spans, refused } = await decode(json(fields), 'json');
    expect([spans.length, refused.length]).toEqual([0, 1]);
  });

  test('when its bytes are broken', async () => {
    const bytes = exportedBy([draft({ span: 5 }), draft({ span: 6, name: 'broken' })]);
    // The name's length leads beyond the span.
    bytes[bytes.indexOf('broken') - 1] = 0x7f;
    const { spans, refused } = await decode(bytes);
    expect(spans.map(({ span_id }) => span_id)).toEqual([spanId(5)]);
    expect(refused).toEqual([{ index: 1, reason: expect.stringContaining('not a protobuf span') }]);
  });
});

describe('a request that is not what it says it is', () => {
  test('is refused: truncated', async () => {
    for (const length of [1, 2, 3, 40, recorded.bytes.length - 1]) {
      expect(await problemOf(decode(recorded.bytes.subarray(0, length)))).toBe(400);
    }
  });

  test.each([
    '',
    'null',
    '[]',
    '7',
    '{',
    '{"resourceSpans":{}}',
    '{"resourceSpans":[{"scopeSpans":7}]}',
  ])('is refused: JSON %p', async (text) => {
    expect(await problemOf(decode(Buffer.from(text), 'json'))).toBe(400);
  });

  test('is refused: more spans than a request may hold', async () => {
    const many = Array.from({ length: 10_001 }, () => ({}));
    const bytes = Buffer.from(
      JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: many }] }] }),
    );
    expect(await problemOf(decode(bytes, 'json'))).toBe(413);
  });

  test('is refused: nothing but empty scopes, without taking long or much', async () => {
    // Five million times "here is an empty resource".
    const bytes = Buffer.alloc(10_000_000, Buffer.from([0x0a, 0x00]));
    expect(await problemOf(decode(bytes))).toBe(400);
  });
});

test.each([
  ['application/x-protobuf', 'protobuf'],
  ['Application/X-Protobuf; charset=utf-8', 'protobuf'],
  ['application/json;charset=utf-8', 'json'],
  ['text/plain', undefined],
  [undefined, undefined],
])('%p is read as %p', (type, encoding) => {
  expect(encodingOf(type)).toBe(encoding);
});
