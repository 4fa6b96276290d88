import { BASE_PACKAGE } from './nodeType.ts';
import { printable } from './tokens.ts';
import type { WorkflowNode } from './shape.ts';
import { at, list, literal, stated } from './values.ts';

const UNITS = ['seconds', 'minutes', 'hours', 'days', 'weeks', 'months'] as const;
export type ScheduleUnit = (typeof UNITS)[number];

/**
 * One rule of a schedule. `cron` says at which moments it may run; where `every` is there too, it
 * runs at the first such moment of each period (n8n does the same: cron plus a recurrence check).
 * Neither is there when an expression decides, or when the rule is not one that n8n accepts.
 */
export interface Schedule {
  node: string;
  every?: { unit: ScheduleUnit; value: number };
  /** As written, 5 or 6 fields (seconds first), or made from a day, hour and minute: 5 fields. */
  cron?: string;
  /** n8n picks the moment itself, so many seconds at most after the one that the rest says. */
  window_seconds?: number;
  /** IANA name; the instance's own when left out. */
  timezone?: string;
}

type Timing = Pick<Schedule, 'every' | 'cron' | 'window_seconds'>;

/** n8n's own defaults of Schedule Trigger, for parameters that the editor did not write. */
const DEFAULT_INTERVALS: Readonly<Record<ScheduleUnit, number>> = {
  seconds: 30,
  minutes: 5,
  hours: 1,
  days: 1,
  weeks: 1,
  months: 1,
};

/** The rules of a Schedule Trigger, of the older Cron and Interval nodes; none for other nodes. */
export function schedulesOf(node: WorkflowNode, settings: Record<string, unknown>): Schedule[] {
  const zone = literal(at(settings, 'timezone'));
  const timezone =
    zone !== undefined && zone !== 'DEFAULT' && /^[\w+/-]{1,64}$/.test(zone)
      ? { timezone: zone }
      : {};
  return timings(node).map((timing) => ({ node: printable(node.name), ...timing, ...timezone }));
}

function timings({ fullType, parameters }: WorkflowNode): Timing[] {
  switch (fullType) {
    case `${BASE_PACKAGE}.scheduleTrigger`: {
      const rules = at(parameters, 'rule', 'interval');
      if (rules !== undefined) return list(rules).map(scheduleRule);
      return at(parameters, 'rule') === undefined ? [scheduleRule({})] : [ANY_TIME_OF_DAY];
    }
    case `${BASE_PACKAGE}.cron`:
      return triggerTimes(at(parameters, 'triggerTimes'));
    case `${BASE_PACKAGE}.interval`:
      return [every(at(parameters, 'unit') ?? 'seconds', at(parameters, 'interval'), 1)];
    default:
      return [];
  }
}

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 24 * HOUR_SECONDS;
/** The 1st to the 28th. */
const PICKED_DAYS = 28;

/** Where n8n is told no rule, or one of no kind that it knows, it fills in nothing and picks the time of day itself. */
const ANY_TIME_OF_DAY: Timing = {
  every: { unit: 'days', value: 1 },
  cron: '0 0 * * *',
  window_seconds: DAY_SECONDS,
};

/** n8n fills in its defaults for what is left out, but picks what is null: at random, or from the node's id. */
function windowOf(rule: unknown, unit: ScheduleUnit): Pick<Timing, 'window_seconds'> {
  const isPicked = (field: string) => at(rule, field) === null;
  if (unit === 'months' && isPicked('triggerAtDayOfMonth')) {
    return { window_seconds: PICKED_DAYS * DAY_SECONDS };
  }
  if (unit !== 'hours' && isPicked('triggerAtHour')) return { window_seconds: DAY_SECONDS };
  return isPicked('triggerAtMinute') ? { window_seconds: HOUR_SECONDS } : {};
}

