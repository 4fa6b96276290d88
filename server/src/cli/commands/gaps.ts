import {
  GAP_GRADES,
  GAP_KINDS,
  GAP_SEVERITIES,
  GAP_STATES,
  type Gap,
  type GapCheck,
} from '@rollcall/client/contract';
import { Option, type Command } from 'commander';
import { CommandFailure, EXIT } from '../failure.ts';
import type { Api } from '../http/api.ts';
import { readPages } from '../http/pages.ts';
import { SHORT_ID } from '../http/resolve-id.ts';
import { openSession } from '../http/session.ts';
import { referenceText, wholeNumber } from '../options.ts';
import { note, print, printFooter, printJson, printTable } from '../terminal/print.ts';
import type { Column } from '../terminal/table.ts';
import { count } from '../terminal/text.ts';
import { ago } from '../terminal/time.ts';
import { changeGapCommands } from './gap-changes.ts';
import { simulateGapsCommand } from './gap-simulation.ts';
import { severityColour } from './gap-text.ts';

const PATH = '/api/v1/gaps';

/** `rollcall gaps`: what is missing, and doing something about it. */
export function gapsCommand(program: Command): void {
  const gaps = program.command('gaps').description('What is missing, silent, broken or stuck');
  gaps
    .command('list')
    .description('Look for gaps, then list them, longest open first')
    .addOption(new Option('--kind <kind>').choices(GAP_KINDS))
    .addOption(new Option('--state <state>', 'open when left out').choices(GAP_STATES))
    .addOption(new Option('--severity <severity>').choices(GAP_SEVERITIES))
    .addOption(new Option('--grade <grade>', 'how sure it is').choices(GAP_GRADES))
    .option('--type <type>', 'gaps of entities of this type')
    .option('--id <id>', 'gaps of the entity with this id')
    .option('--limit <number>', 'how many at most', wholeNumber(1), 50)
    .option('--all', 'every one of them')
    .option('--no-check', 'as the last check found them, without a new one')
    .option('--exit-code', `exit with ${EXIT.openGaps} when open gaps are listed`)
    .action(list);
  changeGapCommands(gaps);
  simulateGapsCommand(gaps);
}

interface ListOptions {
  kind?: string;
  state?: string;
  severity?: string;
  grade?: string;
  type?: string;
  id?: string;
  limit: number;
  all?: boolean;
  check: boolean;
  exitCode?: boolean;
}

async function list(options: ListOptions, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const check = options.check ? await lookForGaps(api) : undefined;
  const query = {
    kind: options.kind,
    state: options.state,
    severity: options.severity,
    grade: options.grade,
    entity_type: options.type,
    entity_id: options.id,
  };
  const wanted = options.all ? Infinity : options.limit;
  const page = await readPages<Gap>(api, PATH, query, { wanted, noun: 'gaps' });
  if (options.exitCode && page.items.some(({ state }) => state === 'open')) {
    process.exitCode = EXIT.openGaps;
  }
  if (json) return printJson(page);
  const [first] = page.items;
  if (!first) return print(nothingFound(query, check));
  printTable(COLUMNS, page.items);
  const shown = count(page.items.length, 'gap');
  printFooter(page.next_cursor ? `${shown}, and more: add --all, or a filter.` : `${shown}.`);
  if (check) printAside(check);
  if (first.state === 'open') print(`Fix one: rollcall gaps fix ${first.id.slice(0, SHORT_ID)}`);
}

/** What is not among the open ones: another gap explains it, or the evidence does not suffice. */
function printAside({ inhibited, cannot_tell }: GapCheck): void {
  if (inhibited) {
    print(`${count(inhibited, 'more is', 'more are')} explained by these: --state inhibited`);
  }
  if (cannot_tell) {
    print(`Of ${count(cannot_tell, 'more', 'more')} it cannot be told: --state cannot_tell`);
  }
}

/** A key that may only read sees what the last check found. */
async function lookForGaps(api: Api): Promise<GapCheck | undefined> {
  try {
    return await api.call<GapCheck>('POST', `${PATH}/check`);
  } catch (error) {
    if (!(error instanceof CommandFailure) || error.code !== 'missing_scope') throw error;
    note('Not checked now: the key lacks the scope gaps:write. This is what the last check found.');
    return undefined;
  }
}

function nothingFound(query: object, check: GapCheck | undefined): string {
  const filtered = Object.values(query).some((value) => value !== undefined);
  if (filtered) return 'No gap fits.';
  if (!check) return 'No open gap was known to the last check.';
  const muted = check.muted ? ` ${count(check.muted, 'is', 'are')} muted.` : '';
  return `All clear: no open gap.${muted}`;
}

const COLUMNS: Column<Gap>[] = [
  { title: 'ID', value: ({ id }) => id.slice(0, SHORT_ID) },
  {
    title: 'SEVERITY',
    value: ({ severity }) => severity,
    colour: ({ severity }) => severityColour(severity),
  },
  { title: 'GRADE', value: ({ grade }) => grade },
  { title: 'KIND', value: ({ kind }) => kind },
  { title: 'ENTITY', value: (gap) => referenceText(gap), shrinks: true },
  { title: 'SINCE', value: ({ first_seen }) => ago(first_seen) },
  {
    title: 'WHAT',
    value: ({ summary, inhibits }) => (inhibits ? `${summary} (+${inhibits} below)` : summary),
    shrinks: true,
  },
];
