import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const OUTPUT_KEPT = 20_000;
/** n8n itself gives up after 30 s. */
const STOP_GRACE_MS = 35_000;

/** A process of ours: ended by its own id, and its last words kept for when something fails. */
export interface Child {
  name: string;
  output(): string;
  /** Resolves with the exit code; `null` when a signal ended it. */
  ended: Promise<number | null>;
  /** Asks it to end, insists after a while, and resolves as `ended` does. */
  stop(): Promise<number | null>;
  /** Ends it without a warning, as `kill -9` does. */
  kill(): Promise<void>;
}

export function startChild(
  name: string,
  args: string[],
  { cwd, env }: { cwd?: string; env: NodeJS.ProcessEnv },
): Child {
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-OUTPUT_KEPT));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = once(child, 'close').then(([code, signal]) => {
    if (signal) output += `\n${name} was ended by ${signal as string}`;
    return code as number | null;
  });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  return { name, output: () => output, ended, stop: () => stop(child, ended), kill };
}

async function stop(child: ChildProcess, ended: Promise<number | null>): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return await ended;
  child.kill('SIGTERM');
  const inTime = await Promise.race([
    ended.then(() => true),
    pause(STOP_GRACE_MS, false, { ref: false }),
  ]);
  if (!inTime) child.kill('SIGKILL');
  return await ended;
}

/** Runs a process to its end; rejects with its last words when it fails. */
export async function runToEnd(
  name: string,
  args: string[],
  options: { cwd?: string; env: NodeJS.ProcessEnv },
): Promise<string> {
  const child = startChild(name, args, options);
  const code = await child.ended;
  if (code !== 0) throw new Error(`${name} ended with ${code}:\n${child.output()}`);
  return child.output();
}

/** Asks again and again until the answer is not `undefined`; rejects with what the child said. */
export async function until<Result>(
  what: string,
  ask: () => Promise<Result | undefined>,
  { seconds, child }: { seconds: number; child?: Child },
): Promise<Result> {
  const deadline = Date.now() + seconds * 1000;
  let gone = false;
  void child?.ended.then(() => (gone = true));
  let last: unknown;
  while (Date.now() < deadline && !gone) {
    try {
      const result = await ask();
      if (result !== undefined) return result;
    } catch (error) {
      last = error;
    }
    await pause(100);
  }
  const why = gone ? `${child?.name} has ended` : `not within ${seconds} s`;
  throw new Error(`${what}: ${why}\n${child?.output() ?? ''}`, { cause: last });
}

/** A port that is free now on 127.0.0.1. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
