import type {
  CriticalStep,
  ExecutionReference,
  ExecutionSummary,
  NodeExecution,
  Timeline,
  TimelineBar,
  TimelineGap,
  TimelineLane,
  TimelineSpan,
} from '@rollcall/client/contract';
import { criticalPath, predecessors } from './critical-path.ts';
import { phasesOf, place, rounded, type Placed, type Placement } from './timeline-bars.ts';
import { spansOfRuns, type BriefSpan } from './timeline-spans.ts';

/** A run as it is stored, of which a timeline is made. */
export interface TimelineSource {
  execution: ExecutionSummary;
  nodes: NodeExecution[];
  spans: BriefSpan[];
  /** Runs that this one called, oldest first. */
  children: ExecutionReference[];
  truncated: boolean;
}

/** A run, ready to draw; one that goes on is drawn up to `now`. */
export function timelineOf(source: TimelineSource, now: Date): Timeline {
  const { execution, nodes, spans, children, truncated } = source;
  const placement = place(execution, nodes, now);
  const { origin, end, open, placed } = placement;
  placed.sort((a, b) => a.start - b.start || a.end - b.end);
  const before = predecessors(placed);
  const critical = criticalPath(placed, before);
  const drawing: Drawing = {
    origin,
    before,
    critical: new Set(critical),
    spans: spansOfRuns(spans, placed, placement),
    children: new Map(children.map((child) => [child.execution_id ?? child.id, child])),
  };
  return {
    execution,
    origin: new Date(origin).toISOString(),
    duration_ms: rounded(end - origin),
    open,
    lanes: lanesOf(placement, drawing),
    critical_path: critical.map((run) => stepOf(run, drawing)),
    gaps: gapsOf(placement, execution),
    truncated,
  };
}

interface Drawing {
  origin: number;
  before: Map<Placed, Placed>;
  critical: Set<Placed>;
  spans: Map<Placed, TimelineSpan[]>;
  children: Map<string, ExecutionReference>;
}

function lanesOf({ placed, unplaced }: Placement, drawing: Drawing): TimelineLane[] {
  const lanes = new Map<string, TimelineLane>();
  const laneOf = ({ node_id, node_name, node_type }: NodeExecution): TimelineLane => {
    const lane = lanes.get(node_id) ?? { node_id, node_name, node_type, bars: [], unplaced: [] };
    lanes.set(node_id, lane);
    return lane;
  };
  for (const run of placed) laneOf(run.node).bars.push(barOf(run, drawing));
  for (const { node, carried_over } of unplaced) {
    const { run_index, retry_index, status } = node;
    laneOf(node).unplaced.push({ run_index, retry_index, status, carried_over });
  }
  return [...lanes.values()];
}

const stretchOf = (run: Placed, { origin, before }: Drawing) => ({
  offset_ms: rounded(run.start - origin),
  duration_ms: rounded(run.end - run.start),
  wait_ms: rounded(Math.max(run.start - (before.get(run)?.end ?? origin), 0)),
});

function barOf(run: Placed, drawing: Drawing): TimelineBar {
  const { node, open } = run;
  return {
    run_index: node.run_index,
    retry_index: node.retry_index,
    attempts: node.attempts,
    status: node.status,
    open,
    ...stretchOf(run, drawing),
    on_critical_path: drawing.critical.has(run),
    phases: phasesOf(run, drawing.origin),
    spans: drawing.spans.get(run) ?? [],
    items_in: node.items_in,
    items_out: node.items_out,
    tokens_used: node.tokens_used,
    error: node.error && { type: node.error.type ?? null, message: node.error.message },
    child_execution_id: node.child_execution_id,
    child: drawing.children.get(node.child_execution_id ?? '') ?? null,
  };
}

function stepOf(run: Placed, drawing: Drawing): CriticalStep {
  const { node_id, node_name, run_index, retry_index } = run.node;
  return { node_id, node_name, run_index, retry_index, ...stretchOf(run, drawing) };
}

/** Shorter ones are the time that an engine takes between two nodes. */
const SHORTEST_GAP_MS = 1;
/** Nodes whose business it is to park a run. */
const PARKS = /\.(wait|form)$/i;

const isParked = ({ node }: Placed): boolean =>
  node.status === 'waiting' || PARKS.test(node.node_type ?? '');

/** Times in which nothing ran. n8n tells a Wait node's run from where it resumed: the gap lies before it. */
function gapsOf({ origin, end, placed }: Placement, { status }: ExecutionSummary): TimelineGap[] {
  const gaps: TimelineGap[] = [];
  let covered = origin;
  let last: Placed | undefined;
  const add = (until: number, next?: Placed) => {
    if (until - covered < SHORTEST_GAP_MS) return;
    const parked = next ? isParked(next) : status === 'waiting';
    gaps.push({
      kind: parked || (last && isParked(last)) ? 'waiting' : 'idle',
      offset_ms: rounded(covered - origin),
      duration_ms: rounded(until - covered),
    });
  };
  for (const run of placed) {
    add(run.start, run);
    if (run.end >= covered) [covered, last] = [run.end, run];
  }
  add(end);
  return gaps;
}
