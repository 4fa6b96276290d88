import type { Database } from '../../platform/database/port.ts';
import type { Route } from '../../platform/http/route.ts';
import type { Jobs, JobsOptions } from '../../platform/jobs/jobs.ts';
import { unavailable } from '../../platform/problem.ts';
import { every, type Task } from '../../platform/tasks.ts';
import { connections } from './connections.ts';
import { connectionsRoutes } from './connections.routes.ts';
import { connectionsStore } from './connections.store.ts';
import type { N8nApi } from './n8n-api.ts';
import { startDueSyncs, SYNC_JOB } from './schedule.ts';
import { connectionSync, type SyncNeeds } from './sync.ts';

export interface N8nConnectionsNeeds<Words> extends Omit<SyncNeeds<Words>, 'store' | 'secrets'> {
  database: Database;
  secrets: { seal(text: string): string; open(sealed: string): string };
  openJobs: (options: JobsOptions) => Jobs;
  listTenants: () => Promise<string[]>;
}

export interface N8nConnections {
  routes: Route[];
  /** n8n's API behind a connection, by its id or by that of the instance it leads to; undefined when there is none. */
  clientFor(tenant: string, which: string): Promise<N8nApi | undefined>;
  startTasks(): Task[];
  /** Aborts inventories; another server takes them up. */
  stop(): Promise<void>;
}

const DUE_SECONDS = 5;

/** n8n instances that are read through their public API. */
export function n8nConnections<Words>(needs: N8nConnectionsNeeds<Words>): N8nConnections {
  const { database, clock, log, listTenants } = needs;
  const store = connectionsStore(database);
  const sync = connectionSync({ ...needs, store });
  const jobs = needs.openJobs({
    work: {
      [SYNC_JOB]: ({ tenant = '', id = '' }, signal) => sync(tenant, id, signal),
    },
    onError: (error) => log.error({ err: error }, 'A job failed'),
  });
  /** Whoever puts an inventory in line also takes some from it, from then on. */
  async function startSync(tenant: string, id: string): Promise<void> {
    try {
      await jobs.start();
      await jobs.send(SYNC_JOB, { tenant, id });
    } catch (error) {
      const detail =
        'The inventory was noted, but cannot be put in line now; it is tried again by itself.';
      throw unavailable('jobs_unavailable', detail, error);
    }
  }
  const service = connections({ store, secrets: needs.secrets, clock, startSync });
  return {
    routes: connectionsRoutes(store, service),
    clientFor: service.clientFor,
    startTasks() {
      return [
        every(DUE_SECONDS, 'n8n inventories', log, () =>
          startDueSyncs(listTenants, store, startSync, clock),
        ),
      ];
    },
    stop: () => jobs.stop(),
  };
}
