import { Cron } from 'croner';
import type { ScheduleRule } from './schedule-rules.ts';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const UNIT_MS = {
  seconds: SECOND_MS,
  minutes: 60 * SECOND_MS,
  hours: HOUR_MS,
  days: DAY_MS,
  weeks: 7 * DAY_MS,
  months: 31 * DAY_MS,
} as const;
/** Runs and days that are looked through for the longest pause of a rule. */
const MOST_RUNS = 1_500;
const LEAST_DAYS = 15;
const COARSE_RUNS = 24 * LEAST_DAYS;

/** The first run after `after`, in the zone `timezone`; undefined when there is none. */
export function nextRun(rule: ScheduleRule, after: Date, timezone: string): Date | undefined {
  const { every, cron } = rule;
  if (cron === undefined) {
    const pauseMs = intervalOf(rule);
    return pauseMs === undefined ? undefined : afterInterval(after, pauseMs, timezone);
  }
  const job = new Cron(cron, { timezone, paused: true, mode: '5-or-6-parts' });
  let at = job.nextRun(after);
  if (!every || every.value === 1) return at ?? undefined;
  // Cron plus a recurrence check, as n8n does it; a leap year or a long year delays by one period at most.
  const last = wallClock(after, timezone);
  for (let tries = 0; at && tries < 2_000; tries++) {
    if (isDue(every, last, wallClock(at, timezone))) return at;
    at = job.nextRun(at);
  }
  return undefined;
}

/** The pause of a rule without a cron pattern. Where the hour of the day is not known, it may be a day longer. */
function intervalOf({ every }: ScheduleRule): number | undefined {
  if (!every) return undefined;
  const unitMs = UNIT_MS[every.unit];
  return every.value * unitMs + (unitMs >= DAY_MS ? DAY_MS : 0);
}

/** A pause of whole hours is one on the wall clock: it may be an hour longer when clocks are turned. */
function afterInterval(after: Date, pauseMs: number, timezone: string): Date {
  const then = new Date(after.getTime() + pauseMs);
  if (pauseMs <= HOUR_MS) return then;
  return new Date(then.getTime() + Math.abs(offsetOf(then, timezone) - offsetOf(after, timezone)));
}

interface WallClock {
  dayOfYear: number;
  week: number;
  month: number;
}

/** n8n's check: by day of the year, by week of the year from Sunday, by months since the year 0. */
function isDue(
  every: NonNullable<ScheduleRule['every']>,
  last: WallClock,
  now: WallClock,
): boolean {
  switch (every.unit) {
    case 'days':
      return (now.dayOfYear - last.dayOfYear + 365) % 365 >= every.value;
    case 'weeks':
      return (now.week - last.week + 52) % 52 >= every.value || now.week === last.week;
    case 'months':
      return now.month - last.month >= every.value;
    default:
      return true;
  }
}

function wallClock(at: Date, timezone: string): WallClock {
  const local = new Date(at.getTime() + offsetOf(at, timezone));
  const year = local.getUTCFullYear();
  const newYear = Date.UTC(year, 0, 1);
  const dayOfYear = Math.floor((local.getTime() - newYear) / DAY_MS) + 1;
  const week = Math.floor((dayOfYear - 1 + new Date(newYear).getUTCDay()) / 7) + 1;
  const daysLeft = (Date.UTC(year + 1, 0, 1) - newYear) / DAY_MS - dayOfYear;
  // The days before a Sunday-to-Saturday week that holds the first of January belong to it.
  const isInFirstWeek = daysLeft < new Date(Date.UTC(year + 1, 0, 1)).getUTCDay();
  return { dayOfYear, week: isInFirstWeek ? 1 : week, month: year * 12 + local.getUTCMonth() };
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** What a zone is ahead of UTC at a moment, in milliseconds. */
function offsetOf(at: Date, timezone: string): number {
  const format =
    formats.get(timezone) ??
    new Intl.DateTimeFormat('en', { timeZone: timezone, timeZoneName: 'longOffset' });
  formats.set(timezone, format);
  const name = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign, hours = '0', minutes = '0'] = /([+-])(\d\d):(\d\d)/.exec(name) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

/** The longest pause between two runs of a rule, in milliseconds; undefined when it never runs twice. */
export function longestPause(rule: ScheduleRule, from: Date, timezone: string): number | undefined {
  if (rule.cron === undefined) return intervalOf(rule);
  const fine = pauses(rule, from, timezone, MOST_RUNS, LEAST_DAYS * DAY_MS);
  if (!fine || fine.seenMs >= LEAST_DAYS * DAY_MS) return fine?.longest;
  // So many runs that two weeks do not fit: hours without any run are looked for instead.
  const hourly = `0 ${rule.cron.split(' ').slice(-4).join(' ')}`;
  const coarse = pauses({ cron: hourly }, from, timezone, COARSE_RUNS, LEAST_DAYS * DAY_MS);
  if (!coarse || coarse.longest <= HOUR_MS) return fine.longest;
  return Math.max(fine.longest, coarse.longest + HOUR_MS);
}

function pauses(
  rule: ScheduleRule,
  from: Date,
  timezone: string,
  most: number,
  leastMs: number,
): { longest: number; seenMs: number } | undefined {
  let last = nextRun(rule, from, timezone);
  const first = last;
  let longest = 0;
  for (let runs = 0; first && last && runs < most; runs++) {
    const next = nextRun(rule, last, timezone);
    if (!next) return longest > 0 ? { longest, seenMs: Infinity } : undefined;
    longest = Math.max(longest, next.getTime() - last.getTime());
    last = next;
    const seenMs = last.getTime() - first.getTime();
    // A dozen runs of anything rarer show a whole year of a monthly schedule.
    if (seenMs >= leastMs && runs >= 14) return { longest, seenMs };
  }
  return first && last ? { longest, seenMs: last.getTime() - first.getTime() } : undefined;
}
