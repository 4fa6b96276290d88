import type { Clock } from '../../platform/clock.ts';
import type { ConnectionsStore } from './connections.store.ts';

/** The kind of job that an inventory is. */
export const SYNC_JOB = 'n8n-inventory';

/** One that has been put in line and that nobody took for so long is put there again. */
const LOST_AFTER_MS = 600_000;

/** Has every inventory run that is due: of the servers that ask at the same time, one hears of each. */
export async function startDueSyncs(
  listTenants: () => Promise<string[]>,
  store: Pick<ConnectionsStore, 'dueSyncs'>,
  startSync: (tenant: string, id: string) => Promise<void>,
  clock: Clock,
): Promise<void> {
  const now = clock();
  const lostBefore = new Date(now.getTime() - LOST_AFTER_MS);
  for (const tenant of await listTenants()) {
    for (const id of await store.dueSyncs(tenant, now, lostBefore)) await startSync(tenant, id);
  }
}
