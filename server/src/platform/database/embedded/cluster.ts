import * as processes from 'node:child_process';
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Account } from './account.ts';
import type { Binaries } from './binaries.ts';
import { EmbeddedPostgresError, unusable } from './error.ts';
import { give, makePrivateIn } from './folders.ts';
import type { Placement } from './placement.ts';

const execFile = promisify(processes.execFile);

/** The superuser of the cluster and the database in it. */
export const NAME = 'rollcall';

export interface NewCluster {
  /** Holds the superuser's password; without it, whoever reaches the socket is trusted. */
  passwordFile: string | undefined;
  sync: boolean;
  /** A stopped cluster to copy instead; it trusts whoever reaches its socket. */
  template: string | undefined;
}

/**
 * Makes the cluster unless it exists. It is made beside its place and then renamed, so a first start that
 * is cut off leaves nothing that could pass for a database.
 * @throws EmbeddedPostgresError `wrong_version`, `data_folder_unusable`, `start_failed`
 * @returns how it was made; undefined when it was there
 */
export async function ensureCluster(
  binaries: Binaries,
  placement: Placement,
  options: NewCluster,
): Promise<'copied' | 'made' | undefined> {
  const { data } = placement;
  if (isCluster(data, binaries.major)) return undefined;
  removeDrafts(data);
  const template = options.passwordFile ? undefined : options.template;
  const copy = template && (await copied(template, binaries, placement));
  const draft = copy || (await made(binaries, placement, options.passwordFile));
  if (options.sync) await run(binaries.initdb, ['-D', draft, '--sync-only'], binaries, placement);
  fs.rmSync(data, { recursive: true, force: true });
  fs.renameSync(draft, data);
  if (options.sync) syncFolder(dirname(data));
  return copy ? 'copied' : 'made';
}

const newDraft = (data: string, account: Account | undefined): string =>
  makePrivateIn(dirname(data), `${basename(data)}.new`, account);

/** A copy of the template; undefined when it cannot be had, for everything can be made without it. */
async function copied(
  template: string,
  { major }: Binaries,
  { data, account }: Placement,
): Promise<string | undefined> {
  const draft = newDraft(data, account);
  try {
    if (!isCluster(template, major)) throw new Error(`There is no cluster in ${template}`);
    await copyCluster(template, draft);
    for (const name of fs.readdirSync(draft, { recursive: true, encoding: 'utf8' })) {
      give(join(draft, name), account);
    }
    return draft;
  } catch {
    fs.rmSync(draft, { recursive: true, force: true });
    return undefined;
  }
}

/** What is in the first folder into the second one, for this very user, by a process of its own: ours has other things to do. */
export async function copyCluster(from: string, to: string): Promise<void> {
  await execFile('cp', ['-R', `${from}/.`, to]);
}

async function made(
  binaries: Binaries,
  placement: Placement,
  passwordFile: string | undefined,
): Promise<string> {
  const draft = newDraft(placement.data, placement.account);
  // Nothing of a draft has to outlive a crash: it is written to disk once, when it is whole.
  const initdb = [
    '-D',
    draft,
    '-U',
    NAME,
    '-E',
    'UTF8',
    '--locale=C',
    '--no-instructions',
    '--no-sync',
  ];
  initdb.push(
    ...(passwordFile ? ['--auth=scram-sha-256', `--pwfile=${passwordFile}`] : ['--auth=trust']),
  );
  await run(binaries.initdb, initdb, binaries, placement);
  const single = ['--single', '-D', draft, '-c', 'fsync=off', 'postgres'];
  await run(
    binaries.postgres,
    single,
    binaries,
    placement,
    `CREATE DATABASE ${NAME} STRATEGY file_copy;\n`,
  );
  return draft;
}

const versionFileOf = (data: string): string => join(data, 'PG_VERSION');

/** Whether the place is still empty, as before a first start. */
export const lacksCluster = ({ data }: Placement): boolean => !fs.existsSync(versionFileOf(data));

function isCluster(data: string, major: string): boolean {
  const versionFile = versionFileOf(data);
  if (!fs.existsSync(versionFile)) {
    if (fs.existsSync(data) && fs.readdirSync(data).length > 0) {
      throw unusable(
        `${data} holds files but no database (PG_VERSION is missing). Restore it from a backup, or move ` +
          'the folder away to begin with an empty database.',
      );
    }
    return false;
  }
  const found = fs.readFileSync(versionFile, 'utf8').trim();
  if (found === major) return true;
  throw new EmbeddedPostgresError(
    'wrong_version',
    `The database in ${data} is of PostgreSQL ${found}, and this Rollcall comes with PostgreSQL ${major}, ` +
      `which cannot open it. Start the Rollcall that made it, save the data with pg_dump, move ${data} ` +
      'away, start this Rollcall, and load the data with psql.',
  );
}

function removeDrafts(data: string): void {
  for (const name of fs.readdirSync(dirname(data))) {
    if (name.startsWith(`${basename(data)}.new`)) {
      try {
        fs.rmSync(join(dirname(data), name), { recursive: true, force: true });
      } catch {
        // The initdb of a killed start may still write there; the next first start clears it away.
      }
    }
  }
}

async function run(
  program: string,
  args: string[],
  { environment }: Binaries,
  { run: folder, account }: Placement,
  input = '',
): Promise<void> {
  const child = processes.spawn(program, args, {
    ...account,
    cwd: folder,
    env: environment,
    stdio: 'pipe',
    windowsHide: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  // A program that ends before it has read says why in its output.
  child.stdin.on('error', () => undefined).end(input);
  const code = await new Promise<number | string | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve(status ?? signal));
  }).catch((error: Error) => error.message);
  // The single-user server ends well whatever becomes of its statements.
  if (code === 0 && !/\b(ERROR|FATAL|PANIC):/.test(output)) return;
  throw new EmbeddedPostgresError(
    'start_failed',
    `The database could not be made: ${basename(program)} ended with ${code}. It said:\n${output.trim()}`,
  );
}

function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = fs.openSync(folder, 'r');
  fs.fsyncSync(descriptor);
  fs.closeSync(descriptor);
}
