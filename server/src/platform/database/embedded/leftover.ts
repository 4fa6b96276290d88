import * as fs from 'node:fs';
import { join } from 'node:path';
import { EmbeddedPostgresError } from './error.ts';
import type { Log } from './log.ts';
import { ended, isPostgresOn } from './processes.ts';

/** Fast shutdown, then immediate (the next start recovers), then none at all. */
const WAYS: [NodeJS.Signals, number][] = [
  ['SIGINT', 10_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 5_000],
];

/**
 * Ends the servers that still run on the data folder after their Rollcall was killed. They are stopped, not
 * taken over: statements of the dead owner end with them, settings are the ones of this version, and
 * a child of ours tells when it dies. It costs some tens of milliseconds.
 *
 * The caller owns the data folder, so no server on it can be in use.
 * @returns the pid that `postmaster.pid` named: no server on this folder any more, but perhaps another
 * program by now, or dead and never reaped, which PostgreSQL takes for alive
 * @throws EmbeddedPostgresError `already_running`
 */
export async function endLeftovers(data: string, log: Log): Promise<number | undefined> {
  const named = postmasterPid(data);
  if (named !== undefined && isPostgresOn(named, data)) {
    log.warn(
      { pid: named, folder: data },
      'Stopping the database that a killed Rollcall left running',
    );
    await end(named, data);
  }
  for (const pid of livingPids()) if (isPostgresOn(pid, data)) await end(pid, data);
  return named;
}

/** The pid in the first line of `postmaster.pid`, if there is such a file. */
export function postmasterPid(data: string): number | undefined {
  try {
    const pid = Number.parseInt(fs.readFileSync(join(data, 'postmaster.pid'), 'utf8'), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

async function end(pid: number, data: string): Promise<void> {
  for (const [signal, limitMs] of WAYS) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
      throw new EmbeddedPostgresError(
        'already_running',
        `A PostgreSQL (pid ${pid}) of another user runs on ${data}. Stop it first: kill -INT ${pid}`,
        error,
      );
    }
    if (await ended(pid, limitMs)) return;
  }
  throw new EmbeddedPostgresError(
    'already_running',
    `A PostgreSQL (pid ${pid}) that a killed Rollcall left on ${data} does not end. Stop it first.`,
  );
}

/** Backends can outlive their server; only Linux lists processes without starting another program. */
function livingPids(): number[] {
  if (process.platform !== 'linux') return [];
  return fs.readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}
