import type {
  ExecutionSummary,
  NodeExecution,
  NodePhase,
  RunStatus,
  TimelinePhase,
} from '@rollcall/client/contract';
import type { PlacedRun } from './critical-path.ts';

/** A node's run with its place in time, in milliseconds since 1970. */
export interface Placed extends PlacedRun {
  node: NodeExecution;
  /** No end was told. */
  open: boolean;
}

export interface Unplaced {
  node: NodeExecution;
  /** It ran within the run that this one repeats. */
  carried_over: boolean;
}

export interface Placement {
  origin: number;
  /** End of the run, or of its last node's run, or now while it goes on. */
  end: number;
  open: boolean;
  placed: Placed[];
  unplaced: Unplaced[];
}

const GOES_ON: RunStatus[] = ['queued', 'running', 'waiting'];

/** Where a moment's microseconds would stand. */
const MICROSECONDS_AT = '2026-01-01T00:00:00.000'.length;

/** Milliseconds since 1970, with the microseconds that a Date leaves out. */
export function milliseconds(iso: string): number {
  const next = iso[MICROSECONDS_AT] ?? '';
  if (next < '0' || next > '9') return Date.parse(iso);
  const [, micros = ''] = /\.\d{3}(\d{1,3})/.exec(iso) ?? [];
  return Date.parse(iso) + Number(micros.padEnd(3, '0')) / 1000;
}

const timeOf = (iso: string | null): number | undefined =>
  iso === null ? undefined : milliseconds(iso);

/** Gives every node's run its place; runs without an end are drawn up to the end of all, or to now. */
export function place(execution: ExecutionSummary, nodes: NodeExecution[], now: Date): Placement {
  const open = GOES_ON.includes(execution.status);
  const told = nodes.map((node) => ({ node, ...startAndEnd(node) }));
  const unplaced: Unplaced[] = [];
  const placed: Placed[] = [];
  for (const { node, start, end } of told) {
    const carried_over = isCarriedOver(execution, start, end);
    if (start === undefined || carried_over) unplaced.push({ node, carried_over });
    else
      placed.push({ ...identity(node), node, start, end: end ?? start, open: end === undefined });
  }
  const began = milliseconds(execution.started_at ?? execution.began);
  const origin = least([began, ...placed.map(({ start }) => start)]);
  const end = greatest([
    origin,
    timeOf(execution.completed_at) ?? origin + (execution.duration_ms ?? 0),
    ...(open ? [now.getTime()] : []),
    ...placed.map((run) => run.end),
  ]);
  for (const run of placed) if (run.open) run.end = end;
  return { origin, end, open, placed, unplaced };
}

const identity = ({ node_name, run_index, retry_index, previous_nodes }: NodeExecution) => ({
  node_name,
  run_index,
  retry_index,
  previous_nodes,
});

/** What is not told follows from the rest; an end before the start is no end. */
function startAndEnd(node: NodeExecution): { start?: number; end?: number } {
  const completed = timeOf(node.completed_at);
  const duration = node.duration_ms ?? undefined;
  const start =
    timeOf(node.started_at) ??
    (completed === undefined || duration === undefined ? undefined : completed - duration);
  if (start === undefined) return {};
  if (completed !== undefined && completed >= start) return { start, end: completed };
  return duration === undefined ? { start } : { start, end: start + duration };
}

/** A retry is told together with what the run that it repeats had done: that lies before its own start. */
function isCarriedOver(execution: ExecutionSummary, start?: number, end?: number): boolean {
  const { mode, retry_of, started_at } = execution;
  if (started_at === null || start === undefined) return false;
  const began = milliseconds(started_at);
  return (mode === 'retry' || retry_of !== null) && start < began && (end ?? start) <= began;
}

// A spread of thousands of arguments would not fit the stack.
const least = (numbers: number[]): number => numbers.reduce((a, b) => Math.min(a, b), Infinity);
const greatest = (numbers: number[]): number => numbers.reduce((a, b) => Math.max(a, b), -Infinity);

/** To the microsecond: differences of floating numbers say more than anybody measured. */
export const rounded = (value: number): number => Math.round(value * 1000) / 1000;

/** Preparation, execution and what follows, one after the other and none beyond the bar. */
export function phasesOf({ node, start, end }: Placed, origin: number): TimelinePhase[] {
  const { prep_duration_ms: prep, exec_duration_ms: exec, post_duration_ms: post } = node;
  const phases: TimelinePhase[] = [];
  let at = start;
  const add = (phase: NodePhase, duration: number | null) => {
    if (duration === null) return;
    const until = Math.min(at + duration, end);
    phases.push({ phase, offset_ms: rounded(at - origin), duration_ms: rounded(until - at) });
    at = until;
  };
  add('prep', prep);
  // Untimed, it is what the others leave.
  add('exec', (exec ?? (prep ?? post) === null) ? exec : Math.max(end - at - (post ?? 0), 0));
  add('post', post);
  return phases;
}
