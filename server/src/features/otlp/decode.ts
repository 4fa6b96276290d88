import type { SpanReport } from '@rollcall/client/contract';
import { SPAN_KINDS, SPAN_STATUSES } from '@rollcall/client/contract';
import { Problem } from '../../platform/problem.ts';
import { clip, type Attributes } from './attributes.ts';
import type { Privacy } from './privacy.ts';
import { readJson } from './read-json.ts';
import { readProtobuf } from './read-protobuf.ts';
import { MalformedRequest, type Origin, type SentSpan, type Unread } from './sent-span.ts';

/** A span that may be stored as it is. */
export interface Span extends SpanReport {
  resource: Attributes;
  attributes: Attributes;
  /** Milliseconds; `null` when one of its times is missing. */
  duration_ms: number | null;
}

export interface Refusal {
  /** Place in the request, from 0, over all of its scopes; left out when only the database knows. */
  index?: number;
  reason: string;
}

export interface Decoded {
  spans: Span[];
  refused: Refusal[];
}

export interface DecodeOptions {
  encoding: Encoding;
  privacy: Privacy;
  now: Date;
  /** Days that spans are kept: older ones are refused. */
  days: number;
}

export type Encoding = 'protobuf' | 'json';

const SPANS_AT_MOST = 10_000;
/** Clocks of other machines may be ahead by this much. */
const AHEAD_MS = 3_600_000;
const DAY_MS = 86_400_000;
const NAME_LENGTH = 255;
const MESSAGE_LENGTH = 2_000;

/** How a body is encoded, by its content type; `undefined` for one that is not OTLP's. */
export function encodingOf(contentType: string | undefined): Encoding | undefined {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/x-protobuf' || type === 'application/protobuf') return 'protobuf';
  return type === 'application/json' ? 'json' : undefined;
}

/** Maps a list without holding up the event loop. */
export type MapInTurns = <Item, Result>(
  items: Item[],
  map: (item: Item, index: number) => Result,
) => Promise<Result[]>;

/**
 * Reads the spans of an OTLP/HTTP traces request, within limits and without what may not be stored.
 * @throws Problem 400 when the body is not what its content type says, 413 for too many spans
 */
export async function decodeTraces(
  bytes: Uint8Array,
  options: DecodeOptions,
  mapInTurns: MapInTurns,
): Promise<Decoded> {
  const door: Door = {
    privacy: options.privacy,
    latest: (options.now.getTime() + AHEAD_MS) * 1_000,
    earliest: (options.now.getTime() - (options.days - 1) * DAY_MS) * 1_000,
    days: options.days,
    resources: new Map(),
  };
  const results = await mapInTurns(findSpans(bytes, options.encoding), ({ origin, read }) => {
    let span: SentSpan;
    try {
      span = read();
    } catch (error) {
      return (error as Error).message;
    }
    return check(span, origin, door);
  });
  const decoded: Decoded = { spans: [], refused: [] };
  for (const [index, span] of results.entries()) {
    if (typeof span === 'string') decoded.refused.push({ index, reason: span });
    else decoded.spans.push(span);
  }
  return decoded;
}

function findSpans(bytes: Uint8Array, encoding: Encoding): Unread[] {
  const found: Unread[] = [];
  const spans =
    encoding === 'protobuf' ? readProtobuf(bytes) : readJson(new TextDecoder().decode(bytes));
  try {
    for (const span of spans) {
      if (found.length === SPANS_AT_MOST) throw tooMany();
      found.push(span);
    }
    return found;
  } catch (error) {
    if (!(error instanceof MalformedRequest)) throw error;
    throw new Problem(400, 'malformed_request', {
      detail: `The body is not an OTLP traces request in ${encoding}: ${error.message.slice(0, 300)}. Send it again only after mending the sender.`,
    });
  }
}

const tooMany = () =>
  new Problem(413, 'too_many_spans', {
    detail: `A request holds at most ${SPANS_AT_MOST} spans. Let the exporter send smaller batches.`,
  });

/** What every span of a request is held against. */
interface Door {
  privacy: Privacy;
  /** Microseconds since 1970, as all times from here on: as fine as PostgreSQL keeps them. */
  latest: number;
  earliest: number;
  days: number;
  /** What is kept of each origin. */
  resources: Map<Origin, Attributes>;
}

