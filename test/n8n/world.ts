import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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

/** Builds the world, does the work in it and takes it down again, whatever happens. */
export async function inWorld(work: (world: World) => Promise<void>): Promise<void> {
  const n8n = await installN8n();
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-n8n-'));
  // PostgreSQL must not run as root; where the tests do, its own user has to get to its data.
  await chmod(folder, 0o755);
  const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    console.log('Packing the nodes, starting Rollcall and n8n (about 15 s)');
    await installPackage(folder);
    const rollcall = await startRollcall(folder);
    stops.unshift(rollcall.stop);
    const instance = await startN8n(n8n, folder);
    stops.unshift(instance.stop);
    await importCredential({ folder, n8n: instance, rollcall });
    await work({ folder, n8n: instance, rollcall });
  } finally {
    for (const stop of stops) await stop();
  }
}

async function importCredential({ folder, n8n, rollcall }: World): Promise<void> {
  const file = join(folder, 'credential.json');
  const data = { baseUrl: rollcall.url, apiKey: rollcall.apiKey };
  const credential = { id: EXAMPLE_CREDENTIAL, name: 'Rollcall', type: 'rollcallApi', data };
  await writeFile(file, JSON.stringify([credential]));
  await n8n.command('import:credentials', `--input=${file}`);
}
