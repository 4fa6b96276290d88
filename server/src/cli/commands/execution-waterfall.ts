import type { Timeline, TimelineBar, TimelineLane } from '@rollcall/client/contract';
import { clean, fit, paint, widthOf } from '../terminal/text.ts';
import { duration } from '../terminal/time.ts';
import { runStatusColour } from './execution-text.ts';

const WIDTH = 100;
const WIDEST_NAME = 30;
const NARROWEST_FIELD = 10;
/** For the duration, and what went wrong. */
const FACTS = 24;
const LANES = 200;

/**
 * A timeline for people, a line for each node: `*` where it decided when the run ended, `█` while it ran, `░` while
 * its end is not known. @param width columns of the terminal; undefined (a pipe, a file) takes 100
 */
export function waterfall(timeline: Timeline, width = WIDTH): string {
  const { lanes, gaps, duration_ms, open, truncated } = timeline;
  if (lanes.length === 0) return 'No node has told of its run.';
  const shown = lanes.slice(0, LANES);
  const names = Math.min(
    WIDEST_NAME,
    Math.max(...shown.map((lane) => widthOf(clean(lane.node_name)))),
  );
  const field = Math.max(width - names - FACTS - 6, NARROWEST_FIELD);
  const waited = gaps.filter(({ kind }) => kind === 'waiting');
  const parked = waited.reduce((sum, gap) => sum + gap.duration_ms, 0);
  return [
    paint('bold', `Nodes, over ${duration(duration_ms)}${open ? ' so far' : ''}`),
    ...shown.map((lane) => laneLine(lane, names, field, duration_ms)),
    ...(lanes.length > LANES ? [`  and ${lanes.length - LANES} nodes more`] : []),
    ...(parked > 0 ? [`  waiting took ${duration(parked)} of it`] : []),
    ...(truncated ? ['  there are more runs than are drawn'] : []),
  ].join('\n');
}

function laneLine(lane: TimelineLane, names: number, field: number, total: number): string {
  const { bars, unplaced } = lane;
  const critical = bars.some(({ on_critical_path }) => on_critical_path) ? '*' : ' ';
  const runs = bars.length + unplaced.length;
  const took = bars.reduce((sum, { duration_ms }) => sum + duration_ms, 0);
  const tries = bars.reduce((most, bar) => Math.max(most, bar.attempts ?? bar.retry_index + 1), 1);
  const failed = bars.find(({ status }) => status === 'error');
  const facts = [
    bars.length > 0 ? duration(took) : 'not timed',
    ...(runs > 1 ? [`${runs} runs`] : []),
    ...(tries > 1 ? [`${tries} tries`] : []),
    ...(failed ? [clean(failed.error?.type ?? 'error')] : []),
  ];
  const row = `${critical} ${fit(clean(lane.node_name), names)}  ${drawBars(bars, field, total)}`;
  return `${row}  ${paint(failed ? 'red' : undefined, facts.join(', '))}`.trimEnd();
}

/** Every run takes at least one column, later ones over earlier ones. */
function drawBars(bars: TimelineBar[], field: number, total: number): string {
  const columns = Array.from({ length: field }, () => ' ');
  // Both ends are rounded alike, so that what follows begins where what it followed ended.
  const column = (offset: number) => (total === 0 ? 0 : Math.round((offset / total) * field));
  for (const { offset_ms, duration_ms, open, status } of bars) {
    const first = Math.min(column(offset_ms), field - 1);
    const mark = paint(runStatusColour(status), open ? '░' : '█');
    columns.fill(mark, first, Math.max(column(offset_ms + duration_ms), first + 1));
  }
  return columns.join('');
}
