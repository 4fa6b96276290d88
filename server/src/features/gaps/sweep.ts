import type { Clock } from '../../platform/clock.ts';
import type { GapsStore } from './gaps.store.ts';

/** A store whose checks first bring up to date by when everything has to report. */
export const upToDate = (
  store: GapsStore,
  refresh: (tenant: string, now: Date) => Promise<void>,
): GapsStore => ({
  ...store,
  async check(tenant, now, full) {
    await refresh(tenant, now);
    return store.check(tenant, now, full);
  },
});

/** Checks every tenant, one after another: what may have changed since the last check. */
export async function checkAllTenants(
  listTenants: () => Promise<string[]>,
  store: GapsStore,
  clock: Clock,
): Promise<void> {
  for (const tenant of await listTenants()) await store.check(tenant, clock(), false);
}
