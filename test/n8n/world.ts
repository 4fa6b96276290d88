import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { withoutKey } from './environment.ts';
import { installN8n } from './install.ts';
import { startN8n, type N8nInstance } from './instance.ts';
import { installPackage } from './package.ts';
import { startRollcall, type RollcallServer } from './rollcallServer.ts';

/** The credential that the workflows in examples/ name. */
export const EXAMPLE_CREDENTIAL = 'rollcallApi00001';

/** A real n8n with the packed nodes, beside a real Rollcall server. */
export interface World {
  folder: string;
  n8n: N8nInstance;
  rollcall: RollcallServer;
}

/** What has to be taken down: the last that came is the first to go. */
export type Stops = (() => Promise<unknown>)[];

/** Builds the world, does the work in it and takes it down again, whatever happens. */
export async function inWorld(work: (world: World) => Promise<void>): Promise<void> {
  await inFolder(async (folder, stops) => {
    const installed = await installN8n();
    console.log('Packing the nodes, starting Rollcall and n8n (about 15 s)');
    await installPackage(folder);
    const rollcall = await startRollcall(folder);
    stops.unshift(rollcall.stop);
    const n8n = await startN8n(installed, folder, { environment: withoutKey() });
    stops.unshift(n8n.stop);
    await importCredential(folder, n8n, rollcall.url, rollcall.apiKey);
    await work({ folder, n8n, rollcall });
  });
}

/** Runs the work in a folder of its own; afterwards all of `stops` is called, then the folder goes. */
export async function inFolder(
  work: (folder: string, stops: Stops) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-n8n-'));
  // PostgreSQL must not run as root; where the tests do, its own user has to get to its data.
  await chmod(folder, 0o755);
  const stops: Stops = [() => rm(folder, { recursive: true, force: true })];
  try {
    await work(folder, stops);
  } finally {
    for (const stop of stops) await stop();
  }
}

/** The credential of the examples: it leads to this server. */
export async function importCredential(
  folder: string,
  n8n: Pick<N8nInstance, 'command'>,
  baseUrl: string,
  apiKey: string,
): Promise<void> {
  const file = join(folder, 'credential.json');
  const data = { baseUrl, apiKey };
  const credential = { id: EXAMPLE_CREDENTIAL, name: 'Rollcall', type: 'rollcallApi', data };
  await writeFile(file, JSON.stringify([credential]));
  await n8n.command('import:credentials', `--input=${file}`);
}
