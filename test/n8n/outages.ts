import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { until } from './child.ts';
import { answers500, answersHtml, drips, hangs } from './faultyServer.ts';
import { set } from './observedWorkflows.ts';
import type { ObservedWorld } from './observedWorld.ts';
import { recordedBy } from './recorded.ts';
import { webhook, workflowOf } from './workflows.ts';

const CALLS = 20;
/** What a median may rise by on a busy machine; one wait for a server that hangs lasts far longer. */
const HELD_UP_MS = 1000;
/** n8n's own work at its end, 2 s of the hooks, and the last tries of the tracing exporter. */
const STOP_MS = 15_000;

/** An n8n whose Rollcall is in trouble: it runs as ever, and what ran is told later. */
export function testOutages({ n8n, rollcall, relay }: ObservedWorld): void {
  const recorded = recordedBy(rollcall);
  let workflow: string;
  let healthy: number;

  const median = (values: number[]): number =>
    values.sort((one, other) => one - other)[Math.floor(values.length / 2)]!;
  /** Median of the milliseconds until the webhook's caller has its answer. */
  const calls = async (count: number): Promise<number> => {
    const answered: number[] = [];
    for (let call = 0; call < count; call += 1) {
      const started = performance.now();
      const body = await n8n.api.callWebhook('outage');
      answered.push(performance.now() - started);
      assert.deepEqual(body, { answered: true });
    }
    return Math.round(median(answered) * 10) / 10;
  };
  /** Waits until Rollcall has every run of the workflow that n8n has, each once and as a success. */
  const allRecorded = async (): Promise<void> => {
    const executions = await n8n.api.executions(workflow);
    const ids = executions.map(({ id }) => id).sort();
    const rows = await until(
      `${ids.length} runs are recorded`,
      async () => {
        const all = await recorded.rows(workflow);
        return all.length >= ids.length ? all : undefined;
      },
      { seconds: 90 },
    );
    assert.deepEqual(rows.map(({ execution_id }) => execution_id).sort(), ids);
    assert.ok(rows.every(({ status }) => status === 'success'));
  };

  before(async () => {
    const nodes = [
      webhook('outage'),
      set('Think', { thought: true }),
      set('Answer', { answered: true }),
    ];
    workflow = await n8n.api.createWorkflow(workflowOf('Through an outage', nodes));
    await n8n.api.publish(workflow);
    await calls(5);
    healthy = await calls(CALLS);
    console.log(`  healthy: callers have their answer after ${healthy} ms (median of ${CALLS})`);
    await allRecorded();
  });

  test('the server is killed half-way and started again: no run is missing, none is there twice', async () => {
    await calls(CALLS / 2);
    await rollcall.kill();
    const meanwhile = await calls(CALLS / 2);
    console.log(`  killed: ${meanwhile} ms`);
    assert.ok(meanwhile <= healthy + HELD_UP_MS);
    await rollcall.startAgain();
    await allRecorded();
  });

  const troubles = {
    hangs: () => relay.answerWith(hangs),
    'drips an answer without an end': () => relay.answerWith(drips),
    'answers 500': () => relay.answerWith(answers500),
    'answers HTML': () => relay.answerWith(answersHtml),
    'is absent': () => relay.leave(),
  };
  for (const [trouble, strike] of Object.entries(troubles)) {
    test(`a server that ${trouble} slows no execution down`, async () => {
      await strike();
      const troubled = await calls(CALLS);
      console.log(`  ${trouble}: ${troubled} ms`);
      assert.ok(troubled <= healthy + HELD_UP_MS, `${troubled} ms against ${healthy} ms`);
    });
  }

  test('once it is well again, all that ran in the meantime arrives', async () => {
    await relay.recover();
    await allRecorded();
  });

  test('n8n ends in time and well, although the server hangs', async () => {
    relay.answerWith(hangs);
    await calls(CALLS);
    const started = Date.now();
    const code = await n8n.stop();
    console.log(`  n8n ended after ${Date.now() - started} ms`);
    assert.equal(code, 0);
    assert.ok(Date.now() - started < STOP_MS);
  });
}
