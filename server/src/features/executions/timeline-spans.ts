import type { TimelineSpan } from '@rollcall/client/contract';
import type { Placed } from './timeline-bars.ts';
import { milliseconds, rounded } from './timeline-bars.ts';

/** What a timeline needs of a span. */
export interface BriefSpan {
  trace_id: string;
  span_id: string;
  parent_span_id: string | null;
  name: string;
  status: TimelineSpan['status'];
  started_at: string;
  ended_at: string | null;
  node_name: string | null;
}

const MOST_A_BAR = 200;
/** How n8n names the span of a node's run: that is the bar itself. */
const NODE_SPAN = 'node.execute';

interface Belonging {
  node: string;
  depth: number;
}

/**
 * The spans within each node's run, in the order given: those that name the node, and those below one that does. Of
 * several runs of a node it is the last that had begun when the span did.
 */
export function spansOfRuns(
  spans: BriefSpan[],
  placed: Placed[],
  { origin, end }: { origin: number; end: number },
): Map<Placed, TimelineSpan[]> {
  const runsOf = Map.groupBy(placed, ({ node_name }) => node_name);
  const belonging = belongingOf(spans);
  const found = new Map<Placed, TimelineSpan[]>();
  for (const span of spans) {
    const { node, depth } = belonging(span) ?? {};
    const runs = node === undefined ? undefined : runsOf.get(node);
    if (!runs || depth === undefined || depth < 0) continue;
    const start = milliseconds(span.started_at);
    const run = runs.findLast((each) => each.start <= start + 1) ?? runs[0];
    if (!run) continue;
    const shown = found.get(run) ?? [];
    found.set(run, shown);
    if (shown.length >= MOST_A_BAR) continue;
    const until = span.ended_at === null ? end : milliseconds(span.ended_at);
    shown.push({
      span_id: span.span_id,
      name: span.name,
      status: span.status,
      depth,
      open: span.ended_at === null,
      offset_ms: rounded(start - origin),
      duration_ms: rounded(Math.max(until - start, 0)),
    });
  }
  return found;
}

/** Whose span it is: its own word, else that of the nearest span above that says so. */
function belongingOf(spans: BriefSpan[]): (span: BriefSpan) => Belonging | undefined {
  const key = (trace: string, span: string | null) => `${trace}:${span ?? ''}`;
  const all = new Map(spans.map((span) => [key(span.trace_id, span.span_id), span]));
  const known = new Map<BriefSpan, Belonging | undefined>();

  return (span) => {
    const path: BriefSpan[] = [];
    const onPath = new Set<BriefSpan>();
    let at: BriefSpan | undefined = span;
    while (at && !known.has(at) && !onPath.has(at) && at.node_name === null) {
      path.push(at);
      onPath.add(at);
      at = all.get(key(at.trace_id, at.parent_span_id));
    }
    let belonging = at && !onPath.has(at) ? (known.get(at) ?? own(at)) : undefined;
    for (const each of path.reverse()) {
      belonging = belonging && { node: belonging.node, depth: belonging.depth + 1 };
      known.set(each, belonging);
    }
    return belonging;
  };
}

const own = ({ node_name, name }: BriefSpan): Belonging | undefined =>
  node_name === null ? undefined : { node: node_name, depth: name === NODE_SPAN ? -1 : 0 };
