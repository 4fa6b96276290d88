import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { readConfig } from '../../server/src/config.ts';
import { createLog } from '../../server/src/platform/log.ts';
import { startServer } from '../../server/src/serve.ts';
import { runToEnd } from './child.ts';
import { ROOT } from './package.ts';
import { rollcallApi, type RollcallApi } from './rollcallApi.ts';

const BINARY = join(ROOT, 'server/bin/rollcall.js');

/** All that `rollcall start` starts, in this process, by a clock that can be put forward. */
export interface ClockedRollcall extends RollcallApi {
  url: string;
  apiKey: string;
  /** Puts the server's clock forward; it runs on from there. */
  advance(hours: number): void;
  /** Runs the command line against it; resolves with what it printed. */
  command(args: string[], environment?: NodeJS.ProcessEnv): Promise<string>;
  stop(): Promise<void>;
}

/** A fresh server with its data in the given folder. */
export async function startClockedRollcall(folder: string): Promise<ClockedRollcall> {
  const apiKey = `rc_${randomBytes(32).toString('base64url')}`;
  const config = readConfig({
    ROLLCALL_PORT: '0',
    ROLLCALL_DATA_DIR: join(folder, 'data'),
    ROLLCALL_ADMIN_KEY: apiKey,
  });
  let ahead = 0;
  const clock = () => new Date(Date.now() + ahead);
  const { url, stop } = await startServer(config, createLog('error'), clock);
  const env = { ...process.env, ROLLCALL_URL: url, ROLLCALL_API_KEY: apiKey };
  return {
    ...rollcallApi(url, apiKey),
    url,
    apiKey,
    advance: (hours) => void (ahead += hours * 3_600_000),
    command: (args, environment) =>
      runToEnd(`rollcall ${args[0]}`, [BINARY, ...args], { env: { ...env, ...environment } }),
    stop,
  };
}
