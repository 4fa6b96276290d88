import type { ComingGap, GapSimulation } from '@rollcall/client/contract';
import type { Command } from 'commander';
import { openSession } from '../http/session.ts';
import { referenceText, wholeNumber } from '../options.ts';
import { print, printFooter, printJson, printTable } from '../terminal/print.ts';
import type { Column } from '../terminal/table.ts';
import { count } from '../terminal/text.ts';
import { localTime, parseMoment } from '../terminal/time.ts';
import { severityColour } from './gap-text.ts';

/** `rollcall gaps simulate`: what would be missing by then if nothing reported any more. */
export function simulateGapsCommand(gaps: Command): void {
  gaps
    .command('simulate')
    .description('What would become a gap if nothing reported any more, when, and why')
    .requiredOption('--ahead <span>', 'how far to look: 2d, 12h, or a date', (text) =>
      parseMoment(text),
    )
    .option('--limit <number>', 'how many at most, the soonest', wholeNumber(1), 50)
    .action(simulate);
}

async function simulate(
  { ahead, limit }: { ahead: string; limit: number },
  command: Command,
): Promise<void> {
  const { api, json } = await openSession(command);
  const ahead_seconds = Math.max(1, Math.round((Date.parse(ahead) - Date.now()) / 1000));
  const body = { ahead_seconds, limit: Math.min(limit, 1000) };
  const simulation = await api.call<GapSimulation>('POST', '/api/v1/gaps/simulate', { body });
  if (json) return printJson(simulation);
  const { items, total, until } = simulation;
  if (total === 0) return print(`Nothing would be missing by ${localTime(until)}.`);
  printTable(COLUMNS, items);
  const shown = items.length < total ? `, the first ${items.length} shown` : '';
  printFooter(`${count(total, 'gap')} by ${localTime(until)} if nothing reported${shown}.`);
}

const COLUMNS: Column<ComingGap>[] = [
  { title: 'WHEN', value: ({ at }) => localTime(at) },
  {
    title: 'SEVERITY',
    value: ({ severity }) => severity,
    colour: ({ severity }) => severityColour(severity),
  },
  { title: 'GRADE', value: ({ grade }) => grade },
  { title: 'KIND', value: ({ kind }) => kind },
  { title: 'ENTITY', value: (gap) => referenceText(gap), shrinks: true },
  { title: 'WHY', value: ({ evidence }) => whyOf(evidence), shrinks: true },
];

const BASES: Record<string, string> = {
  limit: 'its own limit',
  schedule: 'its schedule',
  learned: 'its history',
  history: 'too short a history',
  rule: 'the limit of its type',
};

function whyOf({
  basis,
  samples,
  mute_ends,
  stuck_after_seconds,
  overrunning,
}: ComingGap['evidence']): string {
  if (mute_ends !== undefined) return 'its mute ends';
  if (stuck_after_seconds !== undefined) return 'too long on its way';
  if (overrunning !== undefined) return 'a run takes longer than usual';
  if (typeof basis !== 'string') return 'nothing heard of its instance';
  const learned = basis === 'learned' || basis === 'history' ? ` (${String(samples)} samples)` : '';
  return `${BASES[basis] ?? basis}${learned}`;
}
