import type { Scope } from '@rollcall/client/contract';
import type { Request as HttpRequest } from 'express';
import { Problem } from '../problem.ts';
import type { Principal } from './route.ts';

/** Whose key this is; `null` when it is nobody's. */
export type VerifyKey = (key: string) => Promise<Principal | null>;

const KEY = /^rc_[A-Za-z0-9_-]{43}$/;

/** @throws Problem 401 without a valid key, 403 when the key lacks the scope */
export async function authenticate(
  request: HttpRequest,
  access: Scope | 'any',
  verify: VerifyKey,
): Promise<Principal> {
  const key = shownKey(request);
  if (!key) {
    throw new Problem(401, 'missing_key', {
      detail: 'Send an API key: Authorization: Bearer rc_... or X-API-Key: rc_...',
    });
  }
  const principal = KEY.test(key) ? await verify(key) : null;
  if (!principal) {
    throw new Problem(401, 'invalid_key', {
      detail: 'This API key is unknown, revoked or expired. Make one with: rollcall keys create.',
    });
  }
  if (
    access !== 'any' &&
    !principal.scopes.includes(access) &&
    !principal.scopes.includes('admin')
  ) {
    throw new Problem(403, 'missing_scope', {
      detail: `This key may not do that: it lacks the scope ${access}.`,
    });
  }
  return principal;
}

function shownKey(request: HttpRequest): string | undefined {
  const header = request.headers['x-api-key'];
  if (typeof header === 'string') return header.trim();
  const [scheme, token] = (request.headers.authorization ?? '').trim().split(/\s+/, 2);
  return scheme?.toLowerCase() === 'bearer' ? token : undefined;
}
