import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { freePort, runToEnd, startChild, until, type Child } from './child.ts';
import { ROOT } from './package.ts';
import { rollcallApi, type RollcallApi } from './rollcallApi.ts';

const BINARY = join(ROOT, 'server/bin/rollcall.js');

export interface RollcallServer extends RollcallApi {
  url: string;
  apiKey: string;
  /** Ends it as `kill -9` does. */
  kill(): Promise<void>;
  /** Starts it again at the same address, on the same data. */
  startAgain(): Promise<void>;
  /** Runs the command line against it; resolves with what it printed. */
  command(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

/** The real server, as a user starts it, with its data in the given folder. */
export async function startRollcall(folder: string): Promise<RollcallServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const apiKey = `rc_${randomBytes(32).toString('base64url')}`;
  const env = {
    ...process.env,
    ROLLCALL_PORT: String(port),
    ROLLCALL_DATA_DIR: join(folder, 'data'),
    ROLLCALL_ADMIN_KEY: apiKey,
  };
  const client = { ...process.env, ROLLCALL_URL: url, ROLLCALL_API_KEY: apiKey };
  let child: Child | undefined;
  const start = async (): Promise<void> => {
    const started = startChild('Rollcall', [BINARY, 'start'], { cwd: folder, env });
    child = started;
    try {
      await until('Rollcall is ready', () => isReady(url), { seconds: 90, child: started });
    } catch (error) {
      await started.stop();
      throw error;
    }
  };
  await start();
  return {
    ...rollcallApi(url, apiKey),
    url,
    apiKey,
    kill: async () => {
      await child?.kill();
      child = undefined;
    },
    startAgain: start,
    command: (...args) => runToEnd(`rollcall ${args[0]}`, [BINARY, ...args], { env: client }),
    stop: async () => {
      // A database that outlived its server is stopped by the next one.
      if (!child) await start();
      await child?.stop();
    },
  };
}

async function isReady(url: string): Promise<true | undefined> {
  const { ok } = await fetch(`${url}/readyz`);
  return ok || undefined;
}
