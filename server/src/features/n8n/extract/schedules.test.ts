import { extractWorkflow } from './extract.ts';

function schedulesIn(name: string, parameters: unknown, settings: unknown = {}) {
  const nodes = [{ name: 'Clock', type: `n8n-nodes-base.${name}`, parameters }];
  const { schedules, capabilities } = extractWorkflow({ nodes, settings });
  const words = capabilities.filter((token) => token.startsWith('schedule:'));
  return { schedules: schedules.map(({ node: _node, ...timing }) => timing), words };
}

function every(unit: string, value: number) {
  return { unit, value };
}

test.each([
  [{ field: 'seconds', secondsInterval: 20 }, { every: every('seconds', 20) }, 'every-20-seconds'],
  [{ field: 'minutes' }, { every: every('minutes', 5) }, 'every-5-minutes'],
  [{ field: 'hours', triggerAtMinute: 10 }, { every: every('hours', 1) }, 'every-hour'],
  [{}, { every: every('days', 1), cron: '0 0 * * *' }, 'every-day'],
  [
    { field: 'days', daysInterval: 3, triggerAtHour: 9, triggerAtMinute: 30 },
    { every: every('days', 3), cron: '30 9 * * *' },
    'every-3-days',
  ],
  [
    { field: 'weeks', triggerAtDay: [5, 1], triggerAtHour: 8 },
    { every: every('weeks', 1), cron: '0 8 * * 1,5' },
    'every-week',
  ],
  [{ field: 'weeks' }, { every: every('weeks', 1), cron: '0 0 * * 0' }, 'every-week'],
  [
    { field: 'weeks', triggerAtDay: [] },
    { every: every('weeks', 1), cron: '0 0 * * *' },
    'every-week',
  ],
  [
    { field: 'months', monthsInterval: '2', triggerAtDayOfMonth: 15 },
    { every: every('months', 2), cron: '0 0 15 * *' },
    'every-2-months',
  ],
  [{ field: 'cronExpression', expression: '0  9 * * 1' }, { cron: '0 9 * * 1' }, 'cron:0_9_*_*_1'],
  [{ field: 'cronExpression', expression: '=0 9 * * 1' }, { cron: '0 9 * * 1' }, 'cron:0_9_*_*_1'],
  [{ field: 'cronExpression', expression: '={{ $vars.CRON }}' }, {}, 'dynamic'],
  [{ field: 'minutes', minutesInterval: '={{ $vars.N }}' }, {}, 'dynamic'],
  [{ field: 'minutes', minutesInterval: 0 }, {}, 'dynamic'],
  [{ field: 'days', triggerAtHour: '={{ 3 }}' }, { every: every('days', 1) }, 'every-day'],
])('Schedule Trigger: %j', (rule, timing, word) => {
  expect(schedulesIn('scheduleTrigger', { rule: { interval: [rule] } })).toEqual({
    schedules: [timing],
    words: [`schedule:${word}`],
  });
});

const DAY = 86_400;
const ANY_TIME = { every: every('days', 1), cron: '0 0 * * *', window_seconds: DAY };

// What n8n 2.41 makes of these parameters: it fills in 0 for what is left out, and picks what is null.
test.each([
  [{ field: 'days', triggerAtHour: null }, { ...ANY_TIME }],
  [
    { field: 'days', triggerAtHour: 7, triggerAtMinute: null },
    { every: every('days', 1), cron: '0 7 * * *', window_seconds: 3600 },
  ],
  [
    { field: 'hours', triggerAtMinute: null },
    { every: every('hours', 1), window_seconds: 3600 },
  ],
  [
    { field: 'weeks', triggerAtDay: [1], triggerAtHour: null },
    { every: every('weeks', 1), cron: '0 0 * * 1', window_seconds: DAY },
  ],
  [
    { field: 'months', triggerAtDayOfMonth: null },
    { every: every('months', 1), cron: '0 0 1 * *', window_seconds: 28 * DAY },
  ],
  [{ field: null, triggerAtHour: 9 }, ANY_TIME],
  [{ field: 'fortnights', triggerAtHour: 9 }, ANY_TIME],
  [{ field: '={{ $vars.FIELD }}' }, {}],
])('Schedule Trigger that leaves the time to n8n: %j', (rule, timing) => {
  expect(schedulesIn('scheduleTrigger', { rule: { interval: [rule] } }).schedules).toEqual([
    timing,
  ]);
});

test.each([{ rule: {} }, { rule: null }])(
  'and one whose rules were all taken away: %j',
  (parameters) => {
    expect(schedulesIn('scheduleTrigger', parameters)).toEqual({
      schedules: [ANY_TIME],
      words: ['schedule:every-day'],
    });
  },
);

test('a Schedule Trigger without a rule runs daily, with an empty list never', () => {
  const daily = { every: every('days', 1), cron: '0 0 * * *' };
  expect(schedulesIn('scheduleTrigger', undefined).schedules).toEqual([daily]);
  expect(schedulesIn('scheduleTrigger', { rule: { interval: [] } }).schedules).toEqual([]);
});

test.each([
  [{ mode: 'everyMinute' }, { every: every('minutes', 1) }, 'every-minute'],
  [{ mode: 'everyHour', minute: 5 }, { every: every('hours', 1) }, 'every-hour'],
  [{ hour: 7, minute: 5 }, { every: every('days', 1), cron: '5 7 * * *' }, 'every-day'],
  [
    { mode: 'everyWeek', hour: 7, weekday: '3' },
    { every: every('weeks', 1), cron: '0 7 * * 3' },
    'every-week',
  ],
  [
    { mode: 'everyMonth', dayOfMonth: 2 },
    { every: every('months', 1), cron: '0 14 2 * *' },
    'every-month',
  ],
  [{ mode: 'everyX', value: 4 }, { every: every('hours', 4) }, 'every-4-hours'],
  [
    { mode: 'custom', cronExpression: '0 */5 * * * *' },
    { cron: '0 */5 * * * *' },
    'cron:0_*/5_*_*_*_*',
  ],
])('the older Cron node: %j', (item, timing, word) => {
  expect(schedulesIn('cron', { triggerTimes: { item: [item] } })).toEqual({
    schedules: [timing],
    words: [`schedule:${word}`],
  });
});

test('the older Interval node', () => {
  expect(schedulesIn('interval', { interval: 15, unit: 'minutes' })).toEqual({
    schedules: [{ every: every('minutes', 15) }],
    words: ['schedule:every-15-minutes'],
  });
  expect(schedulesIn('interval', {}).schedules).toEqual([{ every: every('seconds', 1) }]);
});

test('every rule of a node is there, in the zone that the settings name', () => {
  const rule = { interval: [{ field: 'hours' }, { field: 'minutes', minutesInterval: 10 }] };
  const timezone = 'Europe/Berlin';
  expect(schedulesIn('scheduleTrigger', { rule }, { timezone }).schedules).toEqual([
    { every: every('hours', 1), timezone },
    { every: every('minutes', 10), timezone },
  ]);
  expect(
    schedulesIn('interval', { interval: 2 }, { timezone: 'DEFAULT' }).schedules[0],
  ).not.toHaveProperty('timezone');
});

test('text that is no cron expression stays inside', () => {
  const interval = [{ field: 'cronExpression', expression: 'password=hunter2;' }];
  const { schedules, words } = schedulesIn('scheduleTrigger', { rule: { interval } });
  expect({ schedules, words }).toEqual({ schedules: [{}], words: ['schedule:dynamic'] });
});
