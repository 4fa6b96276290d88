import type { N8nStore } from './n8n.store.ts';

/** Who tries again for longer than this is taken for new; nothing but a count depends on it. */
const REMEMBERED_MS = 2 * 86_400_000;

/** Forgets which events were counted long ago, and the inventories of then. */
export async function forgetEvents(
  listTenants: () => Promise<string[]>,
  store: Pick<N8nStore, 'forget'>,
  now: Date,
): Promise<void> {
  const before = new Date(now.getTime() - REMEMBERED_MS);
  for (const tenant of await listTenants()) await store.forget(tenant, before);
}
