import { rateLimit, type RateLimitRequestHandler } from 'express-rate-limit';
import { Problem } from '../problem.ts';

const WINDOW_MS = 10_000;
/** Wrong keys from one address in ten seconds; a key of 32 random bytes is not guessed, but logs stay readable. */
const FAILURES = 200;

function tooMany(what: string): Problem {
  return new Problem(429, 'rate_limited', {
    detail: `Too many ${what}. Wait as long as Retry-After says, and send telemetry in batches.`,
    retryAfter: WINDOW_MS / 1000,
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
    handler: () => {
      throw tooMany('requests with this key');
    },
  });
}

/** Counts refused keys by address. */
export function limitFailures(): { check(address: string): void; count(address: string): void } {
  let since = Date.now();
  let failures = new Map<string, number>();
  return {
    check(address) {
      if (Date.now() - since > WINDOW_MS) {
        since = Date.now();
        failures = new Map();
      }
      if ((failures.get(address) ?? 0) >= FAILURES) throw tooMany('refused keys from this address');
    },
    count(address) {
      failures.set(address, (failures.get(address) ?? 0) + 1);
    },
  };
}
