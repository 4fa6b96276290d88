import { rateLimit, type RateLimitRequestHandler } from 'express-rate-limit';
import { Problem } from '../problem.ts';

const WINDOW_MS = 10_000;
/** Wrong keys from one address in ten seconds; a key of 32 random bytes is not guessed, but logs stay readable. */
const FAILURES = 200;

function tooMany(what: string, retryAfter?: number): Problem {
  return new Problem(429, 'rate_limited', {
    detail: `Too many ${what}. Wait as long as Retry-After says, and send telemetry in batches.`,
    ...(retryAfter ? { retryAfter } : {}),
  });
}

/** @param perSecond requests a second and key, averaged over ten seconds; 0 for no limit */
export function limitKeys(perSecond: number): RateLimitRequestHandler | undefined {
  if (perSecond === 0) return undefined;
  return rateLimit({
    windowMs: WINDOW_MS,
    limit: perSecond * (WINDOW_MS / 1000),
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    validate: false,
    keyGenerator: (request) => (request as { keyId?: string }).keyId ?? '',
    // Retry-After is set by then.
    handler: () => {
      throw tooMany('requests with this key');
    },
  });
}

/**
 * Counts refused keys by address; throws a Problem 429 for one too many. Good keys are never asked: behind a
 * proxy they share an address with everybody else's.
 */
export function limitFailures(): (address: string) => void {
  let since = Date.now();
  let failures = new Map<string, number>();
  return (address) => {
    const now = Date.now();
    if (now - since > WINDOW_MS) {
      since = now;
      failures = new Map();
    }
    const count = (failures.get(address) ?? 0) + 1;
    failures.set(address, count);
    if (count > FAILURES) {
      throw tooMany('refused keys from this address', Math.ceil((since + WINDOW_MS - now) / 1000));
    }
  };
}
