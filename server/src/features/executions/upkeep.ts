import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { every, type Task } from '../../platform/tasks.ts';
import type { ExecutionsStore } from './executions.store.ts';

export interface UpkeepNeeds {
  store: Pick<ExecutionsStore, 'markLost' | 'enforceRetention' | 'dropSpans'>;
  listTenants: () => Promise<string[]>;
  clock: Clock;
  log: Log;
  config: { executionDays: number; lostAfterSeconds: number };
}

const LOST_SECONDS = 60;
const RETENTION_SECONDS = 3_600;

/** Gives up runs that never ended, and forgets old ones. */
export function keepExecutions({ store, listTenants, clock, log, config }: UpkeepNeeds): Task[] {
  return [
    every(LOST_SECONDS, 'lost executions', log, async () => {
      for (const tenant of await listTenants()) {
        await store.markLost(tenant, clock(), config.lostAfterSeconds);
      }
    }),
    every(RETENTION_SECONDS, 'retention of executions', log, async () => {
      const now = clock();
      for (const tenant of await listTenants()) {
        while ((await store.enforceRetention(tenant, now, config.executionDays)).more);
      }
      await store.dropSpans(now, config.executionDays);
    }),
  ];
}
