import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface RollcallServer {
  url: string;
  port: number;
  /** Admin key of the tenant `default`. */
  key: string;
  databaseUrl: string;
  pid: number;
  /** Milliseconds from spawning the process to the first 200 of /healthz. */
  startMs: number;
  stop(): Promise<void>;
}

const COMMAND = new URL('../server/bin/rollcall.js', import.meta.url).pathname;
const ROOT = new URL('../', import.meta.url).pathname;

/** A new folder on disk for a server's data. */
export function makeDataDir(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-bench-'));
  // As root the database is another user, who has to get through.
  chmodSync(folder, 0o711);
  return folder;
}

export { removeDataDir } from '../test/cluster/remove.ts';

export interface ServerOptions {
  dataDir: string;
  environment?: Record<string, string>;
  nodeArguments?: string[];
}

const key = `rc_${randomBytes(32).toString('base64url')}`;

/** Starts what `npm start` starts, on a free port of 127.0.0.1 with no limit on requests. */
export async function startRollcall(options: ServerOptions): Promise<RollcallServer> {
  const began = performance.now();
  const child = spawn(process.execPath, [...(options.nodeArguments ?? []), COMMAND, 'start'], {
    cwd: ROOT,
    // What it logs is what went wrong: to be seen.
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      ROLLCALL_DATA_DIR: options.dataDir,
      ROLLCALL_PORT: '0',
      ROLLCALL_ADMIN_KEY: key,
      ROLLCALL_RATE_LIMIT: '0',
      ROLLCALL_LOG_LEVEL: 'warn',
      ...options.environment,
    },
  });
  const greeting = await readGreeting(child);
  const url = /is at (http:\S+)/.exec(greeting)?.[1] ?? '';
  const databaseUrl = /psql "([^"]+)"/.exec(greeting)?.[1] ?? '';
  const health = await fetch(`${url}/healthz`);
  if (health.status !== 200) throw new Error(`/healthz answered ${health.status}`);
  return {
    url,
    port: Number(new URL(url).port),
    key,
    databaseUrl,
    pid: child.pid as number,
    startMs: performance.now() - began,
    stop: async () => {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** What a process prints until it says where it listens. */
export async function readGreeting(child: ChildProcess): Promise<string> {
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`The server ended with ${code}`)));
    child.stdout?.on('data', (text: Buffer) => {
      output += text.toString();
      if (/\n.*docs/.test(output)) resolve();
    });
  });
  return output;
}
