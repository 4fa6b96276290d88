import { chmodSync, existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { own } from '../../server/src/platform/database/embedded/owner.ts';
import { startEmbeddedPostgres } from '../../server/src/platform/database/embedded/start.ts';
import { folderForDatabases } from './folder.ts';
import { removeDataDir } from './remove.ts';
import { announceCluster, endCluster } from './running.ts';

/** Gone after the run, so nothing has to reach the disk. */
const NOTHING_SURVIVES = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

const PREFIX = 'rollcall-test-';
const quiet = { info() {}, warn() {}, error() {} };

/** Starts the one database server that all suites of a run share; `stop.ts` ends it. */
export default async function startCluster(): Promise<void> {
  const parent = folderForDatabases();
  await removeAbandoned(parent);
  const dataDir = mkdtempSync(join(parent, PREFIX));
  // As root the server is another user, who has to get through.
  chmodSync(dataDir, 0o711);
  const settings = { ...NOTHING_SURVIVES, max_connections: '200' };
  const server = await startEmbeddedPostgres({ dataDir, log: quiet, settings }).catch(
    async (error: unknown) => {
      await removeDataDir(dataDir);
      throw error;
    },
  );
  announceCluster({ ...server.connection, database: 'postgres' }, async () => {
    await server.stop();
    await removeDataDir(dataDir);
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void endCluster().finally(() => process.kill(process.pid, signal)));
  }
}

/** A run that was killed leaves its server behind. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of readdirSync(parent)) {
    const dataDir = join(parent, name);
    if (!name.startsWith(PREFIX) || !existsSync(join(dataDir, 'owner.json'))) continue;
    try {
      const release = await own(dataDir);
      await removeDataDir(dataDir);
      release();
    } catch {
      // Another run, or another user, still has it.
    }
  }
}
