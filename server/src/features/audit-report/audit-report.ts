import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database/port.ts';
import type { Route } from '../../platform/http/route.ts';
import type { Log } from '../../platform/log.ts';
import { every, type Task } from '../../platform/tasks.ts';
import { auditReportRoutes } from './audit-report.routes.ts';
import { auditReportStore, type AuditReportStore } from './audit-report.store.ts';

/** A week's report appears this soon after the week has ended. */
const LOOK_SECONDS = 600;

interface Needs {
  database: Database;
  listTenants: () => Promise<string[]>;
  clock: Clock;
  log: Log;
}

/** Reports of what has become of the fleet: when asked for, and one each week. */
export function auditReports({ database, listTenants, clock, log }: Needs): {
  routes: Route[];
  startTasks(): Task[];
} {
  const store = auditReportStore(database);
  return {
    routes: auditReportRoutes(store, clock),
    startTasks: () => [
      every(LOOK_SECONDS, 'weekly audit', log, () => keepWeeklyAudits(listTenants, store, clock)),
    ],
  };
}

/** Keeps the last week's report of every tenant that has none yet; any number of servers may do so at once. */
export async function keepWeeklyAudits(
  listTenants: () => Promise<string[]>,
  store: Pick<AuditReportStore, 'keepWeekly'>,
  clock: Clock,
): Promise<void> {
  for (const tenant of await listTenants()) await store.keepWeekly(tenant, clock());
}
