import type { ExecutionReference, ExecutionSummary } from './executions.ts';
import type { RunStatus } from './vocabulary.ts';

/** All offsets are milliseconds after `Timeline.origin`, all durations milliseconds. */
interface Stretch {
  offset_ms: number;
  duration_ms: number;
}

export const NODE_PHASES = ['prep', 'exec', 'post'] as const;
export type NodePhase = (typeof NODE_PHASES)[number];

export interface TimelinePhase extends Stretch {
  phase: NodePhase;
}

/** A span within a node's run. */
export interface TimelineSpan extends Stretch {
  span_id: string;
  name: string;
  status: 'unset' | 'ok' | 'error';
  /** Spans between it and the node's own, from 0. */
  depth: number;
  /** It has no end yet: drawn up to now. */
  open: boolean;
}

/** Which run of a node is meant. */
export interface NodeRunReference {
  node_id: string;
  node_name: string;
  run_index: number;
  retry_index: number;
}

export interface TimelineBar extends Stretch {
  run_index: number;
  retry_index: number;
  attempts: number | null;
  status: RunStatus;
  /** No end was told: drawn up to now, or to the end of the run. */
  open: boolean;
  /** From the end of what it followed to its own start. */
  wait_ms: number;
  on_critical_path: boolean;
  phases: TimelinePhase[];
  /** At most 200. */
  spans: TimelineSpan[];
  items_in: number | null;
  items_out: number | null;
  tokens_used: number | null;
  error: { type: string | null; message: string } | null;
  /** The sub-workflow's run that it called, as its own system knows it. */
  child_execution_id: string | null;
  /** That run, where it is known. */
  child: ExecutionReference | null;
}

/** What one node did. */
export interface TimelineLane {
  node_id: string;
  node_name: string;
  node_type: string | null;
  /** By start. */
  bars: TimelineBar[];
  /** Runs that have no place here: nobody told when they were, or they were taken over from the run that this one repeats. */
  unplaced: { run_index: number; retry_index: number; status: RunStatus; carried_over: boolean }[];
}

export interface CriticalStep extends Stretch, NodeRunReference {
  /** From the end of the step before, or from the start of the run, to its own start. */
  wait_ms: number;
}

/** A time in which no node ran: `waiting` when the run was parked (a Wait node, a form), else `idle`. */
export interface TimelineGap extends Stretch {
  kind: 'waiting' | 'idle';
}

/** A run, ready to draw. */
export interface Timeline {
  execution: ExecutionSummary;
  /** The moment that offset 0 stands for. */
  origin: string;
  /** Up to now while the run goes on. */
  duration_ms: number;
  open: boolean;
  /** One a node, by first start; those without a placed bar last. */
  lanes: TimelineLane[];
  /** The chain of node runs that determined the end, first one first. */
  critical_path: CriticalStep[];
  gaps: TimelineGap[];
  /** There are more node runs than the 5,000 that are shown, or more spans than the 5,000 that were read. */
  truncated: boolean;
}
