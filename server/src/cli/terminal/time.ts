import { InvalidArgumentError } from 'commander';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const pad = (number: number, digits = 2): string => String(number).padStart(digits, '0');

const localDay = (time: Date): string =>
  `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())}`;

const localClock = (time: Date): string =>
  `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;

/** Local date and time to the second. */
export function localTime(iso: string): string {
  const time = new Date(iso);
  return `${localDay(time)} ${localClock(time)}`;
}

/** Local time to the millisecond; with the date unless it is today's. */
export function clockTime(iso: string, now = new Date()): string {
  const time = new Date(iso);
  const clock = `${localClock(time)}.${pad(time.getMilliseconds(), 3)}`;
  return localDay(time) === localDay(now) ? clock : `${localDay(time)} ${clock}`;
}

/** How long ago, for people; the date from a month on. */
export function ago(iso: string | null, now = Date.now()): string {
  if (iso === null) return 'never';
  const past = now - Date.parse(iso);
  if (past < 10_000) return 'just now';
  if (past < 2 * MINUTE_MS) return `${Math.floor(past / 1000)} s ago`;
  if (past < 2 * HOUR_MS) return `${Math.floor(past / MINUTE_MS)} min ago`;
  if (past < 2 * DAY_MS) return `${Math.floor(past / HOUR_MS)} h ago`;
  if (past < 30 * DAY_MS) return `${Math.floor(past / DAY_MS)} days ago`;
  return localDay(new Date(iso));
}

export function duration(milliseconds: number): string {
  if (milliseconds < 10) return `${Number(milliseconds.toFixed(1))} ms`;
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < MINUTE_MS) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${Math.floor(milliseconds / MINUTE_MS)} min ${Math.floor((milliseconds % MINUTE_MS) / 1000)} s`;
}

const UNITS_MS: Record<string, number> = { m: MINUTE_MS, h: HOUR_MS, d: DAY_MS, w: 7 * DAY_MS };
const DAY = /^\d{4}-\d\d-\d\d$/;
const MOMENT = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/;

/**
 * A moment to come: `90d`, `12h`, `30m` or `2w` from now, a date (the start of that day here), or a date and
 * time (here, unless it has an offset). Answers ISO 8601 in UTC.
 * @throws InvalidArgumentError
 */
export const parseMoment = (text: string, now = Date.now()): string => momentFrom(text, now, 1);

/**
 * A moment that has been: as `parseMoment` has it, but a span reaches back from now.
 * @throws InvalidArgumentError
 */
export const parsePast = (text: string, now = Date.now()): string => momentFrom(text, now, -1);

function momentFrom(text: string, now: number, direction: 1 | -1): string {
  const [, amount, unit] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  const time =
    unit !== undefined
      ? new Date(now + direction * Number(amount) * (UNITS_MS[unit] ?? 0))
      : new Date(DAY.test(text) ? `${text}T00:00` : MOMENT.test(text) ? text : NaN);
  if (Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError(
      'Give a date (2026-12-31), a time, or a span such as 90d or 12h.',
    );
  }
  return time.toISOString();
}
