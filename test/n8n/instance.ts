import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { freePort, runToEnd, startChild, until, type Child } from './child.ts';
import { n8nEnvironment } from './environment.ts';
import type { InstalledN8n } from './install.ts';
import { signIn, type N8nApi } from './n8nApi.ts';

/** Runs an n8n command on the user folder, beside the server when that runs. */
export type N8nCommand = (...args: string[]) => Promise<string>;

/** One n8n with a user folder of its own. */
export interface N8nInstance {
  api: N8nApi;
  command: N8nCommand;
  log(): string;
  /** n8n's own event log: one event a line. */
  eventLog: string;
  /** Resolves with the exit code, `null` when it had to be killed. */
  stop(): Promise<number | null>;
  /** Starts it again at the same address, on the same data. */
  startAgain(): Promise<void>;
}

interface StartOptions {
  /** Environment beside what every n8n here needs. */
  environment?: NodeJS.ProcessEnv;
  /** What to do before it starts. */
  before?: (command: N8nCommand) => Promise<unknown>;
}

/** Boots n8n on 127.0.0.1, makes the owner and signs in. About half a minute. */
export async function startN8n(
  n8n: InstalledN8n,
  userFolder: string,
  { environment = {}, before }: StartOptions = {},
): Promise<N8nInstance> {
  const port = await freePort();
  const encryptionKey = randomBytes(16).toString('hex');
  const all = async (): Promise<NodeJS.ProcessEnv> => ({
    ...n8nEnvironment(userFolder, port, await freePort()),
    N8N_ENCRYPTION_KEY: encryptionKey,
    ...environment,
  });
  const command: N8nCommand = async (...args) =>
    await runToEnd(`n8n ${args[0]}`, [n8n.binary, ...args], { env: await all() });

  let child: Child;
  const start = async <Ready>(ready: () => Promise<Ready>): Promise<Ready> => {
    child = startChild('n8n', [n8n.binary, 'start'], { env: await all() });
    try {
      return await until(
        'n8n is ready',
        // The REST routes answer only after n8n has said that its editor is accessible.
        async () =>
          child.output().includes('Editor is now accessible') ? await ready() : undefined,
        { seconds: 180, child },
      );
    } catch (error) {
      await child.stop();
      throw error;
    }
  };

  await before?.(command);
  const api = await start(() => signIn(`http://127.0.0.1:${port}`));
  return {
    api,
    command,
    log: () => child.output(),
    eventLog: join(userFolder, '.n8n/n8nEventLog.log'),
    stop: () => child.stop(),
    startAgain: async () => void (await start(() => api.workflows())),
  };
}

/** Imports every workflow of a folder the way a user does: inactive, with the ids in the files. */
export async function importWorkflows(
  { command }: { command: N8nCommand },
  folder: string,
): Promise<string[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  await command('import:workflow', '--separate', `--input=${join(folder, '/')}`);
  return files;
}
