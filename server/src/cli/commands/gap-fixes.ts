import {
  FIX_ACTIONS,
  FIX_STATUSES,
  GAP_KINDS,
  type GapFix,
  type GapFixOutcome,
} from '@rollcall/client/contract';
import { Option, type Command } from 'commander';
import type { Api } from '../http/api.ts';
import { readPages } from '../http/pages.ts';
import { resolveId, SHORT_ID } from '../http/resolve-id.ts';
import { openSession } from '../http/session.ts';
import { referenceText, wholeNumber } from '../options.ts';
import { print, printFooter, printJson, printTable } from '../terminal/print.ts';
import type { Column } from '../terminal/table.ts';
import { clean, count } from '../terminal/text.ts';
import { ago } from '../terminal/time.ts';
import { fixStatusColour } from './fix-text.ts';
import { stateText } from './gap-text.ts';

const PATH = '/api/v1/gaps/fixes';
const ID = 'its id, or the beginning of it';

/** `rollcall gaps fixes`, `undo` and `retry`: what was done, and taking it back. */
export function fixesCommands(gaps: Command): void {
  gaps
    .command('fixes')
    .description('What was done about gaps, newest first')
    .addOption(new Option('--status <status>').choices(FIX_STATUSES))
    .addOption(new Option('--action <action>').choices(FIX_ACTIONS))
    .addOption(new Option('--kind <kind>').choices(GAP_KINDS))
    .option('--type <type>', 'of entities of this type')
    .option('--id <id>', 'of the entity with this id')
    .option('--limit <number>', 'how many at most', wholeNumber(1), 50)
    .option('--all', 'every one of them')
    .action(list);
  gaps
    .command('undo')
    .description('Put back what a fix has changed, in the registry or in n8n')
    .argument('<fix>', ID)
    .action((given: string, _options: object, command: Command) => again('undo', given, command));
  gaps
    .command('retry')
    .description('Find out what became of a pending fix in n8n, and do it if n8n has not')
    .argument('<fix>', ID)
    .action((given: string, _options: object, command: Command) => again('retry', given, command));
}

interface ListOptions {
  status?: string;
  action?: string;
  kind?: string;
  type?: string;
  id?: string;
  limit: number;
  all?: boolean;
}

async function list(options: ListOptions, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const { status, action, kind, type: entity_type, id: entity_id } = options;
  const query = { status, action, kind, entity_type, entity_id };
  const wanted = options.all ? Infinity : options.limit;
  const page = await readPages<GapFix>(api, PATH, query, { wanted, noun: 'fixes' });
  if (json) return printJson(page);
  if (page.items.length === 0) return print('No fix fits.');
  printTable(COLUMNS, page.items);
  const shown = count(page.items.length, 'fix', 'fixes');
  printFooter(page.next_cursor ? `${shown}, and more: add --all, or a filter.` : `${shown}.`);
}

const COLUMNS: Column<GapFix>[] = [
  { title: 'ID', value: ({ id }) => id.slice(0, SHORT_ID) },
  {
    title: 'STATUS',
    value: ({ status }) => status,
    colour: ({ status }) => fixStatusColour(status),
  },
  { title: 'KIND', value: ({ kind }) => kind },
  { title: 'ENTITY', value: referenceText, shrinks: true },
  { title: 'WHEN', value: ({ at }) => ago(at) },
  { title: 'WHO', value: ({ actor }) => actor, shrinks: true },
  { title: 'WHAT', value: ({ error, summary }) => error ?? summary, shrinks: true },
];

const wholeId = (api: Api, given: string): Promise<string> =>
  resolveId<GapFix>(given, {
    noun: 'fix',
    listing: 'rollcall gaps fixes',
    read: async () => (await readPages<GapFix>(api, PATH, {}, { noun: 'fixes' })).items,
    describe: ({ action, summary }) => `${action}  ${clean(summary)}`,
  });

async function again(what: 'undo' | 'retry', given: string, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const id = await wholeId(api, given);
  const outcome = await api.call<GapFixOutcome>('POST', `${PATH}/${id}/${what}`);
  if (json) return printJson(outcome);
  const { fix, gap } = outcome;
  print(`${what === 'undo' ? 'Undone' : 'Done'} (${fix.action}): ${clean(fix.summary)}`);
  print(`The gap is ${stateText(gap)}: ${clean(gap.summary)}`);
}
