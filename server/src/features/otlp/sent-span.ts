import type { Attributes } from './attributes.ts';

/** A span as it was sent: ids in hex, times in nanoseconds since 1970 (0 for none). Nothing is checked yet. */
export interface SentSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  /** `SpanKind`: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number;
  startedAt: bigint;
  endedAt: bigint;
  attributes: Attributes;
  events: { name: string; at: bigint; attributes: Attributes }[];
  links: { traceId: string; spanId: string; attributes: Attributes }[];
  /** `StatusCode`: 0 unset, 1 ok, 2 error. */
  statusCode: number;
  statusMessage: string;
}

/** Where a span comes from; many spans share one. */
export interface Origin {
  resource: Attributes;
  scopeName: string;
  scopeVersion: string;
}

/** One span of a request that has been found in it, but not read. */
export interface Unread {
  origin: Origin;
  /** @throws Error that says what is wrong with this span; those around it may be sound */
  read: () => SentSpan;
}

/** The request as a whole is not what it says it is; nothing of it is taken. */
export class MalformedRequest extends Error {}

/** Of one span; SDKs keep 128 of each by default, of which the first tell most. */
export const EVENTS_AT_MOST = 64;
export const LINKS_AT_MOST = 32;
/** Resources and scopes of one request. Each costs work, however empty it is. */
export const ORIGINS_AT_MOST = 10_000;
