import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { freePort } from './child.ts';
import { answers500, answersHtml, drips, hangs, startFaulty } from './faultyServer.ts';
import type { FinishedExecution } from './n8nExecutions.ts';
import { rollcallNode, webhook, workflowOf } from './workflows.ts';
import type { World } from './world.ts';

/** What an execution may last longer than with a healthy server: the wait at its end, and jitter. */
const HELD_UP_MS = 2000 + 1000;
const NODE_MS = 500;
/** Two starts of n8n differ by this much on a busy machine; a request lasts far longer. */
const PROCESS_JITTER_MS = 2000;

const SERVERS = {
  'hangs without an answer': hangs,
  'drips an answer without an end': drips,
  'answers 500': answers500,
  'answers HTML': answersHtml,
};

interface Call {
  execution: FinishedExecution;
  /** Milliseconds until the webhook's caller has its answer. */
  answered: number;
  body: unknown;
}

/** A workflow with three emitting nodes lives on, whatever stands where Rollcall should be. */
export function testFaults({ n8n, rollcall }: World): void {
  let count = 0;
  let healthy: Call;

  const publish = async (baseUrl: string, nodes: (credential: string) => object[]) => {
    const path = `trouble-${++count}`;
    const credential = await n8n.api.createCredential(path, { baseUrl, apiKey: rollcall.apiKey });
    const chain = [webhook(path), ...(nodes(credential) as ReturnType<typeof webhook>[])];
    const id = await n8n.api.createWorkflow(workflowOf(path, chain));
    await n8n.api.publish(id);
    return async (): Promise<Call> => {
      const started = Date.now();
      const body = await n8n.api.callWebhook(`${path}?order=7`);
      const answered = Date.now() - started;
      return { execution: await n8n.api.latest(id), answered, body };
    };
  };
  const emitting = (credential: string) =>
    ['Emit 1', 'Emit 2', 'Emit 3'].map((name) =>
      rollcallNode(name, 'telemetryEmit', {}, { credential }),
    );
  const unharmed = ({ execution, answered, body }: Call, what: string): void => {
    assert.equal(execution.status, 'success');
    assert.equal((body as { query: { order: string } }).query.order, '7');
    const slowest = Math.max(
      ...execution.nodes.filter(({ node }) => node !== 'Webhook').map((node) => node.executionTime),
    );
    console.log(
      `  ${what}: slowest node ${slowest} ms, execution ${execution.duration} ms, caller answered after ${answered} ms`,
    );
    assert.equal(execution.nodes.length, 4);
    assert.ok(slowest < NODE_MS, `a node waited ${slowest} ms`);
    assert.ok(execution.duration <= healthy.execution.duration + HELD_UP_MS);
    assert.ok(answered <= healthy.answered + HELD_UP_MS);
  };

  before(async () => {
    const call = await publish(rollcall.url, emitting);
    await call();
    healthy = await call();
    const events = await rollcall.events({ workflow_id: healthy.execution.workflowId });
    assert.equal(events.length, 6);
  });

  test('a healthy server, for comparison', () => unharmed(healthy, 'healthy'));

  for (const [trouble, answer] of Object.entries(SERVERS)) {
    test(`a server that ${trouble} changes nothing`, async () => {
      const server = await startFaulty(answer);
      try {
        const call = await publish(server.url, emitting);
        await call();
        unharmed(await call(), trouble);
        assert.ok(server.requests() >= 6);
      } finally {
        await server.stop();
      }
    });
  }

  test('a refused connection changes nothing', async () => {
    const call = await publish(`http://127.0.0.1:${await freePort()}`, emitting);
    await call();
    unharmed(await call(), 'refused');
  });

  test('a command-line run of a workflow that cannot report ends no more than 2 s later', async () => {
    const trigger = { name: 'Manual', type: 'n8n-nodes-base.manualTrigger' };
    const timed = async (baseUrl: string): Promise<number> => {
      const credential = await n8n.api.createCredential('cli', {
        baseUrl,
        apiKey: rollcall.apiKey,
      });
      const nodes = [trigger, ...emitting(credential)];
      const id = await n8n.api.createWorkflow(workflowOf('From the command line', nodes));
      const started = Date.now();
      await n8n.command('execute', `--id=${id}`);
      return Date.now() - started;
    };
    const server = await startFaulty(hangs);
    const [well, badly] = [await timed(rollcall.url), await timed(server.url)];
    await server.stop();
    console.log(
      `  command line: ${well} ms with a healthy server, ${badly} ms with one that hangs`,
    );
    assert.ok(badly <= well + HELD_UP_MS + PROCESS_JITTER_MS);
  });

  test('a node that requires delivery fails, and says why', async () => {
    const server = await startFaulty(answers500);
    const options = { delivery: 'required', timeout: 2000 };
    const call = await publish(server.url, (credential) => [
      rollcallNode('Emit', 'telemetryEmit', { options }, { credential }),
    ]);
    const { execution } = await call();
    await server.stop();
    assert.equal(execution.status, 'error');
    assert.match(execution.error ?? '', /Rollcall answered 500: Internal error/);
  });

  test('Register Workflow and Check Gaps fail with a reason, and may be told to continue', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const onError = { onError: 'continueRegularOutput' };
    for (const type of ['registerWorkflow', 'checkGaps'] as const) {
      const strict = await publish(url, (credential) => [
        rollcallNode('Ask', type, {}, { credential }),
      ]);
      const { execution } = await strict();
      assert.equal(execution.status, 'error');
      assert.match(execution.error ?? '', /Rollcall did not answer/);

      const lenient = await publish(url, (credential) => [
        rollcallNode('Ask', type, {}, { credential, more: onError }),
      ]);
      const call = await lenient();
      assert.equal(call.execution.status, 'success');
      assert.deepEqual(call.body, { error: 'Rollcall did not answer' });
    }
  });
}
