import { DestinationError } from '../../platform/outbound/destination.ts';
import type { OutboundAnswer } from '../../platform/outbound/post.ts';

/** How an attempt went, and what follows. */
export interface Outcome {
  outcome: 'delivered' | 'retry' | 'dead' | 'gone';
  responseStatus: number | null;
  error: string | null;
  /** For `retry`. */
  nextAt: Date | null;
}

interface Attempt {
  /** This one included. */
  attempts: number;
  /** ISO 8601: a day later it is given up. */
  due_since: string;
}

const FIRST_DELAY_MS = 5_000;
const LONGEST_DELAY_MS = 3_600_000;
const GIVE_UP_MS = 86_400_000;

/** @param random from 0 to 1: spreads those who failed together */
export function delayMs(attempts: number, random: number): number {
  const delay = Math.min(FIRST_DELAY_MS * 2 ** Math.min(attempts - 1, 20), LONGEST_DELAY_MS);
  return Math.round(delay * (0.5 + random / 2));
}

/** What an answer means. */
export function afterAnswer(
  { status, retryAfter }: OutboundAnswer,
  attempt: Attempt,
  now: Date,
  random: number,
): Outcome {
  if (status >= 200 && status < 300) {
    return { outcome: 'delivered', responseStatus: status, error: null, nextAt: null };
  }
  if (status === 410) {
    const error = 'The receiver answered 410 Gone.';
    return { outcome: 'gone', responseStatus: status, error, nextAt: null };
  }
  const redirect = status >= 300 && status < 400 ? ', and redirects are not followed' : '';
  const wait = Math.max(delayMs(attempt.attempts, random), askedFor(retryAfter));
  return later(`The receiver answered ${status}${redirect}.`, status, attempt, now, wait);
}

/** What it means that there was no answer. */
export function afterFailure(
  failure: unknown,
  attempt: Attempt,
  now: Date,
  random: number,
): Outcome {
  return later(reasonOf(failure), null, attempt, now, delayMs(attempt.attempts, random));
}

function later(
  error: string,
  responseStatus: number | null,
  { due_since }: Attempt,
  now: Date,
  waitMs: number,
): Outcome {
  const nextAt = new Date(now.getTime() + waitMs);
  if (nextAt.getTime() - Date.parse(due_since) > GIVE_UP_MS) {
    return { outcome: 'dead', responseStatus, error, nextAt: null };
  }
  return { outcome: 'retry', responseStatus, error, nextAt };
}

/** Retry-After in seconds, as far as it is sensible (RFC 9110, 10.2.3). */
function askedFor(retryAfter: string | undefined): number {
  return /^\d{1,6}$/.test(retryAfter ?? '')
    ? Math.min(Number(retryAfter) * 1000, LONGEST_DELAY_MS)
    : 0;
}

function reasonOf(failure: unknown): string {
  if (failure instanceof DestinationError) return `${failure.code}: ${failure.message}`;
  const { code, message } = (failure ?? {}) as { code?: unknown; message?: unknown };
  const words = [code, message].filter((word) => typeof word === 'string' && word !== '');
  return words.join(': ').slice(0, 500) || 'The attempt failed.';
}
