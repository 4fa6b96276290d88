import type { Clock } from '../../platform/clock.ts';
import type { GapsStore } from './gaps.store.ts';

/** Checks every tenant, one after another. */
export async function checkAllTenants(
  listTenants: () => Promise<string[]>,
  store: GapsStore,
  clock: Clock,
): Promise<void> {
  for (const tenant of await listTenants()) await store.check(tenant, clock());
}
