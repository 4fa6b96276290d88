import { readRules } from './schedule-rules.ts';
import { scheduleCadence } from './schedule-cadence.ts';
import { longestPause, nextRun } from './schedule-runs.ts';

const HOUR_MS = 3_600_000;
const BERLIN = 'Europe/Berlin';
const NEW_YORK = 'America/New_York';
const every = (
  value: number,
  unit: 'seconds' | 'minutes' | 'hours' | 'days' | 'weeks' | 'months',
) => ({
  every: { unit, value },
});

test.each([
  ['every 30 seconds', every(30, 'seconds'), 'UTC', '2026-03-01T10:00:05Z', '2026-03-01T10:00:35Z'],
  ['every 5 minutes', every(5, 'minutes'), 'UTC', '2026-03-01T10:00:00Z', '2026-03-01T10:05:00Z'],
  ['every 2 hours', every(2, 'hours'), BERLIN, '2026-03-01T10:10:00Z', '2026-03-01T12:10:00Z'],
  [
    'every 2 hours while clocks are turned',
    every(2, 'hours'),
    BERLIN,
    '2026-10-25T00:10:00Z',
    '2026-10-25T03:10:00Z',
  ],
  [
    'daily at 9 in Berlin, in winter',
    { ...every(1, 'days'), cron: '0 9 * * *' },
    BERLIN,
    '2026-03-27T12:00:00Z',
    '2026-03-28T08:00:00Z',
  ],
  [
    'daily at 9 in Berlin, across the change to summer',
    { ...every(1, 'days'), cron: '0 9 * * *' },
    BERLIN,
    '2026-03-28T12:00:00Z',
    '2026-03-29T07:00:00Z',
  ],
  [
    'daily at an hour that is left out runs right after it',
    { ...every(1, 'days'), cron: '30 2 * * *' },
    BERLIN,
    '2026-03-28T12:00:00Z',
    '2026-03-29T01:00:00Z',
  ],
  [
    'daily at an hour that comes twice runs once',
    { ...every(1, 'days'), cron: '30 1 * * *' },
    NEW_YORK,
    '2026-11-01T05:31:00Z',
    '2026-11-02T06:30:00Z',
  ],
  [
    'every 3 days, across the new year',
    { ...every(3, 'days'), cron: '0 6 * * *' },
    'UTC',
    '2025-12-30T06:00:10Z',
    '2026-01-02T06:00:00Z',
  ],
  [
    'every 2 weeks on two days: the other day of the same week',
    { ...every(2, 'weeks'), cron: '0 8 * * 1,5' },
    'UTC',
    '2026-03-02T08:00:10Z',
    '2026-03-06T08:00:00Z',
  ],
  [
    'every 2 weeks on two days: the week after next',
    { ...every(2, 'weeks'), cron: '0 8 * * 1,5' },
    'UTC',
    '2026-03-06T08:00:10Z',
    '2026-03-16T08:00:00Z',
  ],
  [
    'every 2 months',
    { ...every(2, 'months'), cron: '0 0 15 * *' },
    'UTC',
    '2025-12-15T00:00:10Z',
    '2026-02-15T00:00:00Z',
  ],
  [
    'cron of six fields',
    { cron: '*/15 30 8 * * MON-FRI' },
    'UTC',
    '2026-03-06T09:00:00Z',
    '2026-03-09T08:30:00Z',
  ],
])('the next run of %s', (_name, rule, zone, after, expected) => {
  expect(nextRun(rule, new Date(after), zone)?.toISOString()).toBe(
    new Date(expected).toISOString(),
  );
});

const MARCH = new Date('2026-03-01T00:00:00Z');

test.each([
  ['every 5 minutes', every(5, 'minutes'), HOUR_MS / 12],
  ['daily', { ...every(1, 'days'), cron: '0 9 * * *' }, 24 * HOUR_MS],
  ['on workdays', { cron: '0 9 * * 1-5' }, 72 * HOUR_MS],
  ['on the 31st', { ...every(1, 'months'), cron: '0 0 31 * *' }, 61 * 24 * HOUR_MS],
  ['every five minutes of office hours', { cron: '*/5 9-17 * * 1-5' }, 63 * HOUR_MS + 300_000],
  ['every ten seconds', { cron: '*/10 * * * * *' }, 10_000],
])('the longest pause of what runs %s', (_name, rule, expected) => {
  expect(longestPause(rule, MARCH, 'UTC')).toBe(expected);
});

describe('several rules', () => {
  const read = scheduleCadence(MARCH);
  const since = new Date('2026-03-02T10:00:00Z');

  test('expect the earliest of their runs, each in its own zone', () => {
    const schedules = [
      { node: 'a', every: { unit: 'days', value: 1 }, cron: '0 9 * * *', timezone: BERLIN },
      { node: 'b', cron: '0 20 * * *' },
    ];
    expect(read(schedules, since, NEW_YORK)).toEqual({
      expected_at: new Date('2026-03-03T01:00:00Z'),
      longest_seconds: 24 * 3600,
      timezone: BERLIN,
      rules: 2,
    });
  });

  test('without a zone are known by their longest pause alone, and an hour for turned clocks', () => {
    expect(read([{ cron: '0 9 * * *' }], since, null)).toEqual({
      expected_at: null,
      longest_seconds: 25 * 3600,
      timezone: null,
      rules: 1,
    });
  });

  test.each([
    ['a time of day', { cron: '0 0 * * *', window_seconds: 86_400 }, 2 * 86_400],
    ['a minute', { cron: '0 7 * * *', window_seconds: 3_600 }, 25 * 3_600],
    ['a minute of each hour', { every: { unit: 'hours', value: 1 }, window_seconds: 3_600 }, 7_200],
  ])('of which n8n picks %s expect no moment, and bear its window', (_name, rule, longest) => {
    expect(read([{ ...rule, timezone: BERLIN }], since, null)).toEqual({
      expected_at: null,
      longest_seconds: longest,
      timezone: BERLIN,
      rules: 1,
    });
  });

  test('bear no window that makes no sense', () => {
    const cron = '0 9 * * *';
    for (const window_seconds of [-1, 0, 1e12, '5', null])
      expect(readRules([{ cron, window_seconds }])).toEqual([{ cron }]);
  });

  test.each([
    ['nothing', undefined],
    ['what only a run can tell', [{ node: 'a' }]],
    ['a day that never comes', [{ cron: '0 0 30 2 *', timezone: 'UTC' }]],
    ['no cron pattern', [{ cron: '99 99 * * *' }, { cron: '; drop table' }, 7, null]],
    [
      'senseless periods',
      [{ every: { unit: 'aeons', value: 1 } }, { every: { unit: 'days', value: -1 } }],
    ],
  ])('that say %s are none', (_name, schedules) => {
    expect(read(schedules, since, null)).toMatchObject({
      expected_at: null,
      longest_seconds: null,
      rules: 0,
    });
  });

  test('with an unknown zone of their own are read without it', () => {
    expect(readRules([{ cron: '0 9 * * *', timezone: 'Mars/Olympus' }])).toEqual([
      { cron: '0 9 * * *' },
    ]);
  });
});
