/** A run of a node with its place in time; milliseconds on one scale. */
export interface PlacedRun {
  node_name: string;
  run_index: number;
  retry_index: number;
  previous_nodes: string[];
  start: number;
  end: number;
}

/** Clocks that count whole milliseconds let a node start in the one in which the node before it ends. */
const TOLERANCE_MS = 1;
/** A node has a few inputs; a hostile report may name thousands. */
const MOST_PREVIOUS = 100;

/**
 * Who followed whom: of each run the one whose end it waited for, if any had ended. A later try follows the try
 * before it; else the latest to end of `previous_nodes`; else, where those are not known or did not end in time, the
 * latest to end of all. Of runs in the same millisecond none follows one that stands after it.
 */
export function predecessors<Run extends PlacedRun>(runs: Run[]): Map<Run, Run> {
  const found = new Map<Run, Run>();
  const all = new Ends<Run>();
  const byNode = new Map<string, Ends<Run>>();
  const byTry = new Map<string, Ends<Run>>();
  const of = (ends: Map<string, Ends<Run>>, key: string): Ends<Run> => {
    const known = ends.get(key) ?? new Ends<Run>();
    ends.set(key, known);
    return known;
  };
  for (const run of inOrder(runs)) {
    const by = run.start + TOLERANCE_MS;
    const tries = of(byTry, `${run.run_index} ${run.node_name}`);
    let previous: Run | undefined;
    for (const name of run.previous_nodes.slice(0, MOST_PREVIOUS)) {
      const candidate = byNode.get(name)?.latest(by);
      if (candidate && !(previous && previous.end > candidate.end)) previous = candidate;
    }
    const before = (run.retry_index > 0 && tries.latest(by)) || previous || all.latest(by);
    if (before) found.set(run, before);
    for (const ends of [all, of(byNode, run.node_name), tries]) ends.add(run);
  }
  return found;
}

/** Runs by their end; of those that end together the one that was added last counts. */
class Ends<Run extends PlacedRun> {
  private readonly runs: Run[] = [];

  add(run: Run): void {
    this.runs.splice(this.endingBy(run.end), 0, run);
  }

  /** The last to end at that time or before. */
  latest(time: number): Run | undefined {
    return this.runs[this.endingBy(time) - 1];
  }

  private endingBy(time: number): number {
    let low = 0;
    let high = this.runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.runs[middle] as Run).end <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const inOrder = <Run extends PlacedRun>(runs: Run[]): Run[] =>
  runs.toSorted((a, b) => a.start - b.start || a.end - b.end || a.retry_index - b.retry_index);

/**
 * The chain of runs that determined the end: from the last to finish back through what each one followed; first one
 * first. @param before of the same runs, as `predecessors` gives it
 */
export function criticalPath<Run extends PlacedRun>(
  runs: Run[],
  before: Map<Run, Run> = predecessors(runs),
): Run[] {
  const path: Run[] = [];
  for (let run = lastToFinish(runs); run; run = before.get(run)) path.push(run);
  return path.reverse();
}

/**
 * Of several that end last: one that took no time came after those that did, and came after the ones that it took its
 * input from; among those that took time, the longest holds the others (an agent its tools).
 */
function lastToFinish<Run extends PlacedRun>(runs: Run[]): Run | undefined {
  const end = runs.reduce((latest, run) => Math.max(latest, run.end), -Infinity);
  const last = inOrder(runs.filter((run) => run.end === end));
  const instants = last.filter((run) => run.start === end);
  const taken = new Set(instants.flatMap(({ previous_nodes }) => previous_nodes));
  return instants.findLast(({ node_name }) => !taken.has(node_name)) ?? instants.at(-1) ?? last[0];
}
