import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Binaries } from './binaries.ts';
import { EmbeddedPostgresError } from './error.ts';
import type { Placement } from './placement.ts';
import { lastLines, openLog } from './logFile.ts';

const READY_LIMIT_MS = 60_000;
const FAST_LIMIT_MS = 8_000;
const IMMEDIATE_LIMIT_MS = 5_000;

export interface Exit {
  code: number | null;
  signal: string | null;
}

export interface Postmaster {
  pid: number;
  ended: Promise<Exit>;
  /** Resolves when the process is gone; safe to call again. */
  stop(): Promise<void>;
}

/**
 * Starts the server and waits until it takes connections. It is in a process group of its own: Ctrl-C in
 * a terminal reaches Node alone, which then stops it in its own time.
 * @param logFile where the server writes; it does so itself and goes on when Node is gone
 * @param staleOwner pid that a stale `postmaster.pid` names, to be ignored
 * @throws EmbeddedPostgresError `start_failed`, with the last lines of the log
 */
export async function startPostmaster(
  binaries: Binaries,
  placement: Placement,
  settings: string[],
  { logFile, staleOwner }: { logFile: string; staleOwner: number | undefined },
): Promise<Postmaster> {
  const { data, run, account } = placement;
  const log = openLog(logFile, account);
  const child = spawn(binaries.postgres, ['-D', data, ...settings], {
    ...account,
    cwd: run,
    // PostgreSQL ignores a lock of its grandparent, and still looks for backends that use the data.
    env: {
      ...binaries.environment,
      ...(staleOwner ? { PG_GRANDPARENT_PID: `${staleOwner}` } : {}),
    },
    stdio: ['ignore', log.descriptor, log.descriptor],
    detached: true,
    windowsHide: true,
  });
  closeSync(log.descriptor);
  const postmaster = supervise(child, binaries, data);
  const failure = await failureToStart(child, data, postmaster.ended);
  if (failure === undefined) {
    child.unref();
    return postmaster;
  }
  await postmaster.stop();
  throw new EmbeddedPostgresError(
    'start_failed',
    `The database in ${data} ${failure}. The last lines of ${logFile}:\n${lastLines(logFile, log.from)}`,
  );
}

function supervise(child: ChildProcess, binaries: Binaries, data: string): Postmaster {
  const living = () =>
    child.exitCode === null && child.signalCode === null && child.pid !== undefined;
  // Node's own end, without a call of stop: the server goes on by itself to a clean end.
  const onExit = () => living() && child.kill('SIGINT');
  process.on('exit', onExit);
  const ended = new Promise<Exit>((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  void ended.then(() => process.off('exit', onExit));

  const attempt = async (signal: NodeJS.Signals, limitMs: number): Promise<boolean> => {
    if (!living()) return true;
    if (process.platform === 'win32') await stopOnWindows(binaries, data, signal);
    else child.kill(signal);
    return endsWithin(ended, limitMs);
  };
  const stop = async (): Promise<void> => {
    child.ref();
    if (await attempt('SIGINT', FAST_LIMIT_MS)) return;
    if (await attempt('SIGQUIT', IMMEDIATE_LIMIT_MS)) return;
    child.kill('SIGKILL');
    await ended;
  };
  let stopping: Promise<void> | undefined;
  return { pid: child.pid ?? 0, ended, stop: () => (stopping ??= stop()) };
}

/** Waits until the server takes connections, or tells why it does not. */
async function failureToStart(
  child: ChildProcess,
  data: string,
  ended: Promise<Exit>,
): Promise<string | undefined> {
  let exit: Exit | undefined;
  void ended.then((value) => (exit = value));
  const deadline = performance.now() + READY_LIMIT_MS;
  while (performance.now() < deadline) {
    if (exit) return `ended while starting (${exit.signal ?? `code ${exit.code}`})`;
    if (isReady(data, child.pid)) return undefined;
    await wait(5);
  }
  return `was not ready after ${READY_LIMIT_MS / 1000} s`;
}

/** The server notes its state in the eighth line of `postmaster.pid`, which is what pg_ctl waits for. */
function isReady(data: string, pid: number | undefined): boolean {
  try {
    const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
    return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}

async function endsWithin(ended: Promise<Exit>, limitMs: number): Promise<boolean> {
  const timer = new AbortController();
  const late = wait(limitMs, false, { signal: timer.signal }).catch(() => false);
  const inTime = await Promise.race([ended.then(() => true), late]);
  timer.abort();
  return inTime;
}

/** There are no signals there; a kill would leave the data to be recovered. */
async function stopOnWindows(
  binaries: Binaries,
  data: string,
  signal: NodeJS.Signals,
): Promise<void> {
  const mode = signal === 'SIGINT' ? 'fast' : 'immediate';
  await promisify(execFile)(binaries.pgCtl, ['stop', '-D', data, '-m', mode, '-W'], {
    env: binaries.environment,
    windowsHide: true,
  }).catch(() => undefined);
}
