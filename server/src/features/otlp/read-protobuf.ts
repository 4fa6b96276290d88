import { fromBinary } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import {
  collect,
  double,
  integer,
  mayNest,
  clip,
  type Attributes,
  type Budget,
} from './attributes.ts';
import {
  ResourceSchema,
  ScopeSchema,
  SpanSchema,
  type Attribute,
  type Span,
  type Value,
} from './proto/otlp_pb.ts';
import {
  EVENTS_AT_MOST,
  LINKS_AT_MOST,
  MalformedRequest,
  ORIGINS_AT_MOST,
  type Origin,
  type SentSpan,
  type Unread,
} from './sent-span.ts';

/** A single span beyond this is refused: as objects it would take a hundred times the room. */
const SPAN_BYTES = 1_048_576;
const ORIGIN_BYTES = 262_144;

/**
 * Reads an `ExportTraceServiceRequest` span by span, so that one broken span costs no other and a small body cannot
 * become a large heap. Unknown fields are skipped, as the specification asks.
 * @throws MalformedRequest when the messages around the spans are not protobuf
 */
export function* readProtobuf(bytes: Uint8Array): Generator<Unread> {
  let origins = 0;
  for (const resourceSpans of submessages(bytes, 1)) {
    const resource = readResource(resourceSpans);
    for (const scopeSpans of submessages(resourceSpans, 2)) {
      const origin = { resource, ...readScope(scopeSpans) };
      for (const span of submessages(scopeSpans, 2)) yield { origin, read: () => readSpan(span) };
      count();
    }
    count();
  }

  function count(): void {
    if (++origins > ORIGINS_AT_MOST) throw new MalformedRequest('there are too many scopes in it');
  }
}

/** Every occurrence of a field that holds a message, in order. */
function* submessages(bytes: Uint8Array, field: number): Generator<Uint8Array> {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    let message: Uint8Array | undefined;
    try {
      const [number, type] = reader.tag();
      if (number === field && type === WireType.LengthDelimited) message = reader.bytes();
      else reader.skip(type, number);
      if (reader.pos > reader.len) throw new RangeError('premature end');
    } catch (error) {
      throw new MalformedRequest((error as Error).message, { cause: error });
    }
    if (message) yield message;
  }
}

function readResource(resourceSpans: Uint8Array): Attributes {
  let resource: Attributes = {};
  for (const bytes of submessages(resourceSpans, 1)) {
    if (bytes.length > ORIGIN_BYTES) continue;
    resource = decoding(() => readAttributes(fromBinary(ResourceSchema, bytes).attributes));
  }
  return resource;
}

function readScope(scopeSpans: Uint8Array): Omit<Origin, 'resource'> {
  let scope = { scopeName: '', scopeVersion: '' };
  for (const bytes of submessages(scopeSpans, 1)) {
    if (bytes.length > ORIGIN_BYTES) continue;
    const { name, version } = decoding(() => fromBinary(ScopeSchema, bytes, WITHOUT_UNKNOWN));
    scope = { scopeName: name, scopeVersion: version };
  }
  return scope;
}

const WITHOUT_UNKNOWN = { readUnknownFields: false };

function decoding<Result>(decode: () => Result): Result {
  try {
    return decode();
  } catch (error) {
    throw new MalformedRequest((error as Error).message, { cause: error });
  }
}

function readSpan(bytes: Uint8Array): SentSpan {
  if (bytes.length > SPAN_BYTES) throw new RangeError(`is larger than ${SPAN_BYTES} bytes`);
  try {
    return toSent(fromBinary(SpanSchema, bytes, WITHOUT_UNKNOWN));
  } catch (error) {
    const { message } = error as Error;
    throw new TypeError(`is not a protobuf span: ${message.slice(0, 200)}`, { cause: error });
  }
}

const toSent = (span: Span): SentSpan => ({
  traceId: hex(span.traceId),
  spanId: hex(span.spanId),
  parentSpanId: hex(span.parentSpanId),
  name: span.name,
  kind: span.kind,
  startedAt: span.startTimeUnixNano,
  endedAt: span.endTimeUnixNano,
  attributes: readAttributes(span.attributes),
  events: span.events.slice(0, EVENTS_AT_MOST).map(({ name, timeUnixNano, attributes }) => ({
    name,
    at: timeUnixNano,
    attributes: readAttributes(attributes),
  })),
  links: span.links.slice(0, LINKS_AT_MOST).map(({ traceId, spanId, attributes }) => ({
    traceId: hex(traceId),
    spanId: hex(spanId),
    attributes: readAttributes(attributes),
  })),
  statusCode: span.status?.code ?? 0,
  statusMessage: span.status?.message ?? '',
});

const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 64)).toString('hex');

const readAttributes = (attributes: Attribute[]): Attributes =>
  collect(
    attributes,
    ({ key }) => key,
    ({ value }, budget) => plain(value, 0, budget),
  );

function plain(value: Value | undefined, depth: number, budget: Budget): unknown {
  const sent = value?.value;
  switch (sent?.case) {
    case undefined:
      return undefined;
    case 'stringValue':
      return clip(sent.value);
    case 'boolValue':
      return sent.value;
    case 'intValue':
      return integer(sent.value);
    case 'doubleValue':
      return double(sent.value);
    case 'bytesValue':
      return clip(Buffer.from(sent.value.subarray(0, 4_096)).toString('base64'));
    case 'arrayValue':
      return sent.value.values
        .filter(() => mayNest(depth, budget))
        .map((child) => plain(child, depth + 1, budget) ?? null);
    case 'mapValue':
      return collect(
        sent.value.values.filter(() => mayNest(depth, budget)),
        ({ key }) => key,
        ({ value: child }) => plain(child, depth + 1, budget),
      );
  }
}
