import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { join } from 'node:path';

import { until } from './child.ts';
import { importWorkflows } from './instance.ts';
import { ROOT } from './package.ts';
import { rollcallNode, stopAndError, webhook, workflowOf } from './workflows.ts';
import type { World } from './world.ts';

/** Every workflow in examples/, imported as it is and run; then what the server holds. */
export function testExamples({ n8n, rollcall }: World): void {
  const run = async (workflowId: string, trigger: string) => {
    const execution = await n8n.api.finished(await n8n.api.runManually(workflowId, trigger));
    assert.equal(execution.status, 'success', execution.error);
    return execution;
  };
  const output = (execution: Awaited<ReturnType<typeof run>>, node: string, index = 0) =>
    execution.nodes.find((one) => one.node === node)?.outputs[index] ?? [];

  before(async () => {
    const files = await importWorkflows(n8n, join(ROOT, 'examples'));
    assert.equal(files.length, 5);
  });

  test('01 reports an event, registers itself and finds the service that nobody registered', async () => {
    const execution = await run('rollcallHello001', 'When clicking Execute');
    const [event, ...more] = await rollcall.events({ workflow_id: 'rollcallHello001' });
    assert.equal(more.length, 0);
    assert.equal(event?.operation, 'hello');
    assert.equal(event?.status, 'success');
    assert.equal(event?.execution_id, execution.id);
    const entity = await rollcall.entity('workflow', 'rollcallHello001');
    assert.equal(entity?.entity_name, 'Hello Rollcall');
    assert.deepEqual(entity?.tags, ['example']);
    assert.ok(entity?.capabilities.includes('trigger:manual'), String(entity?.capabilities));
    assert.ok(entity?.last_activity, 'the event has moved the activity of the workflow');
    const found = output(execution, 'Something is missing').map((item) => item.id);
    const open = await rollcall.gaps({});
    assert.deepEqual(
      open.map(({ kind, entity_id }) => [kind, entity_id]),
      [['unregistered', 'greeting-service']],
    );
    assert.deepEqual(
      found,
      open.map(({ id }) => id),
    );
  });

  test('01 finds nothing missing once the service is registered, from the command line too', async () => {
    await rollcall.register({ entity_type: 'service', entity_id: 'greeting-service' });
    const execution = await run('rollcallHello001', 'When clicking Execute');
    assert.equal(output(execution, 'Nothing is missing')[0]?.all_clear, true);
    assert.deepEqual(await rollcall.gaps({}), []);
    await n8n.command('execute', '--id=rollcallHello001');
    const events = await rollcall.events({ workflow_id: 'rollcallHello001' });
    assert.deepEqual(events.map(({ metadata }) => metadata?.mode).sort(), [
      'cli',
      'manual',
      'manual',
    ]);
  });

  test('02 reports a failed execution in the name of the workflow that failed', async () => {
    await n8n.api.publish('rollcallErrors01');
    const failing = workflowOf(
      'Doomed',
      [webhook('doomed'), stopAndError('The ledger does not add up')],
      { errorWorkflow: 'rollcallErrors01' },
    );
    const id = await n8n.api.createWorkflow(failing);
    await n8n.api.publish(id);
    await n8n.api.callWebhook('doomed');
    const failed = await n8n.api.latest(id);
    assert.equal(failed.status, 'error');
    const event = await until(
      'the error is reported',
      async () => (await rollcall.events({ workflow_id: id, status: 'error' }))[0],
      { seconds: 20 },
    );
    assert.equal(event.execution_id, failed.id);
    assert.equal(event.operation, 'Fail');
    assert.match(event.error_message ?? '', /The ledger does not add up/);
    assert.equal(event.metadata?.workflow_name, 'Doomed');
  });

  test('03 reports the gaps, among them the workflow that nobody registered', async () => {
    const execution = await run('rollcallGaps0001', 'Every hour');
    const [report] = output(execution, 'Send the report');
    const open = await rollcall.gaps({ kind: 'unregistered' });
    assert.equal(open.length, 1, 'the failing workflow is unknown to the registry');
    assert.equal(report?.count_id, open.length);
    assert.equal(report?.concatenated_summary, open[0]?.summary);
    const entity = await rollcall.entity('workflow', 'rollcallGaps0001');
    assert.equal(entity?.silent_after_seconds, 7500);
  });

  test('04 times a step across nodes, and delivers when the process ends with the execution', async () => {
    await n8n.command('execute', '--id=rollcallSteps001');
    const [event] = await rollcall.events({ workflow_id: 'rollcallSteps001' });
    assert.equal(event?.operation, 'enrichment');
    assert.ok(event.duration_ms! >= 1000 && event.duration_ms! < 3000, String(event.duration_ms));
  });

  test('05 registers a team, an agent and an MCP server below it', async () => {
    await run('rollcallFleet001', 'When clicking Execute');
    const team = await rollcall.entity('team', 'sales');
    assert.deepEqual(
      team?.children.map(({ entity_type, entity_id }) => [entity_type, entity_id]).sort(),
      [
        ['agent', 'lead-scorer'],
        ['mcp_server', 'crm-mcp'],
      ],
    );
    const agent = await rollcall.entity('agent', 'lead-scorer');
    assert.deepEqual(agent?.tags, ['sales', 'ai']);
    assert.equal(agent?.current_state, 'active');
  });

  test('a published workflow registers itself as active, with its webhook', async () => {
    const id = await n8n.api.createWorkflow(
      workflowOf('Orders', [webhook('orders'), rollcallNode('Register', 'registerWorkflow')]),
    );
    await n8n.api.publish(id);
    const answer = await n8n.api.callWebhook('orders');
    assert.equal((answer as { current_state: string }).current_state, 'active');
    const entity = await rollcall.entity('workflow', id);
    assert.equal(entity?.current_state, 'active');
    assert.ok(entity.capabilities.includes('trigger:webhook'), String(entity.capabilities));
  });

  test('a manual run of a published workflow leaves its state alone', async () => {
    const trigger = { name: 'Manual', type: 'n8n-nodes-base.manualTrigger' };
    const register = rollcallNode('Register', 'registerWorkflow', { setState: true });
    const id = await n8n.api.createWorkflow(workflowOf('Manual', [trigger, register]));
    await rollcall.register({ entity_type: 'workflow', entity_id: id, current_state: 'active' });
    await run(id, 'Manual');
    assert.equal((await rollcall.entity('workflow', id))?.current_state, 'active');
  });
}
