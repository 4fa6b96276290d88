import type {
  DefinitionChanges,
  ExecutionComparison,
  ExecutionSummary,
  NodeComparison,
  NodeDifference,
  NodeExecution,
  NodeTotals,
  ValueDiff,
  WorkflowChange,
} from '@rollcall/client/contract';
import { diffValues } from './state-diff.ts';

/** One of two executions, as it is stored. */
export interface ComparisonSide {
  execution: ExecutionSummary;
  definition_hash: string | null;
  nodes: NodeExecution[];
  /** The last state that was told at each node (or at none), newest first. */
  states: { node_name: string | null; state: unknown }[];
  truncated: boolean;
}

/** What differs from the left execution to the right one; `changes`: of the workflow between them. */
export function compareExecutions(
  left: ComparisonSide,
  right: ComparisonSide,
  changes: DefinitionChanges,
): ExecutionComparison {
  const nodes = pairNodes(left, right).map((pair) => compareNode(pair, left, right));
  const differing = nodes.filter(({ differences }) => differences.length > 0);
  const [before, after] = [left.execution.duration_ms, right.execution.duration_ms];
  return {
    left: left.execution,
    right: right.execution,
    workflow: { ...compareWorkflows(left, right), ...changes },
    duration_delta_ms: before === null || after === null ? null : after - before,
    nodes: [...differing, ...nodes.filter(({ differences }) => differences.length === 0)],
    differing: differing.length,
    state: diffStates(left.states[0], right.states[0]),
    truncated: left.truncated || right.truncated,
  };
}

function compareWorkflows(
  left: ComparisonSide,
  right: ComparisonSide,
): Omit<WorkflowChange, keyof DefinitionChanges> {
  const versions = [left.execution.workflow_version, right.execution.workflow_version] as const;
  const hashes = [left.definition_hash, right.definition_hash] as const;
  return {
    same_workflow: left.execution.workflow_id === right.execution.workflow_id,
    left_version: versions[0],
    right_version: versions[1],
    left_hash: hashes[0],
    right_hash: hashes[1],
    definition: sameness(hashes) ?? sameness(versions) ?? 'unknown',
  };
}

const sameness = ([left, right]: readonly [string | null, string | null]) => {
  if (left === null || right === null) return undefined;
  return left === right ? 'same' : 'changed';
};

interface Pair {
  left: NodeExecution[];
  right: NodeExecution[];
}

/** By id, for a node may have been renamed; what is left by name, for not every reporter knows ids. */
function pairNodes({ nodes: left }: ComparisonSide, { nodes: right }: ComparisonSide): Pair[] {
  const others = Map.groupBy(right, ({ node_id }) => node_id);
  const pairs: Pair[] = [...Map.groupBy(left, ({ node_id }) => node_id)].map(([id, runs]) => {
    const same = others.get(id) ?? [];
    others.delete(id);
    return { left: runs, right: same };
  });
  const byName = new Map([...others].map(([id, runs]) => [runs[0]?.node_name, id]));
  for (const pair of pairs.filter(({ right: runs }) => runs.length === 0)) {
    const id = byName.get(pair.left[0]?.node_name);
    pair.right = (id !== undefined && others.get(id)) || [];
    if (id !== undefined) others.delete(id);
  }
  return [...pairs, ...[...others.values()].map((runs) => ({ left: [], right: runs }))];
}

function compareNode(pair: Pair, left: ComparisonSide, right: ComparisonSide): NodeComparison {
  const [before, after] = [totalsOf(pair.left), totalsOf(pair.right)];
  const stateOf = (side: ComparisonSide, [node]: NodeExecution[]) =>
    side.states.find(({ node_name }) => node !== undefined && node_name === node.node_name);
  const state = diffStates(stateOf(left, pair.left), stateOf(right, pair.right));
  const { node_id, node_name, node_type } = (pair.right[0] ?? pair.left[0]) as NodeExecution;
  return {
    node_id,
    node_name,
    node_type,
    left: before,
    right: after,
    differences: differencesOf(before, after, state),
    state,
  };
}

function diffStates(left?: { state: unknown }, right?: { state: unknown }): ValueDiff | null {
  return left && right ? diffValues(left.state, right.state) : null;
}

function totalsOf(runs: NodeExecution[]): NodeTotals | null {
  const last = runs.at(-1);
  if (!last) return null;
  const failed = runs.findLast(({ error, status }) => status === 'error' || error !== null);
  const ended = lastTries(runs);
  return {
    status: ended.some(({ status }) => status === 'error') ? 'error' : last.status,
    runs: ended.length,
    retries:
      sum(ended.map(({ attempts, retry_index }) => Math.max((attempts ?? 1) - 1, retry_index))) ??
      0,
    duration_ms: sum(runs.map(({ duration_ms }) => duration_ms)),
    items_in: sum(ended.map(({ items_in }) => items_in)),
    items_out: sum(ended.map(({ items_out }) => items_out)),
    tokens_used: sum(runs.map(({ tokens_used }) => tokens_used)),
    cost_micros: sum(runs.map(({ cost_micros }) => cost_micros)),
    error_type: failed?.error?.type ?? null,
    error_message: failed?.error?.message ?? null,
  };
}

/** Of each run of a node the try that decided it. */
function lastTries(runs: NodeExecution[]): NodeExecution[] {
  const last = new Map<number, NodeExecution>();
  for (const run of runs) {
    const before = last.get(run.run_index);
    if (!before || before.retry_index < run.retry_index) last.set(run.run_index, run);
  }
  return [...last.values()];
}

function sum(values: (number | null)[]): number | null {
  const told = values.filter((value) => value !== null);
  return told.length === 0 ? null : told.reduce((total, value) => total + value, 0);
}

const EXACT = [
  'status',
  'runs',
  'retries',
  'items_in',
  'items_out',
  'tokens_used',
  'cost_micros',
] as const;
const SLOWER_MS = 10;
const SLOWER_SHARE = 0.2;

/** What one side does not tell is no difference. */
function differencesOf(
  left: NodeTotals | null,
  right: NodeTotals | null,
  state: ValueDiff | null,
): NodeDifference[] {
  if (!left || !right) return ['presence'];
  const differences: NodeDifference[] = EXACT.filter(
    (field) => left[field] !== null && right[field] !== null && left[field] !== right[field],
  );
  if (isOtherDuration(left.duration_ms, right.duration_ms)) differences.push('duration_ms');
  if (left.error_type !== right.error_type || left.error_message !== right.error_message) {
    differences.push('error');
  }
  if (state && state.changes.length > 0) differences.push('state');
  return differences;
}

function isOtherDuration(left: number | null, right: number | null): boolean {
  if (left === null || right === null) return false;
  const delta = Math.abs(left - right);
  return delta >= SLOWER_MS && delta >= SLOWER_SHARE * Math.min(left, right);
}
