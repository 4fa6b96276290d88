import type { Gap, GapDetail, GapSeverity } from '@rollcall/client/contract';
import { SHORT_ID } from '../http/resolve-id.ts';
import { referenceText } from '../options.ts';
import { clean, paint, type Colour } from '../terminal/text.ts';
import { ago, localTime } from '../terminal/time.ts';

export function severityColour(severity: GapSeverity): Colour {
  if (severity === 'critical') return 'red';
  return severity === 'warning' ? 'yellow' : 'dim';
}

/** One gap for people: what is wrong, what shows it, what it explains, what can be done, what became of it. */
export function describeGap(gap: GapDetail): string {
  const id = gap.id.slice(0, SHORT_ID);
  const evidence = Object.entries(gap.evidence).filter(([, value]) => value !== null);
  return [
    paint('bold', clean(gap.summary)),
    `  ${gap.id}`,
    `  ${gap.kind} of ${clean(referenceText(gap))}, ${paint(severityColour(gap.severity), gap.severity)}, ${gap.grade}, ${stateText(gap)}`,
    `  since ${localTime(gap.first_seen)}, last found ${ago(gap.last_seen)}`,
    '',
    'Evidence',
    ...evidence.map(([name, value]) => `  ${clean(`${name}: ${valueText(value)}`)}`),
    ...(gap.inhibited.length > 0 ? ['', 'Explains'] : []),
    ...gap.inhibited.map((one) => `  ${one.kind}  ${clean(referenceText(one))}`),
    ...(gap.fixes.length > 0 ? ['', 'Fixes, the first by default'] : []),
    ...gap.fixes.map(({ action, summary, needs }) => {
      const added = needs.map((need) => ` ${NEEDS[need] ?? need}`).filter(once);
      return `  rollcall gaps fix ${id} --action ${action}${added.join('')}\n    ${clean(summary)}`;
    }),
    '',
    'History',
    ...gap.history.map(
      ({ at, change, from, to }) =>
        `  ${localTime(at)}  ${change}${from ? ` from ${from}` : ''}${to ? ` to ${to}` : ''}`,
    ),
  ].join('\n');
}

const once = (value: string, index: number, all: string[]): boolean => all.indexOf(value) === index;

/** What a fix needs, as options. */
const NEEDS: Record<string, string> = {
  parent_type: '--parent TYPE/ID',
  parent_id: '--parent TYPE/ID',
  reason: '--reason TEXT',
  until: '--until WHEN',
};

const valueText = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);

export function stateText({ state, muted_until, mute_reason }: Gap): string {
  if (state !== 'muted' || !muted_until) return state;
  return clean(`muted until ${localTime(muted_until)}: ${mute_reason ?? ''}`);
}
