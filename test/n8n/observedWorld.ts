import { join } from 'node:path';

import { observed } from './environment.ts';
import { installN8n } from './install.ts';
import { importWorkflows, startN8n } from './instance.ts';
import { installPackage, ROOT } from './package.ts';
import { startRelay, type Relay } from './relay.ts';
import { startRollcall } from './rollcallServer.ts';
import { importCredential, inFolder, type World } from './world.ts';

/** An n8n with the hooks file and its own tracing switched on; all it sends passes the relay. */
export interface ObservedWorld extends World {
  relay: Relay;
}

/** As `inWorld`. The workflows in examples/ are in n8n before it starts. */
export async function inObservedWorld(
  work: (world: ObservedWorld) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder, stops) => {
    const installed = await installN8n();
    console.log('Starting Rollcall, and n8n with hooks and tracing (about 20 s)');
    await installPackage(folder);
    const rollcall = await startRollcall(folder);
    stops.unshift(rollcall.stop);
    const relay = await startRelay(rollcall.url);
    stops.unshift(relay.stop);
    const n8n = await startN8n(installed, folder, {
      environment: observed(relay.url, rollcall.apiKey),
      before: async (command) => {
        await importCredential(folder, { command }, relay.url, rollcall.apiKey);
        await importWorkflows({ command }, join(ROOT, 'examples'));
      },
    });
    stops.unshift(n8n.stop);
    await work({ folder, n8n, rollcall, relay });
  });
}
