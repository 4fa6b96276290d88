import type { Clock } from '../../platform/clock.ts';
import type { VerifyKey } from '../../platform/http/authenticate.ts';
import type { Principal } from '../../platform/http/route.ts';
import type { AuthStore } from './auth.store.ts';
import { hashKey } from './keys.ts';

const KEPT_MS = 5_000;
const KEPT_AT_MOST = 10_000;
const TOUCH_MS = 60_000;

interface Kept {
  principal: Promise<Principal | null>;
  until: number;
}

/**
 * Looks keys up, remembering each answer for five seconds: a revoked key may live that long in another server
 * process, in this one `forget` ends it at once. `last_used_at` is written at most once a minute and key.
 */
export function keyVerifier(
  store: AuthStore,
  clock: Clock,
  onTouchError: (error: unknown) => void,
) {
  const kept = new Map<string, Kept>();
  const touched = new Map<string, number>();

  const verify: VerifyKey = async (key) => {
    const hash = hashKey(key);
    const now = clock().getTime();
    let entry = kept.get(hash);
    if (!entry || entry.until <= now) {
      if (kept.size >= KEPT_AT_MOST) kept.clear();
      entry = { principal: lookUp(hash), until: now + KEPT_MS };
      kept.set(hash, entry);
      entry.principal.catch(() => kept.delete(hash));
    }
    const principal = await entry.principal;
    if (principal) touch(principal, now);
    return principal;
  };

  async function lookUp(hash: string): Promise<Principal | null> {
    const found = await store.verifyKey(hash, clock());
    return (
      found && {
        keyId: found.key_id,
        tenant: found.tenant_id,
        project: found.project_id,
        actor: found.name,
        scopes: found.scopes,
      }
    );
  }

  function touch({ keyId, tenant }: Principal, now: number): void {
    if (now - (touched.get(keyId) ?? 0) < TOUCH_MS) return;
    touched.set(keyId, now);
    store.touchKey(tenant, keyId, new Date(now)).catch(onTouchError);
  }

  return { verify, forget: () => kept.clear() };
}
