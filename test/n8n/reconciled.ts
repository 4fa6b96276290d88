import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Gap } from '../../client/src/contract/index.ts';
import { until } from './child.ts';
import type { ConnectedWorld } from './connectedWorld.ts';
import {
  COURIER,
  DOOMED,
  DRAFT,
  DRAFT_WORKFLOW,
  HOURLY,
  ORDERS,
  BILLING,
  PARCEL,
  PRICING,
  TELLER,
  UNKNOWN_SERVICE,
  WORKFLOWS,
} from './connectedWorkflows.ts';

/** From address and key on, the requirement's limit. */
const FIRST_FINDING_SECONDS = 90;

/** What exists, what is registered and what was observed: every difference is a gap, and each gap has its fix. */
export function testReconciled({ n8n, rollcall, fleet }: ConnectedWorld): void {
  /** The fix closes the gap, its undo opens the same one again. */
  async function fixedAndUndone(gap: Gap, ...options: string[]): Promise<void> {
    const fixed = await fleet.fix(gap, ...options);
    assert.equal(fixed.gap.state, 'closed', fixed.gap.summary);
    assert.deepEqual(await fleet.gaps({ kind: gap.kind, id: gap.entity_id }), []);
    const undone = await fleet.undo(fixed);
    assert.deepEqual([undone.gap.id, undone.gap.state], [gap.id, 'open']);
  }

  /** Deletes it in n8n, which unpublishes in the background and refuses until it has. */
  async function deleted(id: string): Promise<void> {
    await n8n.api.archive(id);
    const remove = async () => {
      await n8n.api.deleteWorkflow(id);
      return true;
    };
    await until(`${id} is deleted`, remove, { seconds: 30 });
  }

  test(`the first finding is there ${FIRST_FINDING_SECONDS} seconds after address and key were given`, async () => {
    await fleet.import(WORKFLOWS);
    for (const { id } of WORKFLOWS) await n8n.api.publish(id);
    assert.deepEqual(await rollcall.gaps({}), []);
    const given = performance.now();
    await fleet.connect();
    // Nobody asks for a check: the server looks by itself.
    const [first] = await until(
      'the first finding',
      async () => {
        const found = await rollcall.gaps({});
        return found.length > 0 ? found : undefined;
      },
      { seconds: FIRST_FINDING_SECONDS },
    );
    const seconds = ((performance.now() - given) / 1000).toFixed(1);
    console.log(`  ${seconds} s after address and key: ${first?.kind}, ${first?.summary}`);
    assert.equal(first?.kind, 'unreported');
  });

  test('each workflow that nobody registered is one, with what shows it', async () => {
    const gaps = await fleet.gaps({});
    assert.deepEqual(
      gaps.map(({ kind, grade, entity_id }) => [kind, grade, entity_id]).sort(),
      WORKFLOWS.map(({ id }) => ['unreported', 'certain', id]).sort(),
    );
    const { instance_id } = await fleet.connect();
    const orders = gaps.find(({ entity_id }) => entity_id === ORDERS);
    assert.equal(orders?.evidence.instance_id, instance_id);
    assert.equal(orders?.evidence.n8n_state, 'active');
  });

  test('one call registers it as n8n has it, and can be taken back', async () => {
    await fixedAndUndone(await fleet.gap('unreported', PRICING));
    assert.equal(await rollcall.entity('workflow', PRICING), undefined);
  });

  test('what it calls and nobody registered yet stands above what is broken by that', async () => {
    const [billing] = await fleet.gaps({ kind: 'unreported', id: BILLING });
    await fleet.fix(await fleet.gap('unreported', ORDERS));
    const broken = await fleet.gap('broken_dependency', ORDERS, 'inhibited');
    assert.equal(broken.inhibited_by, billing?.id);
  });

  test('one call registers all of them, and the next inventory brings what they hold', async () => {
    await fleet.registered();
    assert.deepEqual(await fleet.gaps({}), []);
    const orders = await rollcall.entity('workflow', ORDERS);
    assert.equal(orders?.entity_name, 'Orders');
    assert.equal(orders?.current_state, 'active');
    assert.ok(orders?.capabilities.includes('webhook:orders'), orders?.capabilities.join());
    assert.deepEqual(
      orders?.depends_on.map(({ entity_id }) => entity_id),
      [BILLING],
    );
    assert.ok((await rollcall.entity('workflow', HOURLY))?.metadata.n8n);
  });

  test('what is imported behind its back is found by the next inventory, published or not', async () => {
    await fleet.import([DRAFT_WORKFLOW]);
    const gap = await fleet.gap('unreported', DRAFT);
    assert.equal(gap.grade, 'certain');
    await fixedAndUndone(gap);
    await fleet.fix(gap);
    assert.equal((await rollcall.entity('workflow', DRAFT))?.current_state, 'inactive');
  });

  test('one that is edited in n8n has drifted: that is accepted, or put back in n8n', async () => {
    const before = await n8n.api.workflow(PRICING);
    const [hook, end] = before.nodes;
    assert.ok(hook && end);
    const edited = { ...end, parameters: { note: 'changed' }, type: 'n8n-nodes-base.set' };
    await n8n.api.updateWorkflow(PRICING, {
      name: before.name,
      nodes: [hook, edited],
      connections: before.connections,
      settings: before.settings,
    });
    const gap = await fleet.gap('drifted', PRICING);
    assert.deepEqual([gap.grade, gap.severity], ['certain', 'warning']);
    assert.equal(gap.evidence.registered_version, before.versionId);
    await fixedAndUndone(gap);

    const nodes = async () => (await n8n.api.workflow(PRICING)).nodes.map(({ type }) => type);
    const restored = await fleet.fix(gap, '--action', 'restore');
    assert.equal(restored.gap.state, 'closed');
    assert.deepEqual(await nodes(), [hook.type, end.type]);
    assert.equal((await n8n.api.workflow(PRICING)).active, true);
    await fleet.sync();
    assert.deepEqual(await fleet.gaps({ id: PRICING }), []);
    const undone = await fleet.undo(restored);
    assert.deepEqual([undone.gap.id, undone.gap.state], [gap.id, 'open']);
    assert.deepEqual(await nodes(), [hook.type, edited.type]);
    await fleet.fix(gap);
  });

  test('one that is deleted in n8n is missing', async () => {
    await deleted(DOOMED);
    const gap = await fleet.gap('missing', DOOMED);
    assert.deepEqual([gap.grade, gap.severity], ['certain', 'critical']);
    await fixedAndUndone(gap);
    await fleet.fix(gap);
    assert.equal((await rollcall.entity('workflow', DOOMED))?.current_state, 'deleted');
  });

  test('one that calls a deleted workflow has a broken dependency', async () => {
    await deleted(PARCEL);
    await fleet.fix(await fleet.gap('missing', PARCEL));
    const gap = await fleet.gap('broken_dependency', COURIER);
    assert.deepEqual([gap.grade, gap.severity], ['certain', 'critical']);
    assert.equal(gap.evidence.target_id, PARCEL);
    await fixedAndUndone(gap, '--action', 'drop_dependency');
    await fleet.fix(gap, '--action', 'drop_dependency');
  });

  test('what a run talks to and nobody registered is unregistered', async () => {
    await n8n.api.callWebhook('teller');
    await until(
      'the event is there',
      async () => (await rollcall.events({ target_id: UNKNOWN_SERVICE }))[0],
      { seconds: 30 },
    );
    const gap = await fleet.gap('unregistered', UNKNOWN_SERVICE);
    assert.equal(gap.grade, 'certain');
    assert.equal(gap.evidence.last_peer, TELLER);
    await fixedAndUndone(gap);
    await fleet.fix(gap);
  });

  test('then nothing is left', async () => {
    await fleet.sync();
    assert.deepEqual(await fleet.gaps({}), []);
  });
}