function scheduleRule(rule: unknown): Timing {
  const told = at(rule, 'field');
  const field = stated(told === undefined ? 'days' : told);
  if (field.kind === 'expression') return {};
  if (field.kind === 'absent') return ANY_TIME_OF_DAY;
  if (field.text === 'cronExpression') return cron(at(rule, 'expression'));
  const unit = UNITS.find((name) => name === field.text);
  if (unit === undefined) return ANY_TIME_OF_DAY;
  const period = every(unit, at(rule, `${unit}Interval`), DEFAULT_INTERVALS[unit]);
  if (unit === 'seconds' || unit === 'minutes') return period;
  const window = windowOf(rule, unit);
  if (unit === 'hours') return { ...period, ...window };
  const time = timeOfDay(at(rule, 'triggerAtMinute'), at(rule, 'triggerAtHour'), 0);
  const weekday = unit === 'weeks' ? weekdays(at(rule, 'triggerAtDay')) : '*';
  const monthDay = unit === 'months' ? whole(at(rule, 'triggerAtDayOfMonth'), 1, 31, 1) : '*';
  if (time === undefined || weekday === undefined || monthDay === undefined) return period;
  return { ...period, cron: `${time} ${monthDay} * ${weekday}`, ...window };
}

/** `triggerTimes` of the Cron node and `pollTimes` of polling triggers: the same collection. */
export function triggerTimes(times: unknown): Timing[] {
  return list(at(times, 'item')).map((item) => {
    const mode = literal(at(item, 'mode')) ?? 'everyDay';
    if (mode === 'custom') return cron(at(item, 'cronExpression') ?? '* * * * * *');
    if (mode === 'everyX') return every(at(item, 'unit') ?? 'hours', at(item, 'value'), 2);
    if (mode === 'everyMinute') return every('minutes', 1, 1);
    if (mode === 'everyHour') return every('hours', 1, 1);
    const time = timeOfDay(at(item, 'minute'), at(item, 'hour'), 14);
    const monthDay = mode === 'everyMonth' ? whole(at(item, 'dayOfMonth'), 1, 31, 1) : '*';
    const weekday = mode === 'everyWeek' ? whole(at(item, 'weekday'), 0, 7, 1) : '*';
    const unit = mode === 'everyMonth' ? 'months' : mode === 'everyWeek' ? 'weeks' : 'days';
    if (time === undefined || monthDay === undefined || weekday === undefined) return {};
    return { ...every(unit, 1, 1), cron: `${time} ${monthDay} * ${weekday}` };
  });
}

/** A tidy word for a cadence: `every-day`, `every-15-minutes`, `cron:0_9_*_*_1`, `dynamic`. */
export function cadence({ every: period, cron: expression }: Timing): string {
  if (period !== undefined) {
    const { unit, value } = period;
    return value === 1 ? `every-${unit.slice(0, -1)}` : `every-${value}-${unit}`;
  }
  return expression === undefined ? 'dynamic' : `cron:${expression.replaceAll(' ', '_')}`;
}

function every(unit: unknown, interval: unknown, fallback: number): Timing {
  const known = UNITS.find((name) => name === literal(unit));
  const value = whole(interval, 1, 1_000_000, fallback);
  return known === undefined || value === undefined ? {} : { every: { unit: known, value } };
}

function cron(expression: unknown): Timing {
  const text = literal(expression)?.slice(0, 200).replace(/\s+/g, ' ');
  const isCron = text !== undefined && /^[\w*/,?#@ -]{1,100}$/.test(text);
  return isCron ? { cron: text } : {};
}

function timeOfDay(minute: unknown, hour: unknown, defaultHour: number): string | undefined {
  const minutes = whole(minute, 0, 59, 0);
  const hours = whole(hour, 0, 23, defaultHour);
  return minutes === undefined || hours === undefined ? undefined : `${minutes} ${hours}`;
}

/** n8n reads no choice of days as Sunday, and an empty choice as every day. */
function weekdays(days: unknown): string | undefined {
  if (days === undefined) return '0';
  if (!Array.isArray(days)) return undefined;
  const numbers = days.slice(0, 7).map((day: unknown) => whole(day, 0, 7, 0));
  if (numbers.includes(undefined)) return undefined;
  return numbers.length === 0 ? '*' : [...new Set(numbers)].sort().join(',');
}

/** A whole number in range, `fallback` when nothing is said, `undefined` when it cannot be told. */
function whole(value: unknown, least: number, most: number, fallback: number): number | undefined {
  const said = stated(value);
  if (said.kind === 'absent') return fallback;
  const number = /^\d{1,9}$/.test(said.text) ? Number(said.text) : Number.NaN;
  return number >= least && number <= most ? number : undefined;
}
