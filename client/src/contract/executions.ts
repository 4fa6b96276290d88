import type { ReportSource, RunError, SpanReport } from './execution-report.ts';
import type { RunStatus } from './vocabulary.ts';

/** A run where another one names it. */
export interface ExecutionReference {
  id: string;
  execution_id: string | null;
  workflow_id: string;
  workflow_name: string | null;
  status: RunStatus;
  started_at: string | null;
  /** Milliseconds. */
  duration_ms: number | null;
}

/** One run in a list. */
export interface ExecutionSummary {
  /** Rollcall's id: stands in every route. */
  id: string;
  /** The id its own system gave it. */
  execution_id: string | null;
  instance_id: string | null;
  session_id: string | null;
  project_id: string;
  workflow_id: string;
  workflow_name: string | null;
  workflow_version: string | null;
  status: RunStatus;
  mode: string | null;
  /** Start, else the moment of the first word of it: what lists are ordered by. */
  began: string;
  started_at: string | null;
  completed_at: string | null;
  /** Milliseconds. */
  duration_ms: number | null;
  trace_id: string | null;
  /** The run that called this one, as its own system knows it. */
  parent_execution_id: string | null;
  /** The run that this one repeats, as its own system knows it. */
  retry_of: string | null;
  error_type: string | null;
  error_message: string | null;
  error_node: string | null;
  last_node: string | null;
  tokens_used: number | null;
  /** Millionths of one unit of `currency`. */
  cost_micros: number | null;
  currency: string | null;
  /** When it was given up; stays when a late end corrects it. */
  lost_at: string | null;
  /** It had been given up when its end was told. */
  late_end: boolean;
  /**
   * Only Telemetry Emit nodes told of it, and none that it finished: it stays `running`, for an end need not be told,
   * and is never `lost`.
   */
  end_untold: boolean;
  /** Who told of it. */
  sources: ReportSource[];
}

/** One run of one node, in the order of their starts. */
export interface NodeExecution {
  node_id: string;
  node_name: string;
  node_type: string | null;
  run_index: number;
  retry_index: number;
  /** Tries that were made in all, where only the last one was told. */
  attempts: number | null;
  status: RunStatus;
  started_at: string | null;
  completed_at: string | null;
  /** Milliseconds, as the next three. */
  duration_ms: number | null;
  prep_duration_ms: number | null;
  exec_duration_ms: number | null;
  post_duration_ms: number | null;
  items_in: number | null;
  items_out: number | null;
  /** Names of the nodes whose output it took. */
  previous_nodes: string[];
  tokens_used: number | null;
  cost_micros: number | null;
  model: string | null;
  /** The sub-workflow's run that it called, as its own system knows it. */
  child_execution_id: string | null;
  error: RunError | null;
  metadata: Record<string, unknown> | null;
}

export interface ExecutionDetail extends ExecutionSummary {
  definition_hash: string | null;
  /** When `status` was so, by the reporter's clock. */
  status_at: string;
  /** When a waiting run goes on. */
  wait_till: string | null;
  error: RunError | null;
  metadata: Record<string, unknown> | null;
  first_reported_at: string;
  updated_at: string;
  counts: {
    node_executions: number;
    telemetry_spans: number;
    telemetry_events: number;
    shared_state_snapshots: number;
  };
  /** At most 1,000. */
  node_executions: NodeExecution[];
  nodes_truncated: boolean;
  /** Where it is known: the run that called this one. */
  parent: ExecutionReference | null;
  /** Runs that this one called, at most 200, oldest first. */
  children: ExecutionReference[];
  children_truncated: boolean;
  /** Where it is known: the run that this one repeats. */
  repeats: ExecutionReference | null;
  /** Runs that repeat this one, at most 50, oldest first. */
  retries: ExecutionReference[];
}

export interface ExecutionFilter {
  workflow_id?: string;
  status?: RunStatus[];
  mode?: string;
  instance_id?: string;
  project_id?: string;
  parent_execution_id?: string;
  trace_id?: string;
  session_id?: string;
  /** Began at or after. */
  from?: string;
  /** Began before. */
  to?: string;
  min_duration_ms?: number;
  max_duration_ms?: number;
  error_type?: string;
  /** Part of the workflow's id or name, the error's message or the run's id. */
  text?: string;
}

/** A span as it is stored, without its children. */
export interface TelemetrySpan {
  trace_id: string;
  span_id: string;
  parent_span_id: string | null;
  name: string;
  kind: NonNullable<SpanReport['kind']>;
  status: NonNullable<SpanReport['status']>;
  status_message: string | null;
  /** ISO 8601 to the microsecond. */
  started_at: string;
  ended_at: string | null;
  /** Milliseconds; null while it has no end. */
  duration_ms: number | null;
  /** The node that it is, or that it belongs to, where its attributes say so. */
  node_name: string | null;
  attributes: Record<string, unknown>;
  events: NonNullable<SpanReport['events']>;
  links: NonNullable<SpanReport['links']>;
  resource: Record<string, unknown> | null;
}

export interface SpanTree extends TelemetrySpan {
  /** It names a parent that is not stored with this run, and so stands at the top. */
  parent_missing: boolean;
  /** By start. */
  children: SpanTree[];
}

export interface RunEvent {
  event_id: string;
  at: string;
  name: string;
  level: 'debug' | 'info' | 'warn' | 'error';
  message: string | null;
  node_name: string | null;
  span_id: string | null;
  data: Record<string, unknown> | null;
}
