import type { Clock } from '../../platform/clock.ts';
import type { VerifyKey } from '../../platform/http/authenticate.ts';
import type { Principal } from '../../platform/http/route.ts';
import type { AuthStore } from './auth.store.ts';
import { hashKey } from './keys.ts';

const KEPT_MS = 5_000;
const KEPT_AT_MOST = 10_000;
const TOUCH_MS = 60_000;

interface Kept {
  found: Promise<Found | null>;
  until: number;
}

interface Found {
  principal: Principal;
  /** Milliseconds since 1970; infinite for a key that never expires. */
  expires: number;
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
      entry = { found: lookUp(hash), until: now + KEPT_MS };
      kept.set(hash, entry);
      entry.found.catch(() => kept.delete(hash));
    }
    const found = await entry.found;
    if (!found || found.expires <= now) return null;
    touch(found.principal, now);
    return found.principal;
  };

  async function lookUp(hash: string): Promise<Found | null> {
    const key = await store.verifyKey(hash, clock());
    if (!key) return null;
    return {
      principal: {
        keyId: key.key_id,
        tenant: key.tenant_id,
        project: key.project_id,
        actor: key.name,
        scopes: key.scopes,
      },
      expires: key.expires_at === null ? Infinity : Date.parse(key.expires_at),
    };
  }

  function touch({ keyId, tenant }: Principal, now: number): void {
    if (now - (touched.get(keyId) ?? 0) < TOUCH_MS) return;
    touched.set(keyId, now);
    store.touchKey(tenant, keyId, new Date(now)).catch(onTouchError);
  }

  return { verify, forget: () => kept.clear() };
}
