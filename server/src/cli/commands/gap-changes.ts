import type { Gap, GapDetail } from '@rollcall/client/contract';
import type { Command } from 'commander';
import { SHORT_ID } from '../http/resolve-id.ts';
import { openSession } from '../http/session.ts';
import { print, printJson } from '../terminal/print.ts';
import { clean } from '../terminal/text.ts';
import { parseMoment } from '../terminal/time.ts';
import { fixCommand } from './gap-fix.ts';
import { fixesCommands } from './gap-fixes.ts';
import { describeGap, stateText } from './gap-text.ts';
import { wholeGapId } from './whole-gap-id.ts';

const PATH = '/api/v1/gaps';
const ID = 'its id, or the beginning of it';
const WHEN = 'a date, or a span such as 7d';

/** What one may see and do of a single gap. */
export function changeGapCommands(gaps: Command): void {
  gaps
    .command('show')
    .description('One gap: what shows it, and what can be done')
    .argument('<id>', ID)
    .action(show);
  fixCommand(gaps);
  gaps
    .command('mute')
    .description('Say nothing of a gap until a date; it still closes when its cause is gone')
    .argument('<id>', ID)
    .requiredOption('--reason <text>', 'why')
    .requiredOption('--until <when>', WHEN, (text) => parseMoment(text))
    .action(mute);
  fixesCommands(gaps);
  gaps.command('unmute').description('End a mute').argument('<id>', ID).action(unmute);
}

async function show(given: string, _options: object, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const gap = await api.call<GapDetail>('GET', `${PATH}/${await wholeGapId(api, given)}`);
  if (json) printJson(gap);
  else print(describeGap(gap));
}

interface MuteOptions {
  reason: string;
  until: string;
}

async function mute(given: string, options: MuteOptions, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const id = await wholeGapId(api, given);
  const body = { reason: options.reason, until: options.until };
  const gap = await api.call<Gap>('POST', `${PATH}/${id}/mute`, { body });
  if (json) return printJson(gap);
  print(`The gap ${gap.id.slice(0, SHORT_ID)} is ${stateText(gap)}`);
}

async function unmute(given: string, _options: object, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const gap = await api.call<Gap>('DELETE', `${PATH}/${await wholeGapId(api, given)}/mute`);
  if (json) return printJson(gap);
  print(`The gap ${gap.id.slice(0, SHORT_ID)} is ${gap.state} again: ${clean(gap.summary)}`);
}
