import type { Clock } from '../../platform/clock.ts';
import type { TelemetryStore } from './telemetry.store.ts';

/** Of one tenant, so that a backlog keeps nobody else waiting. */
const HOURS_AT_A_TIME = 48;

/** Folds the hours that are over into the coarser rollups, tenant by tenant, the latest first. */
export async function foldAllTenants(
  listTenants: () => Promise<string[]>,
  store: Pick<TelemetryStore, 'foldHour'>,
  clock: Clock,
): Promise<void> {
  for (const tenant of await listTenants()) {
    for (let count = 0; count < HOURS_AT_A_TIME; count++) {
      const { hour } = await store.foldHour(tenant, clock());
      if (hour === null) break;
    }
  }
}
