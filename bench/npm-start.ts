import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { processTree } from './processes.ts';
import { readGreeting, type RollcallServer, type ServerOptions } from './rollcall-server.ts';

/** Starts the server with `npm start` itself, as a person does. */
export async function npmStart({
  dataDir,
  environment,
}: ServerOptions): Promise<Pick<RollcallServer, 'pid' | 'startMs' | 'stop'>> {
  const began = performance.now();
  const npm = spawn('npm', ['start'], {
    cwd: new URL('../', import.meta.url).pathname,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      ROLLCALL_DATA_DIR: dataDir,
      ROLLCALL_PORT: '0',
      ...environment,
    },
  });
  const url = /is at (http:\S+)/.exec(await readGreeting(npm))?.[1] ?? '';
  const health = await fetch(`${url}/healthz`);
  if (health.status !== 200) throw new Error(`/healthz answered ${health.status}`);
  const startMs = performance.now() - began;
  const pid = processTree(npm.pid as number).find(isServer);
  if (pid === undefined) throw new Error('npm start has started no server');
  return {
    pid,
    startMs,
    stop: async () => {
      process.kill(pid, 'SIGTERM');
      await once(npm, 'exit');
    },
  };
}

/** Neither npm nor the shell in between, which names the same file. */
function isServer(pid: number): boolean {
  const [, script] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  return script?.endsWith('server/bin/rollcall.js') ?? false;
}
