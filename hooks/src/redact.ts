import { MAY_BE_SECRET, SECRET_KEYS, SECRET_VALUES } from '../../client/src/contract/index.ts';
import { field, keys, lengthOf, list, text } from './read.ts';

const HIDDEN = '[redacted]';
/** Looked at before it is cut, so that no half of a key stays. */
const LOOKED_AT = 4_000;

/** Text with what looks like a key, a token or an e-mail address taken out, at most `longest` characters. */
export function redacted(value: unknown, longest: number): string | undefined {
  const whole = text(value, LOOKED_AT);
  if (whole === undefined || !MAY_BE_SECRET.test(whole)) return whole?.slice(0, longest);
  const clean = SECRET_VALUES.reduce((rest, pattern) => rest.replace(pattern, HIDDEN), whole);
  return text(clean, longest);
}

const DEPTH = 6;
const MOST_KEYS = 50;
const MOST_ELEMENTS = 20;
const LONGEST_TEXT = 1_000;

/**
 * A small copy of a value that a workflow processed, for operators who ask for payloads: secrets taken out by key and
 * by value, six levels deep, and of each level only the beginning.
 */
export function redactedCopy(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redacted(value, LONGEST_TEXT) ?? '';
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null) return null;
  if (depth >= DEPTH) return '[deep]';
  if (lengthOf(value) !== undefined) {
    return list(value, MOST_ELEMENTS).map((element) => redactedCopy(element, depth + 1));
  }
  return Object.fromEntries(
    keys(value, MOST_KEYS).flatMap((key) => {
      const name = redacted(key, 100);
      if (name === undefined || name === '__proto__') return [];
      return [[name, isSecretKey(key) ? HIDDEN : redactedCopy(field(value, key), depth + 1)]];
    }),
  );
}

function isSecretKey(key: string): boolean {
  const name = key.toLowerCase().replace(/[^a-z0-9]/g, '');
  return name.endsWith('token') || SECRET_KEYS.some((part) => name.includes(part));
}
