import {
  DELIVERY_STATUSES,
  type DeliveryStatus,
  type WebhookDelivery,
} from '@rollcall/client/contract';
import { Option, type Command } from 'commander';
import { CommandFailure } from '../failure.ts';
import { readPages } from '../http/pages.ts';
import { resolveId, SHORT_ID } from '../http/resolve-id.ts';
import { openSession } from '../http/session.ts';
import { wholeNumber } from '../options.ts';
import { print, printFooter, printJson, printTable } from '../terminal/print.ts';
import type { Column } from '../terminal/table.ts';
import { clean } from '../terminal/text.ts';
import { ago, clockTime } from '../terminal/time.ts';
import { WEBHOOKS, webhookId } from './webhook-id.ts';

/** What was sent to a subscription, and sending it again. */
export function deliveryCommands(webhooks: Command): void {
  webhooks
    .command('deliveries')
    .description('List what was sent to a subscription, latest first')
    .argument('<id>', 'its id, or the beginning of it')
    .addOption(new Option('--status <status>').choices(DELIVERY_STATUSES))
    .option('--limit <number>', 'how many at most', wholeNumber(1), 50)
    .action(list);
  webhooks
    .command('retry')
    .description('Send again what was given up, or what waits')
    .argument('<id>', 'the subscription: its id, or the beginning of it')
    .argument('<delivery>', 'the delivery: its id, or the beginning of it')
    .action(retry);
  webhooks
    .command('test')
    .description('Send a test event now, and say how it went')
    .argument('<id>', 'its id, or the beginning of it')
    .action(test);
}

interface ListOptions {
  status?: DeliveryStatus;
  limit: number;
}

async function list(given: string, options: ListOptions, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const { status, limit } = options;
  const id = await webhookId(api, given);
  const page = await readPages<WebhookDelivery>(
    api,
    `${WEBHOOKS}/${id}/deliveries`,
    { status },
    { wanted: limit, noun: 'deliveries' },
  );
  if (json) return printJson(page);
  if (page.items.length === 0) return print(status ? `None is ${status}.` : 'Nothing yet.');
  printTable(COLUMNS, page.items);
  const dead = page.items.find((delivery) => delivery.status === 'dead');
  if (dead) {
    const ids = `${id.slice(0, SHORT_ID)} ${dead.id.slice(0, SHORT_ID)}`;
    printFooter(`Send again what was given up: rollcall webhooks retry ${ids}`);
  }
}

const COLOURS = { delivered: 'green', pending: 'cyan', dead: 'red' } as const;

const COLUMNS: Column<WebhookDelivery>[] = [
  { title: 'ID', value: ({ id }) => id.slice(0, SHORT_ID) },
  { title: 'EVENT', value: ({ event }) => event },
  { title: 'ABOUT', value: aboutText, shrinks: true },
  { title: 'STATUS', value: ({ status }) => status, colour: ({ status }) => COLOURS[status] },
  { title: 'ATTEMPTS', value: ({ attempts }) => String(attempts) },
  { title: 'WRITTEN', value: ({ created_at }) => ago(created_at) },
  {
    title: 'NEXT ATTEMPT',
    value: ({ next_attempt_at }) => (next_attempt_at ? clockTime(next_attempt_at) : '–'),
  },
  { title: 'LATEST ANSWER', value: answerText, shrinks: true },
];

function aboutText({ body }: WebhookDelivery): string {
  if (body.type === 'webhook.test') return '–';
  const { entity_type, entity_id } = body.data;
  return `${entity_type}/${entity_id}`;
}

function answerText({ response_status, last_error }: WebhookDelivery): string {
  return last_error ?? (response_status === null ? '–' : String(response_status));
}

async function retry(
  given: string,
  delivery: string,
  _options: object,
  command: Command,
): Promise<void> {
  const { api, json } = await openSession(command);
  const path = `${WEBHOOKS}/${await webhookId(api, given)}/deliveries`;
  const id = await resolveId<WebhookDelivery>(delivery, {
    noun: 'delivery',
    listing: `rollcall webhooks deliveries ${given}`,
    read: async () =>
      (await readPages<WebhookDelivery>(api, path, {}, { noun: 'deliveries' })).items,
    describe: (item) => `${item.event}  ${clean(aboutText(item))}  ${item.status}`,
  });
  const again = await api.call<WebhookDelivery>('POST', `${path}/${id}/retry`);
  if (json) printJson(again);
  else print(`${again.event} of ${clean(aboutText(again))} is sent again now.`);
}

async function test(given: string, _options: object, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const id = await webhookId(api, given);
  const sent = await api.call<WebhookDelivery>('POST', `${WEBHOOKS}/${id}/test`);
  if (sent.status !== 'delivered') {
    throw new CommandFailure(`The test did not arrive: ${clean(answerText(sent))}`, {
      code: 'not_delivered',
      next: 'Check the address and what listens there: a delivery needs a 2xx within ten seconds.',
    });
  }
  if (json) printJson(sent);
  else print(`It arrived; the receiver answered ${sent.response_status}.`);
}
