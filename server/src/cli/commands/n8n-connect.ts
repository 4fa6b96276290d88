import { text as readAll } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import type { Connection, SyncProgress } from '@rollcall/client/contract';
import type { Command } from 'commander';
import { CommandFailure, usageError } from '../failure.ts';
import type { Api } from '../http/api.ts';
import { openSession, readSettings } from '../http/session.ts';
import { collect, wholeNumber } from '../options.ts';
import { note, print, printJson } from '../terminal/print.ts';
import { progressBar } from '../terminal/progress-bar.ts';
import { clean, count } from '../terminal/text.ts';

export const CONNECTIONS = '/api/v1/n8n/connections';
const POLL_MS = 250;

interface ConnectOptions {
  keyStdin?: boolean;
  n8nKey?: string;
  name?: string;
  label?: string[];
  interval?: number;
  instance?: string;
  sampled?: boolean;
  productionOnly?: boolean;
  savesNoSuccess?: boolean;
  prunesAfter?: number;
  check: boolean;
  wait: boolean;
}

/** `rollcall n8n connect`: from address and key to the first inventory. */
export function connectCommand(n8n: Command): void {
  n8n
    .command('connect')
    .description('Read an n8n’s workflows and executions through its API, now and from then on')
    .argument('<url>', 'where n8n is, such as https://n8n.example.com')
    .option('--key-stdin', 'read n8n’s API key from standard input')
    .option('--n8n-key <key>', 'n8n’s API key; better kept in N8N_API_KEY, or on standard input')
    .option('--name <name>', 'what to call it (default: its host)')
    .option('--label <label>', 'a label; may be given several times', collect)
    .option('--interval <seconds>', 'between two inventories (default: 300)', wholeNumber(10))
    .option('--instance <id>', 'n8n’s own id, where its hooks report, too (default: found out)')
    .option('--sampled', 'only a share of its executions is reported')
    .option('--production-only', 'its manual executions are not reported')
    .option('--saves-no-success', 'it does not save executions that succeed')
    .option('--prunes-after <hours>', 'it deletes executions after so long', wholeNumber(1))
    .option('--no-check', 'do not try address and key first')
    .option('--no-wait', 'do not wait for the first inventory')
    .action(connectN8n);
}

async function connectN8n(url: string, options: ConnectOptions, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const body = {
    base_url: url,
    api_key: await keyFrom(options),
    name: options.name,
    labels: options.label,
    interval_seconds: options.interval,
    instance_id: options.instance,
    sampled: options.sampled,
    production_only: options.productionOnly,
    saves_no_success: options.savesNoSuccess,
    prunes_after: options.prunesAfter,
    check: options.check,
  };
  const made = await api.call<Connection>('POST', CONNECTIONS, { body });
  if (!json) note(`Connected ${clean(made.name)} (${made.id.slice(0, 8)}).`);
  await showSync(api, made.id, { json, wait: options.wait });
}

async function keyFrom({ keyStdin, n8nKey }: ConnectOptions): Promise<string> {
  const key = keyStdin
    ? (await readAll(process.stdin)).trim()
    : (n8nKey ?? (await readSettings()).n8nApiKey);
  if (key) return key;
  throw usageError('n8n’s API key is missing.', {
    next: 'Make one in n8n (Settings, n8n API); then set N8N_API_KEY, or pipe it in with --key-stdin.',
  });
}

/**
 * Follows an inventory to its end, with a bar where a person looks, and tells what came of it.
 * @throws CommandFailure when it failed
 */
export async function showSync(
  api: Api,
  id: string,
  { json, wait }: { json: boolean; wait: boolean },
): Promise<void> {
  let connection = await api.call<Connection>('GET', `${CONNECTIONS}/${id}`);
  const bar = progressBar();
  try {
    while (wait && connection.sync.state !== 'idle') {
      bar.show(...barOf(connection.sync.progress));
      await pause(POLL_MS);
      connection = await api.call<Connection>('GET', `${CONNECTIONS}/${id}`);
    }
  } finally {
    bar.end();
  }
  if (wait && connection.last_error) {
    const { code, detail } = connection.last_error;
    throw new CommandFailure(`The inventory failed: ${clean(detail)}`, {
      code,
      next: `When that is mended: rollcall n8n connections sync ${id.slice(0, 8)}`,
    });
  }
  if (json) printJson(connection);
  else print(wait ? resultText(connection) : 'The inventory is under way.');
}

function barOf(progress: SyncProgress | null): [number | undefined, string] {
  if (!progress) return [undefined, 'Waiting for a server to take the inventory'];
  const { phase, listed, applied, total, executions } = progress;
  if (phase === 'workflows') return [undefined, `${count(listed, 'workflow')} listed`];
  if (phase === 'executions') return [1, `${count(executions, 'execution')} read`];
  return [total ? applied / total : 1, `${applied} of ${total ?? '?'} applied`];
}

/** What the latest inventory found, for people. */
export function resultText({ last_result: result, workflows, instance_id }: Connection): string {
  if (!result) return 'No inventory has come to its end yet.';
  const gone = result.vanished_count > 0 ? `, ${result.vanished_count} gone` : '';
  return (
    `${count(result.workflows, 'workflow')} (${workflows.active} active${gone}), ` +
    `${count(result.applied, 'change')} applied, ${count(result.executions, 'execution')} read ` +
    `in ${(result.duration_ms / 1000).toFixed(1)} s.\n` +
    `They stand under the instance ${clean(instance_id)}. Next: rollcall gaps list`
  );
}
