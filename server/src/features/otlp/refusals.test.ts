import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { exportedBy, recorded, type SpanDraft } from '../../../../test/rollcall/otlp.ts';
import { fingerprintOf } from '../../../../test/rollcall/fingerprint.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import {
  sendTraces,
  type TraceAnswer,
  type TraceOptions,
} from '../../../../test/rollcall/traces.ts';
import { connectPostgres } from '../../platform/database/postgres.ts';
import { Problem, unavailable } from '../../platform/problem.ts';

let rollcall: TestRollcall;
let span: SpanDraft;
/** What the database answers instead, while this is set. */
let failure: Problem | undefined;
beforeAll(async () => {
  rollcall = await startTestRollcall({
    connect: async (url) => {
      const connect = () =>
        connectPostgres({ url, connections: 4, timeoutMs: 30_000, onIdleError: () => undefined });
      const ingest = connect();
      const call: typeof ingest.call = (name, args) =>
        failure && name === 'ingest_spans' ? Promise.reject(failure) : ingest.call(name, args);
      return { ingest: { ...ingest, call }, query: connect() };
    },
    config: { bodyLimit: 1_000_000, batchBodyLimit: 1_000_000 },
  });
  const startedAt = rollcall.clock.now().getTime() - 60_000;
  span = { trace: 1, span: 1, name: 'work', startedAt };
});
afterEach(() => void (failure = undefined));
afterAll(() => rollcall.stop());

const send = (body: SpanDraft[] | Uint8Array, options?: TraceOptions) =>
  sendTraces(rollcall, body, options);

/** A `google.rpc.Status` with an `ErrorInfo`, read field by field. */
function readStatus(bytes: Uint8Array) {
  const fields = (from: Uint8Array): Map<number, number | Uint8Array> => {
    const reader = new BinaryReader(from);
    const found = new Map<number, number | Uint8Array>();
    while (reader.pos < reader.len) {
      const [number, type] = reader.tag();
      found.set(number, type === WireType.Varint ? reader.int32() : reader.bytes());
    }
    return found;
  };
  const bytesAt = (from: Map<number, number | Uint8Array>, field: number) =>
    from.get(field) as Uint8Array;
  const status = fields(bytes);
  const detail = fields(bytesAt(status, 3));
  const text = (value: Uint8Array) => Buffer.from(value).toString();
  return {
    code: status.get(1),
    message: text(bytesAt(status, 2)),
    type: text(bytesAt(detail, 1)),
    reason: text(bytesAt(fields(bytesAt(detail, 2)), 1)),
  };
}

/** The refusal, whatever its encoding. */
function refusal({ status, headers, bytes, json }: TraceAnswer) {
  const isProtobuf = headers.get('content-type') === 'application/x-protobuf';
  const { code, message, reason } = isProtobuf
    ? readStatus(bytes)
    : { ...json, reason: json.details[0].reason };
  return { status, code, message, reason };
}

describe.each(['protobuf', 'json'] as const)('in %s', (encoding) => {
  test.each<[string, () => Promise<TraceAnswer>, number, number, string]>([
    ['no key', () => send([span], { encoding, key: null }), 401, 16, 'missing_key'],
    ['a wrong key', () => send([span], { encoding, key: 'rc_x' }), 401, 16, 'invalid_key'],
    [
      'broken bytes',
      () => send(Buffer.from([0x0a, 0xff]), { encoding }),
      400,
      3,
      'malformed_request',
    ],
    [
      'a broken archive',
      () => send([span], { encoding, headers: { 'content-encoding': 'gzip' } }),
      400,
      3,
      'malformed_request',
    ],
    [
      'another compression',
      () => send([span], { encoding, headers: { 'content-encoding': 'compress' } }),
      415,
      3,
      'unsupported_encoding',
    ],
    [
      'a body that is too large',
      () => send(Buffer.alloc(1_000_001), { encoding }),
      413,
      3,
      'body_too_large',
    ],
    [
      'a small archive of a large body',
      () => send(Buffer.alloc(300_000_000), { encoding, gzip: true }),
      413,
      3,
      'body_too_large',
    ],
  ])('%s is answered with a status that says so', async (_, sending, status, code, reason) => {
    expect(refusal(await sending())).toEqual({
      status,
      code,
      reason,
      message: expect.stringMatching(/./),
    });
  });

  test('a key that may not write is refused', async () => {
    const key = await rollcall.keyFor('default', ['telemetry:read']);
    const answer = await send([span], { encoding, key });
    expect(refusal(answer)).toMatchObject({ status: 403, code: 7, reason: 'missing_scope' });
  });

  test('what may succeed later is told so, and is not half there', async () => {
    failure = unavailable('database_unavailable', 'The database does not answer.');
    const answer = await send([{ ...span, trace: 77 }], { encoding });
    expect(refusal(answer)).toMatchObject({ status: 503, code: 14 });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    failure = undefined;
    expect((await send([{ ...span, trace: 77 }], { encoding })).status).toBe(200);
  });

  test('what the database would not take is counted, and the rest is kept', async () => {
    failure = new Problem(422, 'invalid_value', { detail: 'The database refused a value.' });
    const { status, bytes, json } = await send([span], { encoding });
    expect(status).toBe(200);
    expect(encoding === 'json' ? JSON.stringify(json) : bytes.toString()).toContain(
      'refused a value',
    );
  });
});

