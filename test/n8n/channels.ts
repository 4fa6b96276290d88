import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';

import type { BatchResult, N8nInstance, Page, RunStatus } from '../../client/src/contract/index.ts';
import { until } from './child.ts';
import { manualTrigger, set } from './observedWorkflows.ts';
import type { ObservedWorld } from './observedWorld.ts';
import { recordedBy } from './recorded.ts';
import { rollcallNode, webhook, workflowOf } from './workflows.ts';

/** A workflow has it in a parameter and in its items: no reporter may let it out. */
const PAYLOAD = 'rollcall-payload-4711';
const IMPORTED = 'rollcallImport01';

/** What all that tell of this n8n have said, taken together. */
export function testChannels({ n8n, rollcall, relay, folder }: ObservedWorld): void {
  const recorded = recordedBy(rollcall);
  const sentTo = (path: string) => relay.passed.filter((one) => one.path === path);
  let instance: string;

  before(async () => {
    const file = join(folder, 'imported.json');
    const imported = { ...workflowOf('Imported', [manualTrigger]), id: IMPORTED, active: false };
    await writeFile(file, JSON.stringify(imported));
    await n8n.command('import:workflow', `--input=${file}`);
    const nodes = [
      webhook('payload'),
      set('Hold', { payload: PAYLOAD }),
      rollcallNode('Emit', 'telemetryEmit'),
    ];
    const id = await n8n.api.createWorkflow(workflowOf('Payload', nodes));
    await n8n.api.publish(id);
    assert.deepEqual(await n8n.api.callWebhook('payload'), { payload: PAYLOAD });
    const execution = await n8n.api.latest(id);
    await recorded.run(id, execution.id, 'success', ['hooks', 'otlp', 'emit']);
  });

  test('hooks and tracing name the same instance', async () => {
    const page = await rollcall.get<Page<N8nInstance>>('n8n/instances');
    const [known, ...others] = page?.items ?? [];
    assert.ok(known);
    assert.deepEqual(others, []);
    assert.equal(known.n8n_version, '2.41.1');
    instance = known.instance_id;
    const traces = sentTo('/v1/traces').filter(({ body }) => body.length > 0);
    assert.ok(traces.length > 0);
    for (const { body } of traces) assert.ok(body.includes(instance));
  });

  test('whatever n8n ran is one row, and stays one when the event log tells it all again', async () => {
    let executions = 0;
    for (const again of [false, true]) {
      if (again) await rollcall.command('n8n', 'follow-log', n8n.eventLog, '--once');
      for (const id of await n8n.api.workflows()) {
        const theirs = await n8n.api.executions(id);
        executions += theirs.length;
        for (const { id: executionId, status, mode } of theirs) {
          const expected = (status === 'canceled' ? 'cancelled' : status) as RunStatus;
          // The event log knows nothing of commands.
          const log = again && mode !== 'cli' ? (['log'] as const) : [];
          const row = await recorded.run(id, executionId, expected, ['hooks', ...log]);
          assert.equal(row.instance_id, instance);
        }
        const ours = await recorded.rows(id);
        const ids = theirs.map((one) => one.id).sort();
        assert.deepEqual(ours.map(({ execution_id }) => execution_id).sort(), ids);
      }
    }
    assert.ok(executions > 0);
  });

  test('the event log read a second time changes nothing', async () => {
    const everything = async () => {
      const { items } = (await rollcall.get<Page<object>>('executions?limit=200'))!;
      return items;
    };
    const before = await everything();
    const state = join(folder, 'another-follower.json');
    const said = await rollcall.command(
      'n8n',
      'follow-log',
      n8n.eventLog,
      '--once',
      '--state',
      state,
    );
    assert.match(said, /^Shipped 0 events; [1-9]\d* known before, 0 refused/m);
    assert.deepEqual(await everything(), before);
  });

  test('Rollcall has refused nothing of what n8n told', () => {
    for (const { answer, status } of sentTo('/api/v1/n8n/webhook')) {
      assert.equal(status, 200);
      assert.equal((JSON.parse(answer) as BatchResult).rejected, 0, answer);
    }
    for (const { status, answer } of sentTo('/v1/traces')) {
      assert.equal(status, 200);
      assert.doesNotMatch(answer, /rejected/i);
    }
  });

  test('nothing that a workflow worked with has left n8n', () => {
    assert.ok(relay.passed.some(({ body }) => body.includes('Payload')));
    for (const { path, body } of relay.passed) assert.ok(!body.includes(PAYLOAD), path);
  });

  test('what a command imported, which no hook tells, is registered with the next inventory', async () => {
    const entity = await until(
      'the inventory tells of it',
      () => rollcall.entity('workflow', IMPORTED),
      { seconds: 90 },
    );
    assert.equal(entity.entity_name, 'Imported');
    assert.equal(entity.current_state, 'inactive');
  });
}
