import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { EmbeddedPostgresError, unusable } from './error.ts';
import { makePrivateIn } from './folders.ts';
import type { Placement } from './placement.ts';

/** The superuser of the cluster and the database in it. */
export const NAME = 'rollcall';

/**
 * Makes the cluster unless it exists. It is made beside its place and then renamed, so a first start that
 * is cut off leaves nothing that could pass for a database.
 * @param password file with the superuser's password; without one, whoever reaches the socket is trusted
 * @throws EmbeddedPostgresError `wrong_version`, `data_folder_unusable`, `start_failed`
 * @returns whether it had to be made
 */
export async function ensureCluster(
  binaries: Binaries,
  placement: Placement,
  options: { passwordFile: string | undefined; sync: boolean },
): Promise<boolean> {
  const { data, account } = placement;
  if (isCluster(data, binaries.major)) return false;
  removeDrafts(data);
  const draft = makePrivateIn(dirname(data), `${basename(data)}.new`, account);
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
    ...(options.passwordFile
      ? ['--auth=scram-sha-256', `--pwfile=${options.passwordFile}`]
      : ['--auth=trust']),
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
  if (options.sync) await run(binaries.initdb, ['-D', draft, '--sync-only'], binaries, placement);
  fs.rmSync(data, { recursive: true, force: true });
  fs.renameSync(draft, data);
  if (options.sync) syncFolder(dirname(data));
  return true;
}

function isCluster(data: string, major: string): boolean {
  const versionFile = join(data, 'PG_VERSION');
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
  const child = spawn(program, args, {
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
