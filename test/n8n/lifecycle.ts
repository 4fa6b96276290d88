import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import type {
  EntityDetail,
  N8nKnownWorkflow,
  N8nLifecycleEvent,
  Page,
  N8nWorkflowKind,
} from '../../client/src/contract/index.ts';
import { until } from './child.ts';
import { everySecond, set } from './observedWorkflows.ts';
import type { ObservedWorld } from './observedWorld.ts';
import { recordedBy } from './recorded.ts';
import type { Passed } from './relay.ts';
import { webhook, workflowOf } from './workflows.ts';

/** A workflow's life in n8n, and after each step what the registry says of it. */
export function testLifecycle({ n8n, rollcall, relay }: ObservedWorld): void {
  const recorded = recordedBy(rollcall);
  let id: string;
  const orders = [webhook('lifecycle'), set('Answer', { answered: true })];

  const listed = async (workflowId: string, deleted: boolean) =>
    (
      await rollcall.get<Page<N8nKnownWorkflow>>(
        `n8n/workflows?workflow_id=${workflowId}&deleted=${deleted}`,
      )
    )?.items[0];
  /** Waits until the registry agrees; a step that is told by nobody times out. */
  const registered = (what: string, holds: (entity: EntityDetail) => boolean, workflowId = id) =>
    until(
      `the registry: ${what}`,
      async () => {
        const entity = await rollcall.entity('workflow', workflowId);
        return entity && holds(entity) ? entity : undefined;
      },
      { seconds: 10 },
    );
  const isIn = (state: string, workflowId = id) =>
    registered(state, ({ current_state }) => current_state === state, workflowId);
  /** Waits until the list of n8n's workflows says so too. */
  const row = (what: Partial<N8nKnownWorkflow>, { workflowId = id, deleted = false } = {}) =>
    until(
      `the list of workflows: ${JSON.stringify(what)}`,
      async () => {
        const found = await listed(workflowId, deleted);
        return found && isDeepStrictEqual({ ...found, ...what }, found) ? found : undefined;
      },
      { seconds: 10 },
    );
  /** How often n8n's hooks have sent this kind of event of the workflow. */
  const told = (kind: N8nWorkflowKind): number =>
    lifecycleEvents(relay.passed).filter(
      (event) => event.kind === kind && 'workflow' in event && event.workflow.id === id,
    ).length;

  test('what stood in n8n before it started is in the registry, with nothing done for it', async () => {
    const entity = await isIn('inactive', 'rollcallGaps0001');
    assert.equal(entity.entity_name, 'Hourly gap report');
    assert.ok(entity.capabilities.includes('trigger:schedule'), String(entity.capabilities));
    const known = { active: false, archived: false, registered: true };
    await row({ ...known, state_cause: 'inventory' }, { workflowId: 'rollcallGaps0001' });
  });

  test('created', async () => {
    id = await n8n.api.createWorkflow(workflowOf('Orders', orders));
    const entity = await isIn('inactive');
    assert.equal(entity.entity_name, 'Orders');
    assert.ok(entity.capabilities.includes('trigger:webhook'), String(entity.capabilities));
    await row({ name: 'Orders', active: false, archived: false, deleted_at: null });
    assert.equal(told('workflow.created'), 1);
  });

  test('renamed, and given a schedule', async () => {
    const changed = workflowOf('Orders, hourly', [{ ...everySecond, name: 'Often' }, ...orders]);
    await n8n.api.updateWorkflow(id, changed);
    const entity = await registered('renamed', (it) => it.entity_name === 'Orders, hourly');
    assert.ok(entity.capabilities.includes('trigger:schedule'), String(entity.capabilities));
    assert.equal(entity.current_state, 'inactive');
    await n8n.api.updateWorkflow(id, workflowOf('Orders', orders));
    const back = await registered('renamed back', (it) => it.entity_name === 'Orders');
    assert.ok(!back.capabilities.includes('trigger:schedule'), String(back.capabilities));
    assert.equal(told('workflow.updated'), 2);
  });

  test('published', async () => {
    await n8n.api.publish(id);
    await isIn('active');
    await row({ active: true });
    assert.ok(told('workflow.activated') >= 1);
    await n8n.api.callWebhook('lifecycle');
    const run = await recorded.run(id, (await n8n.api.latest(id)).id, 'success', ['hooks', 'otlp']);
    const entity = await rollcall.entity('workflow', id);
    assert.equal(run.workflow_version, entity?.version);
    assert.ok(Date.parse(entity?.last_activity ?? '') >= Date.parse(run.started_at ?? ''));
  });

  test('changed while published: n8n publishes it again, and it stays active', async () => {
    const before = await rollcall.entity('workflow', id);
    const changed = [webhook('lifecycle'), set('Answer', { answered: 'differently' })];
    await n8n.api.updateWorkflow(id, workflowOf('Orders, live', changed));
    const renamed = await registered('renamed', (it) => it.entity_name === 'Orders, live');
    assert.equal(renamed.current_state, 'active');
    const { version } = await registered('published', (it) => it.version !== before?.version);
    await row({ active: true, version_id: version, active_version_id: version });
  });

  test('unpublished', async () => {
    await n8n.api.unpublish(id);
    await isIn('inactive');
    await row({ active: false });
    assert.equal(told('workflow.deactivated'), 1);
  });

  test('archived and brought back', async () => {
    await n8n.api.archive(id);
    await isIn('archived');
    await row({ archived: true });
    await n8n.api.unarchive(id);
    await isIn('inactive');
    await row({ archived: false });
  });

  test('archived while published, where n8n says nothing of unpublishing', async () => {
    await n8n.api.publish(id);
    await isIn('active');
    await n8n.api.archive(id);
    await isIn('archived');
    await row({ archived: true, active: false });
    assert.equal(told('workflow.deactivated'), 1);
  });

  test('deleted', async () => {
    await until('n8n deletes it', async () => (await n8n.api.deleteWorkflow(id), true), {
      seconds: 30,
    });
    await isIn('deleted');
    await row({ state: 'deleted' }, { deleted: true });
    assert.equal(told('workflow.deleted'), 1);
    assert.equal((await recorded.rows(id)).length, 1, 'what it ran can still be read');
  });

  test('each step of its life is in its history, in order', async () => {
    const page = await rollcall.get<{ items: { to_state: string }[] }>(
      `entities/workflow/${id}/state`,
    );
    assert.deepEqual(page?.items.map(({ to_state }) => to_state).reverse(), [
      'inactive',
      'active',
      'inactive',
      'archived',
      'inactive',
      'active',
      'archived',
      'deleted',
    ]);
  });
}

/** What the hooks have sent so far. */
function lifecycleEvents(passed: Passed[]): N8nLifecycleEvent[] {
  return passed
    .filter(({ path }) => path.startsWith('/api/v1/n8n/webhook'))
    .flatMap(({ body }) => JSON.parse(body.toString()) as N8nLifecycleEvent[]);
}
