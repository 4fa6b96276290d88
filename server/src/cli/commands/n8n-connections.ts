import type { Connection, SyncJob } from '@rollcall/client/contract';
import type { Command } from 'commander';
import type { Api } from '../http/api.ts';
import { readPages } from '../http/pages.ts';
import { resolveId, SHORT_ID } from '../http/resolve-id.ts';
import { openSession } from '../http/session.ts';
import { print, printJson, printTable } from '../terminal/print.ts';
import type { Column } from '../terminal/table.ts';
import { clean } from '../terminal/text.ts';
import { ago } from '../terminal/time.ts';
import { CONNECTIONS, resultText, showSync } from './n8n-connect.ts';

/** `rollcall n8n connections`: the n8n instances whose API is read. */
export function connectionsCommand(n8n: Command): void {
  const connections = n8n.command('connections').description('n8n instances whose API is read');
  connections.command('list').description('List connections, oldest first').action(list);
  connections
    .command('show')
    .description('Show a connection and what its latest inventory found')
    .argument('<id>', 'its id, or the beginning of it')
    .action(show);
  connections
    .command('sync')
    .description('Take an inventory now')
    .argument('<id>', 'its id, or the beginning of it')
    .option('--no-wait', 'do not wait for its end')
    .action(sync);
  connections
    .command('remove')
    .description('Delete a connection and its key; entities and executions stay')
    .argument('<id>', 'its id, or the beginning of it')
    .action(remove);
}

const readAll = async (api: Api) =>
  readPages<Connection>(api, CONNECTIONS, {}, { noun: 'connections' });

const idOf = (api: Api, given: string): Promise<string> =>
  resolveId<Connection>(given, {
    noun: 'connection',
    listing: 'rollcall n8n connections list',
    read: async () => (await readAll(api)).items,
    describe: ({ name, base_url }) => `${clean(name)}  ${clean(base_url)}`,
  });

async function list(_options: object, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const page = await readAll(api);
  if (json) printJson(page);
  else if (page.items.length === 0) print('No n8n is connected. Next: rollcall n8n connect URL');
  else printTable(COLUMNS, page.items);
}

function stateOf({ sync, last_error, paused, synced_at }: Connection): string {
  if (sync.state !== 'idle') return sync.state;
  if (last_error) return 'failed';
  return paused ? 'paused' : synced_at ? 'ok' : 'waiting';
}

const COLOURS = { ok: 'green', failed: 'red', running: 'cyan' } as const;

const COLUMNS: Column<Connection>[] = [
  { title: 'ID', value: ({ id }) => id.slice(0, SHORT_ID) },
  { title: 'NAME', value: ({ name }) => name, shrinks: true },
  { title: 'ADDRESS', value: ({ base_url }) => base_url, shrinks: true },
  {
    title: 'STATE',
    value: stateOf,
    colour: (one) => COLOURS[stateOf(one) as keyof typeof COLOURS] ?? 'dim',
  },
  { title: 'WORKFLOWS', value: ({ workflows }) => String(workflows.total) },
  { title: 'LAST INVENTORY', value: ({ synced_at }) => ago(synced_at) },
  { title: 'INSTANCE', value: ({ instance_id }) => instance_id, shrinks: true },
];

async function show(given: string, _options: object, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const one = await api.call<Connection>('GET', `${CONNECTIONS}/${await idOf(api, given)}`);
  if (json) return printJson(one);
  const flags = [
    one.sampled && 'sampled',
    one.production_only && 'production only',
    one.saves_no_success && 'saves no success',
    one.prunes_after !== null && `prunes after ${one.prunes_after} h`,
  ].filter(Boolean);
  const lines = [
    `${clean(one.name)}  ${clean(one.base_url)}  key …${clean(one.key_hint)}`,
    `id         ${one.id}`,
    `state      ${stateOf(one)}, every ${one.interval_seconds} s, last inventory ${ago(one.synced_at)}`,
    `labels     ${clean(one.labels.join(', ')) || 'none'}`,
    `evidence   ${flags.join(', ') || 'n8n keeps all executions'}`,
    ...(one.last_error ? [`error      ${clean(one.last_error.detail)}`] : []),
    resultText(one),
  ];
  print(lines.join('\n'));
}

async function sync(given: string, { wait }: { wait: boolean }, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const id = await idOf(api, given);
  await api.call<SyncJob>('POST', `${CONNECTIONS}/${id}/sync`);
  await showSync(api, id, { json, wait });
}

async function remove(given: string, _options: object, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const gone = await api.call<Connection>('DELETE', `${CONNECTIONS}/${await idOf(api, given)}`);
  if (json) printJson(gone);
  else print(`Removed the connection ${clean(gone.name)} and its key.`);
}
