import type { ExecutionSummary, NodeExecution } from '../../client/src/contract/index.ts';
import { timelineOf, type TimelineSource } from '../../server/src/features/executions/timeline.ts';

const START = Date.parse('2026-01-01T12:00:00Z');
/** A moment, so many milliseconds after the run's start. */
export const at = (offset: number) => new Date(START + offset).toISOString();

/** A run of 100 ms. */
export const execution = (more: Partial<ExecutionSummary> = {}): ExecutionSummary => ({
  id: '00000000-0000-4000-8000-000000000000',
  execution_id: '1',
  instance_id: null,
  session_id: null,
  project_id: 'default',
  workflow_id: 'w',
  workflow_name: null,
  workflow_version: null,
  status: 'success',
  mode: 'trigger',
  began: at(0),
  started_at: at(0),
  completed_at: at(100),
  duration_ms: 100,
  trace_id: null,
  parent_execution_id: null,
  retry_of: null,
  error_type: null,
  error_message: null,
  error_node: null,
  last_node: null,
  tokens_used: null,
  cost_micros: null,
  currency: null,
  lost_at: null,
  late_end: false,
  end_untold: false,
  sources: ['hooks'],
  ...more,
});

/** A run of a node from one offset to another. */
export const node = (
  name: string,
  start: number | null,
  end: number | null,
  more: Partial<NodeExecution> = {},
): NodeExecution => ({
  node_id: `id-${name}`,
  node_name: name,
  node_type: 'n8n-nodes-base.set',
  run_index: 0,
  retry_index: 0,
  attempts: null,
  status: 'success',
  started_at: start === null ? null : at(start),
  completed_at: end === null ? null : at(end),
  duration_ms: start === null || end === null ? null : end - start,
  prep_duration_ms: null,
  exec_duration_ms: null,
  post_duration_ms: null,
  items_in: null,
  items_out: null,
  previous_nodes: [],
  tokens_used: null,
  cost_micros: null,
  model: null,
  child_execution_id: null,
  error: null,
  metadata: null,
  ...more,
});

/** The timeline as it is so many milliseconds after the start. */
export const draw = (source: Partial<TimelineSource>, now = 1_000) =>
  timelineOf(
    { execution: execution(), nodes: [], spans: [], children: [], truncated: false, ...source },
    new Date(START + now),
  );
/** Of every bar: node, offset, duration. */
export const bars = (source: Partial<TimelineSource>, now?: number) =>
  draw(source, now).lanes.flatMap((lane) =>
    lane.bars.map((bar) => [lane.node_name, bar.offset_ms, bar.duration_ms]),
  );
