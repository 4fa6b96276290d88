import type { ExecutionSummary } from './executions.ts';
import type { ValueDiff } from './execution-state.ts';
import type { RunStatus } from './vocabulary.ts';

/** What a node did in one run, its loops and tries added up. */
export interface NodeTotals {
  /** Of its last run; `error` if any ended so. */
  status: RunStatus;
  runs: number;
  /** Tries beyond the first of each run. */
  retries: number;
  /** Milliseconds; null when nothing was timed. */
  duration_ms: number | null;
  items_in: number | null;
  items_out: number | null;
  tokens_used: number | null;
  cost_micros: number | null;
  error_type: string | null;
  error_message: string | null;
}

export const NODE_DIFFERENCES = [
  'presence',
  'status',
  'runs',
  'retries',
  'duration_ms',
  'items_in',
  'items_out',
  'tokens_used',
  'cost_micros',
  'error',
  'state',
] as const;
export type NodeDifference = (typeof NODE_DIFFERENCES)[number];

export interface NodeComparison {
  node_id: string;
  node_name: string;
  node_type: string | null;
  /** Null: it did not run there. */
  left: NodeTotals | null;
  right: NodeTotals | null;
  /**
   * Empty: nothing that counts. Durations differ from 10 ms and 20 % on; `presence`: it ran on one side only.
   */
  differences: NodeDifference[];
  /** Between the last states that were told at this node; null when one side told none. */
  state: ValueDiff | null;
}

/** `renamed`, `type` and so on: what is another one; `retry` and `settings`: how it deals with errors and output. */
export const DEFINITION_DIFFERENCES = [
  'added',
  'removed',
  'renamed',
  'type',
  'version',
  'parameters',
  'credentials',
  'disabled',
  'retry',
  'settings',
] as const;
export type DefinitionDifference = (typeof DEFINITION_DIFFERENCES)[number];

/** A node of a workflow that one definition has otherwise than the other. */
export interface NodeChange {
  node_id: string | null;
  /** Its name now; of a node that was removed, the last. */
  node_name: string;
  node_type: string;
  /** Set when it was renamed. */
  previous_name: string | null;
  changes: DefinitionDifference[];
}

/** A connection between nodes; one that was moved was removed and added. Names are those of now. */
export interface ConnectionChange {
  change: 'added' | 'removed';
  source: string;
  /** `main`, `ai_tool`, ... */
  type: string;
  /** From 0, as `input`. */
  output: number;
  target: string;
  input: number;
}

/**
 * What became of a workflow's definition. Both are null when one of the two definitions is not known: the hooks
 * package or a registration with the workflow's JSON tells them. Both empty although it changed: its settings did.
 */
export interface DefinitionChanges {
  /** By name, at most 500. */
  nodes: NodeChange[] | null;
  /** At most 500. */
  connections: ConnectionChange[] | null;
  /** There were more than that. */
  more_changes: boolean;
}

/** What became of the workflow between two runs. */
export interface WorkflowChange extends DefinitionChanges {
  same_workflow: boolean;
  left_version: string | null;
  right_version: string | null;
  /** As the run told it, else that of its version. */
  left_hash: string | null;
  right_hash: string | null;
  /** `same` and `changed` go by hashes, else by versions; `unknown` when one run tells neither. */
  definition: 'same' | 'changed' | 'unknown';
}

export interface ExecutionComparison {
  left: ExecutionSummary;
  right: ExecutionSummary;
  workflow: WorkflowChange;
  /** Right minus left, milliseconds; null when one has no duration. */
  duration_delta_ms: number | null;
  /** Those that differ first, each half in the order in which they ran. */
  nodes: NodeComparison[];
  differing: number;
  /** Between the last states of all; null when one side told none. */
  state: ValueDiff | null;
  /** More than 5,000 node runs, or more than 8 MB of states, on one side: the rest was left out. */
  truncated: boolean;
}

export interface VersionSide {
  version: string;
  definition_hash: string | null;
  /** Ended runs of this stretch. */
  runs: number;
  /** Those that ended in error, or were lost. */
  errors: number;
  /** Of the runs that succeeded, milliseconds. */
  median_duration_ms: number | null;
}

/** Which run is meant, and when it began. */
export interface RunMark {
  id: string;
  execution_id: string | null;
  began: string;
}

/** A change of a workflow's version, what it changed, and how its runs went before and after. */
export interface VersionChange extends DefinitionChanges {
  workflow_id: string;
  /** Start of the first run of the new version. */
  changed_at: string;
  before: VersionSide;
  after: VersionSide;
  /** Last success before the change, in whatever version. */
  last_good: RunMark | null;
  /** First run of the new version that ended in error or was lost, up to the next change. */
  first_bad: RunMark | null;
  error_type: string | null;
  error_message: string | null;
  /** Median duration after, as a multiple of the one before. */
  duration_ratio: number | null;
  /**
   * `broken`: a greater share of runs fails; `slower`: the median is at least half as long again, and 10 ms longer;
   * `fine` otherwise.
   */
  verdict: 'broken' | 'slower' | 'fine';
}
