import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { freePort, runToEnd, startChild, until, type Child } from './child.ts';
import { n8nEnvironment } from './environment.ts';
import type { InstalledN8n } from './install.ts';
import { signIn, type N8nApi } from './n8nApi.ts';

/** One n8n with a user folder of its own. */
export interface N8nInstance {
  api: N8nApi;
  /** Runs an n8n command beside the server, on the same user folder. */
  command(...args: string[]): Promise<string>;
  log(): string;
  stop(): Promise<void>;
}

/** Boots n8n on 127.0.0.1, makes the owner and signs in. About half a minute. */
export async function startN8n(n8n: InstalledN8n, userFolder: string): Promise<N8nInstance> {
  const port = await freePort();
  const encryptionKey = randomBytes(16).toString('hex');
  const environment = async (): Promise<NodeJS.ProcessEnv> => ({
    ...n8nEnvironment(userFolder, port, await freePort()),
    N8N_ENCRYPTION_KEY: encryptionKey,
  });
  const command = async (...args: string[]) =>
    await runToEnd(`n8n ${args[0]}`, [n8n.binary, ...args], { env: await environment() });

  const child = startChild('n8n', [n8n.binary, 'start'], { env: await environment() });
  try {
    const api = await until('n8n is ready', () => ready(child, `http://127.0.0.1:${port}`), {
      seconds: 180,
      child,
    });
    return { api, command, log: () => child.output(), stop: () => child.stop() };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/** The REST routes answer only after n8n has said that its editor is accessible. */
async function ready(child: Child, url: string): Promise<N8nApi | undefined> {
  return child.output().includes('Editor is now accessible') ? await signIn(url) : undefined;
}

/** Imports every workflow of a folder the way a user does: inactive, with the ids in the files. */
export async function importWorkflows(n8n: N8nInstance, folder: string): Promise<string[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  await n8n.command('import:workflow', '--separate', `--input=${join(folder, '/')}`);
  return files;
}
