import { startClockedRollcall, type ClockedRollcall } from './clockedRollcall.ts';
import { connectedFleet, type ConnectedFleet } from './connectedFleet.ts';
import { installN8n } from './install.ts';
import { startN8n } from './instance.ts';
import { installPackage } from './package.ts';
import { importCredential, inFolder, type World } from './world.ts';

/** An n8n without hooks and tracing, of which Rollcall knows nothing yet; the nodes can be used in it. */
export interface ConnectedWorld extends Omit<World, 'rollcall'> {
  rollcall: ClockedRollcall;
  fleet: ConnectedFleet;
}

/** As `inWorld`. */
export async function inConnectedWorld(
  work: (world: ConnectedWorld) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder, stops) => {
    const installed = await installN8n();
    console.log('Starting Rollcall, and an n8n that knows nothing of it (about 20 s)');
    await installPackage(folder);
    const rollcall = await startClockedRollcall(folder);
    stops.unshift(rollcall.stop);
    const n8n = await startN8n(installed, folder, {
      before: (command) => importCredential(folder, { command }, rollcall.url, rollcall.apiKey),
    });
    stops.unshift(n8n.stop);
    await work({ folder, n8n, rollcall, fleet: connectedFleet(n8n, rollcall, folder) });
  });
}
