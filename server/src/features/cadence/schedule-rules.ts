const UNITS = ['seconds', 'minutes', 'hours', 'days', 'weeks', 'months'] as const;
const MOST_RULES = 200;
const CRON = /^[\w*/,?#@-]{1,60}( [\w*/,?#@-]{1,60}){4,5}$/;

/** One rule of a schedule, as the registry keeps it in `metadata.n8n.schedules`. */
export interface ScheduleRule {
  every?: { unit: (typeof UNITS)[number]; value: number };
  /** 5 fields, or 6 with seconds first. */
  cron?: string;
  /** How much later than that it may be: n8n picks the moment itself. */
  window_seconds?: number;
  timezone?: string;
}

const LONGEST_WINDOW_SECONDS = 31 * 86_400;

/** The rules that can be read; whatever else stands there, a caller may have put it there, is left out. */
export function readRules(schedules: unknown): ScheduleRule[] {
  if (!Array.isArray(schedules)) return [];
  return schedules.slice(0, MOST_RULES).flatMap((told: unknown) => {
    if (typeof told !== 'object' || told === null) return [];
    const { every, cron, window_seconds, timezone } = told as Record<string, unknown>;
    const period = readPeriod(every);
    const pattern = typeof cron === 'string' && CRON.test(cron) ? cron : undefined;
    if (!period && pattern === undefined) return [];
    return [
      {
        ...(period && { every: period }),
        ...(pattern !== undefined && { cron: pattern }),
        ...(isWindow(window_seconds) && { window_seconds }),
        ...(isTimezone(timezone) && { timezone }),
      },
    ];
  });
}

function readPeriod(every: unknown): ScheduleRule['every'] {
  if (typeof every !== 'object' || every === null) return undefined;
  const { unit, value } = every as Record<string, unknown>;
  const known = UNITS.find((name) => name === unit);
  const isCount = typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 1e6;
  return known && isCount ? { unit: known, value } : undefined;
}

const isWindow = (seconds: unknown): seconds is number =>
  typeof seconds === 'number' && seconds > 0 && seconds <= LONGEST_WINDOW_SECONDS;

/** An IANA zone that this server knows. */
export function isTimezone(name: unknown): name is string {
  if (typeof name !== 'string' || !/^[\w+/-]{1,64}$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
