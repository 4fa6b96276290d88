import { existsSync, lstatSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { endLeftovers } from '../../server/src/platform/database/embedded/leftover.ts';

const quiet = { info() {}, warn() {}, error() {} };

/** Removes a data folder, all that was put elsewhere for it, and a database still running on it. */
export async function removeDataDir(dataDir: string): Promise<void> {
  const cluster = join(dataDir, 'postgres');
  if (existsSync(cluster)) await endLeftovers(realpathSync(cluster), quiet);
  for (const entry of [cluster, join(dataDir, 'run')]) {
    if (!lstatSync(entry, { throwIfNoEntry: false })?.isSymbolicLink()) continue;
    const target = readlinkSync(entry);
    // A cluster elsewhere has a folder of its own, which also holds its socket.
    const whole = entry === cluster ? dirname(target) : target;
    rmSync(whole, { recursive: true, force: true });
  }
  rmSync(dataDir, { recursive: true, force: true });
}
