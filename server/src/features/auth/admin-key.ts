import type { AuthStore } from './auth.store.ts';
import { hashKey, makeKey, prefixOf } from './keys.ts';

/**
 * Sees to it that the tenant `default` has a key that may do everything: the configured one, or on a database
 * without any key a new one. Answers a new one, to be shown once.
 */
export async function ensureAdminKey(
  store: AuthStore,
  configured: string | undefined,
): Promise<string | undefined> {
  if (!configured) {
    const { items } = await store.listKeys('default', 1, null);
    if (items.length > 0) return undefined;
  }
  const key = configured ?? makeKey();
  await store.createKey({
    tenant: 'default',
    project: 'default',
    name: 'admin',
    prefix: prefixOf(key),
    hash: hashKey(key),
    scopes: ['admin'],
    createdBy: configured ? 'ROLLCALL_ADMIN_KEY' : 'first start',
    expiresAt: null,
  });
  return configured ? undefined : key;
}
