import { readRules, type ScheduleRule } from './schedule-rules.ts';
import { longestPause, nextRun } from './schedule-runs.ts';

/** What schedules say, all of them together. */
export interface ScheduleCadence {
  /** The first run after the last sign of life; null where no rule has a known time zone. */
  expected_at: Date | null;
  /** Between two runs there is no longer pause than this; null when no rule can be read. */
  longest_seconds: number | null;
  timezone: string | null;
  /** Rules that could be read. */
  rules: number;
}

/** A run may come a little before its time by the clock of whoever reports it. */
const EARLY_MS = 60_000;
/** Stands in where no zone is known: pauses are much the same everywhere, but for the turning of clocks. */
const ANY_ZONE = 'UTC';
const TURNED_CLOCK_SECONDS = 3_600;
const HOUR_MS = 3_600_000;
const DAY_SECONDS = 86_400;
const PAUSES_KEPT = 5_000;

/**
 * Works out schedules. The pauses of rules are kept: a fleet has many schedules and few different ones.
 *
 * @param now from when the longest pause is looked for
 */
export function scheduleCadence(now: Date) {
  const kept = new Map<string, number | undefined>();

  function pauseOf(rule: ScheduleRule, timezone: string): number | undefined {
    const key = JSON.stringify([rule, timezone]);
    if (!kept.has(key)) {
      if (kept.size >= PAUSES_KEPT) kept.clear();
      kept.set(key, longestPause(rule, now, timezone));
    }
    return kept.get(key);
  }

  /** @param instanceZone the zone of rules that name none, where it is known */
  return function read(
    schedules: unknown,
    since: Date,
    instanceZone: string | null,
  ): ScheduleCadence {
    let expected: number | undefined;
    let longest: number | undefined;
    let timezone: string | null = null;
    let rules = 0;
    for (const rule of readRules(schedules)) {
      const zone = rule.timezone ?? instanceZone ?? undefined;
      const run = attempt(() => {
        const pauseMs = pauseOf(rule, zone ?? ANY_ZONE);
        const after = rule.cron === undefined ? since : new Date(since.getTime() + EARLY_MS);
        return { pauseMs, next: nextRun(rule, after, zone ?? ANY_ZONE) };
      });
      if (run?.pauseMs === undefined) continue;
      rules += 1;
      timezone ??= zone ?? null;
      const isByDay = rule.cron !== undefined && run.pauseMs >= DAY_SECONDS * 1000;
      const slack = zone === undefined && isByDay ? TURNED_CLOCK_SECONDS : 0;
      const window = rule.window_seconds ?? 0;
      longest = Math.min(longest ?? Infinity, run.pauseMs / 1000 + slack + window);
      // Of short intervals the pause says it all; and of a moment that n8n picks, early one time and late the next.
      const isKnown = rule.cron === undefined ? run.pauseMs > HOUR_MS : zone !== undefined;
      const isFixed = isKnown && window === 0;
      if (isFixed && run.next) expected = Math.min(expected ?? Infinity, run.next.getTime());
    }
    // Where the time of day is not known, the longest pause alone says by when.
    const bound = since.getTime() + (longest ?? Infinity) * 1000 + EARLY_MS + HOUR_MS;
    return {
      expected_at: expected !== undefined && expected <= bound ? new Date(expected) : null,
      longest_seconds: longest ?? null,
      timezone,
      rules,
    };
  };
}

/** Undefined where the pattern is none: what stands in metadata may come from anybody. */
function attempt<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
