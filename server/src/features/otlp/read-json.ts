import {
  clip,
  collect,
  double,
  integer,
  mayNest,
  type Attributes,
  type Budget,
} from './attributes.ts';
import {
  EVENTS_AT_MOST,
  LINKS_AT_MOST,
  MalformedRequest,
  type Origin,
  type SentSpan,
  type Unread,
} from './sent-span.ts';

type Fields = Record<string, unknown>;

/**
 * Reads an `ExportTraceServiceRequest` in OTLP's JSON: lowerCamelCase names, ids in hex (unlike protobuf's own JSON),
 * 64-bit integers as text or number, unknown fields ignored.
 * @throws MalformedRequest when it is not JSON, or a list is something else
 */
export function* readJson(text: string): Generator<Unread> {
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch (error) {
    throw new MalformedRequest((error as Error).message, { cause: error });
  }
  if (!isFields(request)) throw new MalformedRequest('The request is not an object');
  for (const resourceSpans of list(request, 'resourceSpans')) {
    const resource = readAttributes(fields(resourceSpans, 'resource').attributes);
    for (const scopeSpans of list(resourceSpans, 'scopeSpans')) {
      const scope = fields(scopeSpans, 'scope');
      const origin: Origin = {
        resource,
        scopeName: textOf(scope.name),
        scopeVersion: textOf(scope.version),
      };
      for (const span of list(scopeSpans, 'spans')) yield { origin, read: () => readSpan(span) };
    }
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const fields = (parent: unknown, name: string): Fields => {
  const value = isFields(parent) ? parent[name] : undefined;
  return isFields(value) ? value : {};
};

/** @throws MalformedRequest when there is something else than a list */
function list(parent: unknown, name: string): unknown[] {
  const value = isFields(parent) ? parent[name] : undefined;
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new MalformedRequest(`${name} is not a list`);
  return value as unknown[];
}

function readSpan(span: unknown): SentSpan {
  if (!isFields(span)) throw new TypeError('is not an object');
  return toSent(span);
}

function toSent(span: Fields): SentSpan {
  const status = fields(span, 'status');
  return {
    traceId: id(span.traceId),
    spanId: id(span.spanId),
    parentSpanId: id(span.parentSpanId),
    name: textOf(span.name),
    kind: enumeration(span.kind, KINDS),
    startedAt: nanoseconds(span, 'startTimeUnixNano'),
    endedAt: nanoseconds(span, 'endTimeUnixNano'),
    attributes: readAttributes(span.attributes),
    events: list(span, 'events')
      .slice(0, EVENTS_AT_MOST)
      .filter(isFields)
      .map((event) => ({
        name: textOf(event.name),
        at: nanoseconds(event, 'timeUnixNano'),
        attributes: readAttributes(event.attributes),
      })),
    links: list(span, 'links')
      .slice(0, LINKS_AT_MOST)
      .filter(isFields)
      .map((link) => ({
        traceId: id(link.traceId),
        spanId: id(link.spanId),
        attributes: readAttributes(link.attributes),
      })),
    statusCode: enumeration(status.code, STATUS_CODES),
    statusMessage: textOf(status.message),
  };
}

/** Some senders write the names, though the specification asks for the numbers. */
const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map(
  (name) => `SPAN_KIND_${name}`,
);
const STATUS_CODES = ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR'];

function enumeration(value: unknown, names: string[]): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? Math.max(0, names.indexOf(value)) : 0;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const id = (value: unknown): string => textOf(value).slice(0, 64).toLowerCase();

const INTEGER = /^-?\d{1,20}$/;

/** @throws Error when it is neither an integer nor left out */
function nanoseconds(parent: Fields, name: string): bigint {
  const value = parent[name] ?? 0;
  if (typeof value === 'string' && INTEGER.test(value)) return BigInt(value);
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  throw new Error(`${name} is not a number of nanoseconds`);
}

const readAttributes = (attributes: unknown): Attributes =>
  collect(
    Array.isArray(attributes) ? attributes.filter(isFields) : [],
    ({ key }) => key,
    ({ value }, budget) => plain(value, 0, budget),
  );

function plain(value: unknown, depth: number, budget: Budget): unknown {
  if (!isFields(value)) return undefined;
  const { stringValue, boolValue, intValue, doubleValue, bytesValue, arrayValue, kvlistValue } =
    value;
  if (typeof stringValue === 'string') return clip(stringValue);
  if (typeof boolValue === 'boolean') return boolValue;
  if (typeof intValue === 'number') return double(intValue);
  if (typeof intValue === 'string')
    return INTEGER.test(intValue) ? integer(BigInt(intValue)) : undefined;
  if (typeof doubleValue === 'number') return doubleValue;
  // NaN and the infinities, which protobuf writes as text.
  if (typeof doubleValue === 'string' || typeof bytesValue === 'string') {
    return clip(textOf(doubleValue) || textOf(bytesValue));
  }
  const nested = isFields(arrayValue) ? arrayValue.values : undefined;
  if (Array.isArray(nested)) {
    return nested
      .filter(() => mayNest(depth, budget))
      .map((child) => plain(child, depth + 1, budget) ?? null);
  }
  const map = isFields(kvlistValue) ? kvlistValue.values : undefined;
  if (!Array.isArray(map)) return undefined;
  return collect(
    map.filter((entry) => isFields(entry) && mayNest(depth, budget)) as Fields[],
    ({ key }) => key,
    (entry) => plain(entry.value, depth + 1, budget),
  );
}