/** A span that may be stored, or why it may not. */
function check(span: SentSpan, origin: Origin, door: Door): Span | string {
  const { privacy, latest } = door;
  const { traceId, spanId, parentSpanId } = span;
  if (!isId(traceId, 32)) return 'trace_id must be 16 bytes, not all zero';
  if (!isId(spanId, 16)) return 'span_id must be 8 bytes, not all zero';
  const hasParent = !/^0*$/.test(parentSpanId);
  if (hasParent && !isId(parentSpanId, 16)) return 'parent_span_id must be 8 bytes';
  if (span.startedAt === 0n) return 'start_time_unix_nano is missing';
  const start = microseconds(span.startedAt);
  const hasEnd = span.endedAt !== 0n;
  // A clock that was set back in between ends a span before it began.
  const end = Math.max(start, microseconds(span.endedAt));
  if (start > latest) {
    return 'start_time_unix_nano is more than an hour ahead of the server’s clock';
  }
  if (end > latest) return 'end_time_unix_nano is more than an hour ahead of the server’s clock';
  if (start < door.earliest) {
    return `start_time_unix_nano is older than the ${door.days} days that spans are kept`;
  }
  let resource = door.resources.get(origin);
  if (!resource) door.resources.set(origin, (resource = resourceOf(origin, privacy)));
  return {
    trace_id: traceId,
    span_id: spanId,
    ...(hasParent ? { parent_span_id: parentSpanId } : {}),
    name: privacy.text(clip(span.name, NAME_LENGTH)) || 'unnamed',
    kind: SPAN_KINDS[span.kind - 1] ?? 'internal',
    status: SPAN_STATUSES[span.statusCode] ?? 'unset',
    ...(span.statusMessage
      ? { status_message: privacy.text(clip(span.statusMessage, MESSAGE_LENGTH)) }
      : {}),
    started_at: timestamp(start),
    ...(hasEnd ? { ended_at: timestamp(end) } : {}),
    duration_ms: hasEnd ? (end - start) / 1_000 : null,
    attributes: privacy.attributes(span.attributes),
    ...(span.events.length > 0 ? { events: eventsOf(span, start, door) } : {}),
    ...(span.links.length > 0 ? { links: linksOf(span, privacy) } : {}),
    resource,
  };
}

const ZEROS = /^0+$/;
const HEX = /^[0-9a-f]+$/;
const isId = (id: string, length: number): boolean =>
  id.length === length && HEX.test(id) && !ZEROS.test(id);

function resourceOf({ resource, scopeName, scopeVersion }: Origin, privacy: Privacy): Attributes {
  return privacy.resource({
    ...resource,
    ...(scopeName ? { 'otel.scope.name': clip(scopeName, NAME_LENGTH) } : {}),
    ...(scopeVersion ? { 'otel.scope.version': clip(scopeVersion, NAME_LENGTH) } : {}),
  });
}

/** An event at an impossible time is told as one at the span's start. */
const eventsOf = (span: SentSpan, start: number, { latest, privacy }: Door): SpanReport['events'] =>
  span.events.map(({ name, at, attributes }) => {
    const time = microseconds(at);
    return {
      name: clip(name, NAME_LENGTH),
      at: timestamp(time > 0 && time <= latest ? time : start),
      attributes: privacy.event(name, attributes),
    };
  });

const linksOf = (span: SentSpan, privacy: Privacy): SpanReport['links'] =>
  span.links
    .filter(({ traceId, spanId }) => isId(traceId, 32) && isId(spanId, 16))
    .map(({ traceId, spanId, attributes }) => ({
      trace_id: traceId,
      span_id: spanId,
      attributes: privacy.attributes(attributes),
    }));

const microseconds = (nanoseconds: bigint): number => Number(nanoseconds / 1_000n);

/** ISO 8601 in UTC, with microseconds where there are some. */
function timestamp(micros: number): string {
  const rest = micros % 1_000;
  const whole = new Date((micros - rest) / 1_000).toISOString();
  return rest === 0 ? whole : `${whole.slice(0, -1)}${String(rest).padStart(3, '0')}Z`;
}
