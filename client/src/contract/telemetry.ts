import type { Protocol, TelemetryStatus } from './vocabulary.ts';

/** One communication: who called whom, over what, and how it went. */
export interface TelemetryEvent {
  /** Client-made UUID. A retry carries the same one and is never counted twice. */
  event_id?: string;
  /** ISO 8601 with offset. The server's clock when left out. */
  timestamp?: string;
  protocol: Protocol;
  source_id: string;
  target_id: string;
  /** MCP tool, A2A task, n8n node, factory step, or an event family such as `generation_attempt`. */
  operation?: string;
  status: TelemetryStatus;
  /** Milliseconds, fractions allowed. */
  duration_ms?: number;
  /** At most 1e12, as `cost_micros`. */
  tokens_used?: number;
  /** Millionths of one unit of `currency`. */
  cost_micros?: number;
  /** ISO 4217, three capital letters. */
  currency?: string;
  model?: string;
  correlation_id?: string;
  /** W3C trace id: 32 hex digits. */
  trace_id?: string;
  workflow_id?: string;
  execution_id?: string;
  user_id?: string;
  project_id?: string;
  error_type?: string;
  error_message?: string;
  /** At most 64 KB as JSON and 20 levels deep; redacted before it is stored. */
  metadata?: Record<string, unknown>;
}

/** An event as the server holds it: every field present, `null` where nothing was said. */
export type StoredTelemetryEvent = {
  [Field in keyof Required<TelemetryEvent>]: Field extends
    'event_id' | 'timestamp' | 'protocol' | 'source_id' | 'target_id' | 'status' | 'project_id'
    ? NonNullable<TelemetryEvent[Field]>
    : NonNullable<TelemetryEvent[Field]> | null;
} & { received_at: string };

export interface BatchItemResult {
  /** Place of the item in the request, from 0. */
  index: number;
  status: 'accepted' | 'duplicate' | 'rejected';
  event_id?: string;
  /** Stable machine-readable reason; only on rejected items. */
  code?: string;
  /** Where in the item, e.g. `duration_ms` or `metadata.a.b`. */
  path?: string;
  message?: string;
}

/** Answer to a batch: 200 when any item was kept, 422 when none was. */
export interface BatchResult {
  /** Names this answer; the server's log carries it. */
  receipt: string;
  accepted: number;
  duplicates: number;
  rejected: number;
  results: BatchItemResult[];
}

export interface TelemetryFilter {
  correlation_id?: string;
  source_id?: string;
  target_id?: string;
  protocol?: Protocol;
  status?: TelemetryStatus;
  workflow_id?: string;
  execution_id?: string;
  trace_id?: string;
  /** Inclusive, ISO 8601. */
  from?: string;
  /** Exclusive, ISO 8601. */
  to?: string;
}
