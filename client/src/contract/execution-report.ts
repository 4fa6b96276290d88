import type { RunStatus } from './vocabulary.ts';

/** n8n's own words for a run's status; mapped once, at the door. */
export type N8nStatus = 'new' | 'canceled' | 'crashed' | 'unknown';

/** A status as a reporter may say it. */
export type ReportedStatus = RunStatus | N8nStatus;

export interface RunError {
  type?: string;
  message: string;
  stack?: string;
  /** Name of the node that failed. */
  node?: string;
}

/** One run of one node. Identity: node, `run_index` and `retry_index` within the execution. */
export interface NodeExecutionReport {
  /** Left out: a stable id is made from the workflow and `node_name`. */
  node_id?: string;
  node_name: string;
  node_type?: string;
  /** Which time the node ran in this execution (loops), from 0. */
  run_index?: number;
  /** Which try of that run, from 0. */
  retry_index?: number;
  /** Tries that were made in all, where only the last one is told. */
  attempts?: number;
  status: ReportedStatus;
  started_at?: string;
  completed_at?: string;
  /** Milliseconds, as the next three. */
  duration_ms?: number;
  prep_duration_ms?: number;
  exec_duration_ms?: number;
  post_duration_ms?: number;
  items_in?: number;
  items_out?: number;
  /** Names of the nodes whose output this run took. */
  previous_nodes?: string[];
  tokens_used?: number;
  cost_micros?: number;
  model?: string;
  /** Set when the node called a sub-workflow: that execution's id as its reporter knows it. */
  child_execution_id?: string;
  error?: RunError;
  metadata?: Record<string, unknown>;
}

/**
 * A moment of a node's run, for tellers that do not know which time the node ran: its n-th beginning and its n-th end are
 * its n-th run. Identity: `mark_id`.
 */
export interface NodeMarkReport {
  /** UUID; made from the rest when left out. */
  mark_id?: string;
  /** Left out for `paused`, which is said of the whole run: a node that it waited in begins twice, and runs once. */
  node_name?: string;
  node_id?: string;
  node_type?: string;
  /** `failed`: the latest run of the node until then went wrong. */
  kind: 'started' | 'finished' | 'failed' | 'paused';
  at: string;
  /** With `failed`: why. */
  error_message?: string;
}

export const SPAN_KINDS = ['internal', 'server', 'client', 'producer', 'consumer'] as const;
export type SpanKind = (typeof SPAN_KINDS)[number];

export const SPAN_STATUSES = ['unset', 'ok', 'error'] as const;
export type SpanStatus = (typeof SPAN_STATUSES)[number];

/** A span as in OpenTelemetry. Identity: `trace_id` and `span_id`. */
export interface SpanReport {
  /** 16 hex digits, as `parent_span_id`. */
  span_id: string;
  parent_span_id?: string;
  /** 32 hex digits. */
  trace_id: string;
  name: string;
  kind?: SpanKind;
  status?: SpanStatus;
  status_message?: string;
  /** ISO 8601 with offset; fractions of a second to nanoseconds are kept to microseconds. */
  started_at: string;
  ended_at?: string;
  attributes?: Record<string, unknown>;
  /** What happened within it, such as an `exception`. */
  events?: { name: string; at: string; attributes?: Record<string, unknown> }[];
  /** Other spans it continues or follows. */
  links?: { trace_id: string; span_id: string; attributes?: Record<string, unknown> }[];
  /** `service.name` and the like. */
  resource?: Record<string, unknown>;
}

/** A word within a run. Identity: `event_id`. */
export interface RunEventReport {
  /** Client-made UUID; made from place and content when left out. */
  event_id?: string;
  /** E.g. `node.started`, `llm.generated`. */
  name: string;
  at: string;
  level?: 'debug' | 'info' | 'warn' | 'error';
  message?: string;
  node_name?: string;
  span_id?: string;
  data?: Record<string, unknown>;
}

/** What the nodes share, at one moment. Identity: `sequence`. */
export interface StateSnapshotReport {
  /** Order within the execution, from 0; the place in the array when left out. */
  sequence?: number;
  at: string;
  node_name?: string;
  /** When it was taken, relative to the node. */
  phase?: 'before' | 'prep' | 'exec' | 'post' | 'after';
  state: unknown;
}

/** Who tells. What several of them know of one run is brought together. */
export const REPORT_SOURCES = [
  'client',
  'hooks',
  'otlp',
  'log',
  'webhook',
  'emit',
  'sync',
] as const;
export type ReportSource = (typeof REPORT_SOURCES)[number];

/**
 * What one reporter knows of one run, at one moment. Reports may come in any order and any number of
 * times. Which run is meant: `execution_id` (within `instance_id` where one is given), else `session_id`
 * with `workflow_id` and `started_at`, else `trace_id`.
 */
export interface ExecutionReport {
  /** The run's id as its own system knows it; n8n's, or any text that the client makes. */
  execution_id?: string;
  /** The n8n instance whose `execution_id` this is. */
  instance_id?: string;
  session_id?: string;
  workflow_id: string;
  workflow_name?: string;
  /** Version of the workflow that ran: n8n's `versionId`, or any text. */
  workflow_version?: string;
  /** Hash of the definition that ran. */
  definition_hash?: string;
  status: ReportedStatus;
  /** n8n's mode: `manual`, `trigger`, `webhook`, `retry`, `integrated`, ... */
  mode?: string;
  started_at?: string;
  completed_at?: string;
  /** Milliseconds. */
  duration_ms?: number;
  /** When a waiting run goes on. */
  wait_till?: string;
  /** When this was so, by the reporter's clock: later words win over earlier ones. */
  at?: string;
  source?: ReportSource;
  project_id?: string;
  trace_id?: string;
  /** The run that this one repeats, as its system knows it. */
  retry_of?: string;
  parent_execution_id?: string;
  parent_workflow_id?: string;
  /** Last node that ran. */
  last_node?: string;
  error?: RunError;
  tokens_used?: number;
  /** Millionths of one unit of `currency`. */
  cost_micros?: number;
  currency?: string;
  metadata?: Record<string, unknown>;
  node_executions?: NodeExecutionReport[];
  node_marks?: NodeMarkReport[];
  telemetry_spans?: SpanReport[];
  telemetry_events?: RunEventReport[];
  shared_state_snapshots?: StateSnapshotReport[];
}

/** What became of one report. */
export interface ReportOutcome {
  /** Rollcall's id of the run: stands in every route. */
  id: string;
  status: 'created' | 'updated' | 'duplicate';
  /** The run's status with all that is known now. */
  run_status: RunStatus;
}

/** Answer to `POST /api/v1/executions/ingest`. */
export interface IngestedExecution extends ReportOutcome {
  /** The same as `id`, by the name that uploading loggers look for. */
  execution_id: string;
  /** Rows that are new with this report. */
  stored: {
    node_executions: number;
    telemetry_spans: number;
    telemetry_events: number;
    shared_state_snapshots: number;
  };
}