test.each(['text/plain', 'application/grpc', 'application/x-ndjson', ''])(
  'content type %p is not understood',
  async (type) => {
    const answer = await send([span], { headers: { 'content-type': type } });
    expect(refusal(answer)).toMatchObject({
      status: 415,
      code: 3,
      reason: 'unsupported_media_type',
    });
    expect(answer.headers.get('content-type')).toContain('json');
  },
);

test('another method is refused with those that there are', async () => {
  const response = await fetch(`${rollcall.url}/v1/traces`);
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, HEAD']);
});

test('a key that asks too often is told when to come again', async () => {
  const limited = await startTestRollcall({ config: { rateLimit: 1 } });
  const answers: TraceAnswer[] = [];
  for (let times = 0; times < 12; times++) answers.push(await sendTraces(limited, [span]));
  const last = answers.at(-1) as TraceAnswer;
  expect(refusal(last)).toMatchObject({ status: 429, code: 8, reason: 'rate_limited' });
  expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
  await limited.stop();
});

describe('whatever comes, the answer is never a failure of ours, and what is refused leaves nothing', () => {
  async function expectTame(bytes: Uint8Array, options: TraceOptions): Promise<void> {
    const fingerprint = await fingerprintOf(rollcall);
    const before = await fingerprint();
    const { status } = await send(bytes, options);
    expect(status).toBeLessThan(500);
    if (status >= 400) expect(await fingerprint()).toBe(before);
  }

  test('random bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom<TraceOptions>({}, { encoding: 'json' }, { gzip: true }),
        expectTame,
      ),
      { numRuns: 60 },
    );
  });

  test('real bytes with some of them changed', async () => {
    const ahead = recorded.at.getTime() - rollcall.clock.now().getTime();
    rollcall.clock.advance(ahead);
    const change = fc.tuple(fc.nat(recorded.bytes.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
        const bytes = Buffer.from(recorded.bytes);
        for (const [at, value] of changes) bytes[at] = value;
        await expectTame(bytes, {});
      }),
      { numRuns: 60 },
    );
    rollcall.clock.advance(-ahead);
  });

  test('n8n’s spans with attributes of any kind', async () => {
    const names = [
      'n8n.workflow.id',
      'n8n.workflow.name',
      'n8n.execution.id',
      'n8n.execution.status',
      'n8n.execution.retry_of',
      'n8n.node.id',
      'n8n.node.name',
      'n8n.node.type',
      'n8n.node.items.input',
      'n8n.node.items.output',
      'n8n.node.custom.llm.tokens.total',
      'n8n.node.custom.llm.cost.total',
      'gen_ai.operation.name',
      'gen_ai.usage.input_tokens',
      'mcp.method.name',
      'exception.message',
    ];
    const value = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 600 }),
      fc.constantFrom('x'.repeat(5_000), '', '\0', '🦊'.repeat(300), '1e400', '-1'),
      fc.double(),
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 }),
    );
    const attributes = fc.dictionary(fc.constantFrom(...names), value);
    const spans = fc.array(
      fc.record({
        name: fc.constantFrom('workflow.execute', 'node.execute', 'chat'),
        span: fc.integer({ min: 1, max: 6 }),
        parent: fc.integer({ min: 0, max: 6 }),
        attributes,
        fault: attributes,
      }),
      { minLength: 1, maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(spans, async (drafts) => {
        const trace = drafts.length;
        const bytes = exportedBy(
          drafts.map(({ fault, ...draft }) => ({
            ...span,
            ...draft,
            trace,
            status: 'error',
            events: [{ name: 'exception', attributes: fault }],
          })),
        );
        expect((await send(bytes)).status).toBe(200);
      }),
      { numRuns: 80 },
    );
  });

  test('archives of archives', async () => {
    await expectTame(gzipSync(exportedBy([span])), { gzip: true });
  });
});
