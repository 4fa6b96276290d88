import type {
  ExecutionComparison,
  ExecutionDetail,
  ExecutionSummary,
  Timeline,
} from '@rollcall/client/contract';
import type { Command } from 'commander';
import { CommandFailure, usageError } from '../failure.ts';
import type { Api } from '../http/api.ts';
import { readPages } from '../http/pages.ts';
import { resolveId, SHORT_ID } from '../http/resolve-id.ts';
import { openSession } from '../http/session.ts';
import { wholeNumber } from '../options.ts';
import { print, printFooter, printJson, printTable } from '../terminal/print.ts';
import type { Column } from '../terminal/table.ts';
import { clean, count } from '../terminal/text.ts';
import { duration, localTime, parsePast } from '../terminal/time.ts';
import { describeComparison } from './execution-comparison.ts';
import { describeExecution, nameOfWorkflow, runStatusColour } from './execution-text.ts';
import { waterfall } from './execution-waterfall.ts';

const PATH = '/api/v1/executions';
const WHEN = 'a span such as 2h or 7d, a date, or a date and time';

/** `rollcall executions`: what ran, and how. */
export function executionsCommand(program: Command): void {
  const executions = program.command('executions').description('What ran, and how it went');
  executions
    .command('list')
    .description('Executions, newest first')
    .option('--workflow <id>', 'of this workflow')
    .option('--status <status>', 'one or several: error,lost')
    .option('--mode <mode>', 'manual, trigger, webhook, retry, ...')
    .option('--instance <id>', 'of this n8n instance')
    .option('--error <type>', 'that failed with an error of this type')
    .option('--text <text>', 'part of the workflow’s name or id, the error or the execution’s id')
    .option('--since <when>', `began since: ${WHEN}`, (text) => parsePast(text))
    .option('--until <when>', `began before: ${WHEN}`, (text) => parsePast(text))
    .option('--slower-than <milliseconds>', 'took at least this long', wholeNumber(0))
    .option('--limit <number>', 'how many at most', wholeNumber(1), 50)
    .option('--all', 'every one of them')
    .action(list);
  executions
    .command('show')
    .description('One execution: how it went, drawn as a waterfall of its nodes')
    .argument('<id>', 'its id, the beginning of it, or the id that its own system gave it')
    .option('--instance <id>', 'the n8n instance that gave it that id')
    .action(show);
  executions
    .command('compare')
    .description('Two executions: what differs, and what was changed in the workflow between them')
    .argument('<left>', 'the earlier one: an id as show takes it')
    .argument('<right>', 'the later one')
    .option('--instance <id>', 'the n8n instance that gave them their ids')
    .action(compare);
}

interface ListOptions {
  workflow?: string;
  status?: string;
  mode?: string;
  instance?: string;
  error?: string;
  text?: string;
  since?: string;
  until?: string;
  slowerThan?: number;
  limit: number;
  all?: boolean;
}

async function list(options: ListOptions, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const query = {
    workflow_id: options.workflow,
    status: options.status,
    mode: options.mode,
    instance_id: options.instance,
    error_type: options.error,
    text: options.text,
    from: options.since,
    to: options.until,
    min_duration_ms: options.slowerThan,
  };
  const wanted = options.all ? Infinity : options.limit;
  const page = await readPages<ExecutionSummary>(api, PATH, query, { wanted, noun: 'executions' });
  if (json) return printJson(page);
  if (page.items.length === 0) {
    const filtered = Object.values(query).some((value) => value !== undefined);
    return print(filtered ? 'No execution fits.' : 'Nothing has run yet.');
  }
  printTable(COLUMNS, page.items);
  const shown = count(page.items.length, 'execution');
  printFooter(page.next_cursor ? `${shown}, and more: add --all, or a filter.` : `${shown}.`);
}

const COLUMNS: Column<ExecutionSummary>[] = [
  { title: 'ID', value: ({ id }) => id.slice(0, SHORT_ID) },
  { title: 'EXECUTION', value: ({ execution_id }) => execution_id ?? '', shrinks: true },
  {
    title: 'STATUS',
    value: ({ status }) => status,
    colour: ({ status }) => runStatusColour(status),
  },
  { title: 'WORKFLOW', value: nameOfWorkflow, shrinks: true },
  { title: 'MODE', value: ({ mode }) => mode ?? '' },
  { title: 'BEGAN', value: ({ began }) => localTime(began) },
  {
    title: 'TOOK',
    value: ({ duration_ms }) => (duration_ms === null ? '' : duration(duration_ms)),
  },
  { title: 'ERROR', value: errorText, shrinks: true },
];

function errorText({ error_node, error_type, error_message }: ExecutionSummary): string {
  return [error_node, error_type, error_message].filter(Boolean).join(': ');
}

async function show(
  given: string,
  options: { instance?: string },
  command: Command,
): Promise<void> {
  const { api, json } = await openSession(command);
  const query = { instance_id: options.instance };
  const execution = await find(api, given, query);
  if (json) return printJson(execution);
  const timeline = await api.call<Timeline>('GET', `${PATH}/${execution.id}/timeline`);
  print(describeExecution(execution));
  print(`\n${waterfall(timeline, process.stdout.isTTY ? process.stdout.columns : undefined)}`);
}

async function compare(
  left: string,
  right: string,
  options: { instance?: string },
  command: Command,
): Promise<void> {
  const { api, json } = await openSession(command);
  const query = { instance_id: options.instance };
  const [earlier, later] = [await find(api, left, query), await find(api, right, query)];
  const comparison = await api.call<ExecutionComparison>('GET', `${PATH}/compare`, {
    query: { left: earlier.id, right: later.id },
  });
  if (json) return printJson(comparison);
  print(describeComparison(comparison, process.stdout.isTTY ? process.stdout.columns : undefined));
}

/** By either id; where there is none, by the beginning of ours. */
async function find(
  api: Api,
  given: string,
  query: { instance_id: string | undefined },
): Promise<ExecutionDetail> {
  const read = (id: string) =>
    api.call<ExecutionDetail>('GET', `${PATH}/${encodeURIComponent(id)}`, { query });
  try {
    return await read(given);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    if (error.code === 'ambiguous_execution') throw ambiguous(given, error);
    if (error.code !== 'not_found' || !/^[0-9a-f-]{4,35}$/i.test(given)) throw error;
    return read(await wholeId(api, given, error));
  }
}

const wholeId = (api: Api, given: string, notFound: CommandFailure): Promise<string> =>
  resolveId<ExecutionSummary>(given, {
    noun: 'execution',
    listing: 'rollcall executions list',
    read: async () => {
      const query = { text: given };
      const { items } = await readPages<ExecutionSummary>(api, PATH, query, {
        wanted: 500,
        noun: 'executions',
      });
      if (!items.some(({ id }) => id.startsWith(given.toLowerCase()))) throw notFound;
      return items;
    },
    describe: ({ began, workflow_id }) => `${localTime(began)}  ${clean(workflow_id)}`,
  });

type Candidates = { candidates?: (ExecutionSummary & { started_at: string })[] };

function ambiguous(given: string, { problem }: CommandFailure): CommandFailure {
  const { candidates = [] } = (problem ?? {}) as Candidates;
  return usageError(`Several executions have the id ${clean(given)}. Give the one you mean:`, {
    code: 'ambiguous_execution',
    lines: candidates.map(
      ({ id, instance_id, workflow_id }) =>
        `${id}  ${clean(`${workflow_id}${instance_id ? ` --instance ${instance_id}` : ''}`)}`,
    ),
    problem,
  });
}
