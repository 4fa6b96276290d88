import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { Cron } from 'croner';

import { extractWorkflow } from '../../server/src/features/n8n/extract/extract.ts';
import type { InstalledN8n } from './install.ts';

const TYPE = 'n8n-nodes-base.scheduleTrigger';
const BASE = 'n8n-nodes-base/dist/nodes/Schedule';
const IDS = ['first', 'second', 'third', 'fourth', 'fifth'];
const WINTER = new Date('2026-01-14T12:00:00Z');

const one = (rule: object) => ({ rule: { interval: [rule] } });

/** Parameters of a Schedule Trigger, and whether n8n picks the time of day by itself. */
const CASES: [parameters: object, picks: boolean][] = [
  [{}, false],
  [{ rule: { interval: [] } }, false],
  [one({}), false],
  [one({ field: 'days' }), false],
  [one({ field: 'days', daysInterval: 3, triggerAtHour: 9, triggerAtMinute: 30 }), false],
  [one({ triggerAtHour: '7' }), false],
  [one({ field: 'weeks' }), false],
  [one({ field: 'weeks', triggerAtDay: [1, 5], triggerAtHour: 8 }), false],
  [one({ field: 'weeks', triggerAtDay: [] }), false],
  [one({ field: 'months', triggerAtDayOfMonth: 15 }), false],
  [one({ field: 'cronExpression', expression: '30 6 * * 1-5' }), false],
  [{ rule: {} }, true],
  [{ rule: null }, true],
  [one({ field: 'days', triggerAtHour: null }), true],
  [one({ field: 'days', triggerAtHour: 7, triggerAtMinute: null }), true],
  [one({ field: 'weeks', triggerAtDay: [1], triggerAtHour: null }), true],
  [one({ field: 'months', triggerAtDayOfMonth: null }), true],
  [one({ field: 'fortnights', triggerAtHour: 9 }), true],
  [one({ field: null, triggerAtHour: 9 }), true],
];

/** What Rollcall reads in schedules, beside what n8n's own code makes of them. */
export function testSchedules(installed: InstalledN8n): void {
  const cronsOf = n8nCrons(installed);
  for (const [parameters, picks] of CASES) {
    test(`a Schedule Trigger with ${JSON.stringify(parameters)}`, () => {
      const nodes = [{ name: 'Clock', type: TYPE, parameters }];
      const { schedules } = extractWorkflow({ nodes });
      const crons = IDS.map((id) => cronsOf(id, parameters));
      for (const own of crons) assert.equal(own.length, schedules.length);
      for (const [index, { cron = '', window_seconds = 0 }] of schedules.entries()) {
        assert.equal(window_seconds > 0, picks);
        const begins = runAfter(cron, WINTER);
        const moments = crons.map((own) => runAfter(own[index] ?? '', begins));
        for (const moment of moments) {
          // n8n picks the second of every run.
          const late = (moment.getTime() - begins.getTime()) / 1000;
          assert.ok(late < window_seconds + 60, `${late} s after ${begins.toISOString()}`);
        }
        const minutes = new Set(moments.map((moment) => moment.toISOString().slice(0, 16)));
        assert.equal(minutes.size > 1, picks);
      }
    });
  }
}

/** The first run at this moment or after it. */
function runAfter(cron: string, at: Date): Date {
  const before = new Date(at.getTime() - 1000);
  const run = new Cron(cron, { timezone: 'UTC', paused: true }).nextRun(before);
  assert.ok(run, cron);
  return run;
}

/** Asks n8n: its workflow fills in parameters, its node makes cron patterns of them. */
function n8nCrons({ folder }: InstalledN8n) {
  const load = createRequire(join(folder, 'package.json'));
  const { Workflow } = load('n8n-workflow') as {
    Workflow: new (workflow: object) => {
      getNode(name: string): { parameters: { rule?: { interval?: object[] } } };
    };
  };
  const { ScheduleTrigger } = load(`${BASE}/ScheduleTrigger.node.js`) as {
    ScheduleTrigger: new () => object;
  };
  const { withIntervalDefaults, toCronExpression } = load(`${BASE}/GenericFunctions.js`) as {
    withIntervalDefaults: (interval: object) => object;
    toCronExpression: (interval: object, nodeKey: string) => string;
  };
  const node = new ScheduleTrigger();
  const nodeTypes = { getByName: () => node, getByNameAndVersion: () => node };

  return (id: string, parameters: object): string[] => {
    const clock = { id, name: 'Clock', type: TYPE, typeVersion: 1.2, position: [0, 0], parameters };
    const workflow = new Workflow({
      ...{ id, name: id, active: true, nodes: [clock], connections: {}, nodeTypes, settings: {} },
    });
    const { interval = [{}] } = workflow.getNode('Clock').parameters.rule ?? {};
    return interval.map((rule) => toCronExpression(withIntervalDefaults(rule), `${id}:${id}`));
  };
}
