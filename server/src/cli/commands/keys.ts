import { SCOPES, type ApiKey, type CreatedApiKey, type Scope } from '@rollcall/client/contract';
import { Option, type Command } from 'commander';
import { usageError } from '../failure.ts';
import type { Api } from '../http/api.ts';
import { readPages } from '../http/pages.ts';
import { resolveId, SHORT_ID } from '../http/resolve-id.ts';
import { openSession } from '../http/session.ts';
import { print, printJson, printTable } from '../terminal/print.ts';
import type { Column } from '../terminal/table.ts';
import { clean, paint } from '../terminal/text.ts';
import { ago, localTime, parseMoment } from '../terminal/time.ts';

const PATH = '/api/v1/keys';

/** `rollcall keys`: who may talk to the server, and to do what. */
export function keysCommand(program: Command): void {
  const keys = program.command('keys').description('API keys (needs a key with the scope admin)');
  keys
    .command('create')
    .description('Make a key and show it, this once')
    .requiredOption('--name <name>', 'who or what will use it')
    .addOption(
      new Option('--scope <scope...>', 'what it may do').choices(SCOPES).makeOptionMandatory(),
    )
    .option('--project <project>', 'project it works in (default: that of the key in use)')
    .option('--expires <when>', 'a date, or a span such as 90d (default: never)', (text) =>
      parseMoment(text),
    )
    .action(create);
  keys.command('list').description('List keys, oldest first').action(list);
  keys
    .command('revoke')
    .description('End a key at once')
    .argument('<id>', 'its id, or the beginning of it')
    .action(revoke);
}

interface CreateOptions {
  name: string;
  scope: Scope[];
  project?: string;
  expires?: string;
}

async function create(options: CreateOptions, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const body = {
    name: options.name,
    scopes: options.scope,
    project_id: options.project,
    expires_at: options.expires,
  };
  const made = await api.call<CreatedApiKey>('POST', PATH, { body });
  if (json) return printJson(made);
  const ends = made.expires_at ? `It ends ${localTime(made.expires_at)}.` : 'It does not expire.';
  print(
    `Made the key ${clean(made.name)} (${made.id.slice(0, SHORT_ID)}) for the project ` +
      `${made.project_id}: ${made.scopes.join(', ')}. ${ends}\n\n` +
      `  ${paint('bold', made.key)}\n\n` +
      'It is shown this once. To use it here:\n' +
      `  export ROLLCALL_API_KEY=${made.key}`,
  );
}

async function list(_options: object, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const page = await readPages<ApiKey>(api, PATH, {}, { noun: 'keys' });
  if (json) printJson(page);
  else printTable(COLUMNS, page.items);
}

const state = ({ revoked_at, expires_at }: ApiKey): 'revoked' | 'expired' | 'active' => {
  if (revoked_at) return 'revoked';
  return expires_at && Date.parse(expires_at) <= Date.now() ? 'expired' : 'active';
};

const COLUMNS: Column<ApiKey>[] = [
  { title: 'ID', value: ({ id }) => id.slice(0, SHORT_ID) },
  { title: 'NAME', value: ({ name }) => name, shrinks: true },
  { title: 'KEY', value: ({ prefix }) => `${prefix}…` },
  { title: 'STATE', value: state, colour: (key) => (state(key) === 'active' ? 'green' : 'dim') },
  { title: 'SCOPES', value: ({ scopes }) => scopes.join(' '), shrinks: true },
  { title: 'PROJECT', value: ({ project_id }) => project_id },
  { title: 'LAST USED', value: ({ last_used_at }) => ago(last_used_at) },
  {
    title: 'EXPIRES',
    value: ({ expires_at }) => (expires_at ? localTime(expires_at) : 'never'),
  },
];

async function revoke(given: string, _options: object, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const id = await resolveId<ApiKey>(given, {
    noun: 'key',
    listing: 'rollcall keys list',
    read: async () => (await readPages<ApiKey>(api, PATH, {}, { noun: 'keys' })).items,
    describe: ({ name, prefix }) => `${clean(name)}  ${prefix}…`,
  });
  await keepTheKeyInUse(api, id);
  const revoked = await api.call<ApiKey>('DELETE', `${PATH}/${id}`);
  if (json) return printJson(revoked);
  print(`Revoked the key ${clean(revoked.name)} (${revoked.id.slice(0, SHORT_ID)}).`);
}

/** With the last admin key revoked, nobody could make another. */
async function keepTheKeyInUse(api: Api, id: string): Promise<void> {
  const { key_id } = await api.call<{ key_id: string }>('GET', '/api/v1/whoami');
  if (key_id !== id) return;
  throw usageError('This is the key in use, and it would lock you out.', {
    code: 'key_in_use',
    next: 'Revoke it with another key that has the scope admin.',
  });
}
