import {
  ENTITY_STATES,
  GAP_GRADES,
  GAP_KINDS,
  GAP_SEVERITIES,
  WEBHOOK_EVENTS,
  type CreatedWebhook,
  type Webhook,
} from '@rollcall/client/contract';
import { Option, type Command } from 'commander';
import { openSession } from '../http/session.ts';
import { collect } from '../options.ts';
import { print, printJson, printTable } from '../terminal/print.ts';
import type { Column } from '../terminal/table.ts';
import { clean, paint } from '../terminal/text.ts';
import { ago } from '../terminal/time.ts';
import { deliveryCommands } from './webhook-deliveries.ts';
import { readWebhooks, WEBHOOKS, webhookId } from './webhook-id.ts';
import { SHORT_ID } from '../http/resolve-id.ts';

/** `rollcall webhooks`: who is told of gaps and changes of state. */
export function webhooksCommand(program: Command): void {
  const webhooks = program
    .command('webhooks')
    .description('Addresses that are told of gaps and changes of state');
  webhooks
    .command('list')
    .description('List subscriptions, oldest first')
    .option('--to <address>', 'those that lead exactly there')
    .action(list);
  webhooks
    .command('create')
    .description('Subscribe an address, and show the secret of its signatures, this once')
    .argument('<address>', 'where events are posted')
    .addOption(
      new Option(
        '--event <event...>',
        'what it is told of (default: all the key may read)',
      ).choices(WEBHOOK_EVENTS),
    )
    .addOption(new Option('--kind <kind...>', 'gaps of these kinds alone').choices(GAP_KINDS))
    .addOption(new Option('--severity <severity...>', 'gaps this grave').choices(GAP_SEVERITIES))
    .addOption(
      new Option('--grade <grade...>', 'gaps this sure').choices(
        GAP_GRADES.filter((grade) => grade !== 'cannot_tell'),
      ),
    )
    .addOption(new Option('--state <state...>', 'changes to these states').choices(ENTITY_STATES))
    .option('--type <type>', 'entities of this type; may be given several times', collect)
    .option('--description <text>', 'what it is for')
    .action(create);
  webhooks
    .command('remove')
    .description('End a subscription, and drop what is on its way to it')
    .argument('<id>', 'its id, or the beginning of it')
    .action(remove);
  deliveryCommands(webhooks);
}

async function list({ to }: { to?: string }, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const page = await readWebhooks(api, to);
  if (json) printJson(page);
  else if (page.items.length > 0) printTable(COLUMNS, page.items);
  else print('Nobody is told of anything. Next: rollcall webhooks create ADDRESS');
}

const COLUMNS: Column<Webhook>[] = [
  { title: 'ID', value: ({ id }) => id.slice(0, SHORT_ID) },
  { title: 'ADDRESS', value: ({ url }) => url, shrinks: true },
  {
    title: 'STATE',
    value: ({ ended_at }) => (ended_at ? 'ended' : 'active'),
    colour: ({ ended_at }) => (ended_at ? 'red' : 'green'),
  },
  { title: 'EVENTS', value: ({ events }) => events.join(' '), shrinks: true },
  { title: 'FILTER', value: filterText, shrinks: true },
  { title: 'SINCE', value: ({ created_at }) => ago(created_at) },
  { title: 'BY', value: ({ created_by }) => created_by, shrinks: true },
];

function filterText({ filter }: Webhook): string {
  const lists = Object.entries<string[]>({ ...filter }).map(
    ([field, values]) => `${field} ${values.join(',')}`,
  );
  return lists.join('; ') || '–';
}

interface CreateOptions {
  event?: string[];
  kind?: string[];
  severity?: string[];
  grade?: string[];
  state?: string[];
  type?: string[];
  description?: string;
}

async function create(address: string, options: CreateOptions, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const { event, description, kind, severity, grade, state, type } = options;
  const filter = {
    kinds: kind,
    severities: severity,
    grades: grade,
    states: state,
    entity_types: type,
  };
  const body = { url: address, events: event, filter, description };
  const made = await api.call<CreatedWebhook>('POST', WEBHOOKS, { body });
  if (json) return printJson(made);
  const short = made.id.slice(0, SHORT_ID);
  print(
    `${clean(made.url)} is told of ${made.events.join(', ')} (${short}).\n\n` +
      `  ${paint('bold', made.secret)}\n\n` +
      'Deliveries are signed with this secret; it is shown this once.\n' +
      `See whether one arrives: rollcall webhooks test ${short}`,
  );
}

async function remove(given: string, _options: object, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const id = await webhookId(api, given);
  const gone = await api.call<Webhook>('DELETE', `${WEBHOOKS}/${id}`);
  if (json) printJson(gone);
  else print(`${clean(gone.url)} is told of nothing more (${gone.id.slice(0, SHORT_ID)}).`);
}
