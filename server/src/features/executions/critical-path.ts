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

/**
 * Who followed whom: for a run the one whose end it waited for, or undefined where nothing had ended. A later try
 * follows the try before it; else the latest to end of `previous_nodes`; else, where those are not known or did not
 * end in time, the latest to end of all.
 */
export function predecessors<Run extends PlacedRun>(runs: Run[]): (run: Run) => Run | undefined {
  const order = new Map(inOrder(runs).map((run, index) => [run, index]));
  const at = (run: Run): number => order.get(run) ?? 0;
  const byEnd = [...order.keys()].sort((a, b) => a.end - b.end || at(a) - at(b));
  const byName = Map.groupBy(byEnd, ({ node_name }) => node_name);

  /** The latest to end that ended before this run began, and came before it. */
  function latest(candidates: Run[], run: Run): Run | undefined {
    for (let index = endingBy(candidates, run.start + TOLERANCE_MS) - 1; index >= 0; index--) {
      const candidate = candidates[index] as Run;
      if (at(candidate) < at(run)) return candidate;
    }
    return undefined;
  }

  return (run) => {
    const named = (name: string): Run[] => byName.get(name) ?? [];
    const tries = run.retry_index === 0 ? [] : named(run.node_name).filter(isEarlierTryOf(run));
    const previous = run.previous_nodes.flatMap((name) => latest(named(name), run) ?? []);
    previous.sort((a, b) => a.end - b.end || at(a) - at(b));
    return latest(tries, run) ?? previous.at(-1) ?? latest(byEnd, run);
  };
}

const isEarlierTryOf =
  (run: PlacedRun) =>
  ({ run_index, retry_index }: PlacedRun): boolean =>
    run_index === run.run_index && retry_index < run.retry_index;

/** How many of these, sorted by end, end at that time or before. */
function endingBy(runs: PlacedRun[], time: number): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((runs[middle] as PlacedRun).end <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

const inOrder = <Run extends PlacedRun>(runs: Run[]): Run[] =>
  runs.toSorted((a, b) => a.start - b.start || a.end - b.end);

/**
 * The chain of runs that determined the end: from the last to finish back through what each one followed; first one
 * first. @param follows of the same runs, as `predecessors` gives it
 */
export function criticalPath<Run extends PlacedRun>(
  runs: Run[],
  follows: (run: Run) => Run | undefined = predecessors(runs),
): Run[] {
  const path: Run[] = [];
  for (let run = lastToFinish(runs); run; run = follows(run)) path.push(run);
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
