import type { Fields, Reading, Refusal } from './heard.ts';

/** Clocks of other machines may be ahead by this much. */
const AHEAD_MS = 3_600_000;
const LONGEST_ID = 255;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An own field, so that names such as `constructor` reach nothing; of what is no object, nothing. */
export const field = (value: unknown, name: string): unknown =>
  isFields(value) && Object.hasOwn(value, name) ? value[name] : undefined;

/** Text as the database holds it: no NUL, no half of a surrogate pair; at most so many UTF-16 units. */
export function storable(text: string, longest: number): string {
  const clean = text.includes('\0') ? text.replaceAll('\0', ' ') : text;
  const clipped = clean.length > longest ? clean.slice(0, longest) : clean;
  // What is cut in two at the end goes altogether.
  return (
    clipped.length < clean.length ? clipped.replace(/[\ud800-\udbff]$/, '') : clipped
  ).toWellFormed();
}

/** The first of these fields that is a text with something in it. */
export function text(value: unknown, longest: number, ...names: string[]): string | undefined {
  for (const name of names) {
    const said = field(value, name);
    if (typeof said === 'string' && said.trim() !== '') return storable(said, longest);
  }
  return undefined;
}

/** The first of these fields that can be an id: n8n's are texts, its examples and older versions have numbers. */
export function id(value: unknown, ...names: string[]): string | undefined {
  for (const name of names) {
    const said = field(value, name);
    const told = typeof said === 'number' && Number.isSafeInteger(said) ? String(said) : said;
    if (typeof told !== 'string' || told === '' || told.length > LONGEST_ID) continue;
    if (!told.includes('\0') && told.isWellFormed()) return told;
  }
  return undefined;
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

export const isUuid = (said: string): boolean => UUID.test(said);

/** An event's own id where it can be no other thing's: a workflow's, say. */
export function ownUuid(event: unknown): string | undefined {
  const given = id(event, 'id') ?? id(event, 'event_id');
  return given !== undefined && isUuid(given) ? given : undefined;
}

/** A whole number from 0. */
export function count(value: unknown, ...names: string[]): number | undefined {
  for (const name of names) {
    const said = field(value, name);
    if (typeof said === 'number' && said >= 0 && said <= 1e12) return Math.round(said);
  }
  return undefined;
}

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;

/** A moment as ISO 8601 with an offset, or as milliseconds since 1970; in UTC. Undefined for anything else. */
export function moment(said: unknown): string | undefined {
  const usable =
    typeof said === 'number' || (typeof said === 'string' && said.length <= 64 && ISO.test(said));
  const time = usable ? new Date(said) : undefined;
  return time && time.getTime() >= 0 && time.getUTCFullYear() <= 9999
    ? time.toISOString()
    : undefined;
}

/** When an event was, by the first of these fields; now when it does not say. Refused: no moment, or in the future. */
export function momentOf(item: unknown, { now }: Reading, ...names: string[]): string | Refusal {
  for (const path of names) {
    const said = field(item, path);
    if (said === undefined || said === null) continue;
    const at = moment(said);
    if (at === undefined) {
      const message = 'must be ISO 8601 with an offset, such as 2026-01-31T12:00:00Z';
      return { code: 'invalid_format', path, message };
    }
    return tooEarly(at, path, now) ?? at;
  }
  return now.toISOString();
}

export function tooEarly(at: string, path: string, now: Date): Refusal | undefined {
  return Date.parse(at) > now.getTime() + AHEAD_MS
    ? {
        code: 'timestamp_in_future',
        path,
        message: 'is more than an hour ahead of the server’s clock',
      }
    : undefined;
}

/** What is there of it. */
export const present = <Value extends object>(value: {
  [Key in keyof Value]: Value[Key] | undefined;
}): Value =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Value;
