import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { until } from './child.ts';
import type { ConnectedWorld } from './connectedWorld.ts';
import { SCOPES } from './connectedFleet.ts';
import { BILLING, INTAKE, ORDERS, SLOW, TICKER } from './connectedWorkflows.ts';

const ROLLCALL_NODE = /^n8n-nodes-rollcall\./;

/** Fixes that n8n carries out: whether they hold is asked of n8n itself. */
export function testMended({ n8n, rollcall, fleet }: ConnectedWorld): void {
  const runs = async (path: string) => (await fetch(`${n8n.api.url}/webhook/${path}`)).ok;
  const active = async (id: string) => (await n8n.api.workflow(id)).active;

  const weakKey = () =>
    n8n.api.createApiKey(SCOPES.filter((scope) => scope !== 'workflow:activate'));

  before(() => fleet.registered());

  test('a sub-workflow that is deactivated in n8n is published there again, and so is what calls it well', async () => {
    assert.ok(await n8n.api.callWebhook('orders'));
    await n8n.api.unpublish(BILLING);
    assert.equal(await runs('orders'), false);
    const gap = await fleet.gap('broken_dependency', ORDERS);
    assert.deepEqual([gap.grade, gap.evidence.target_state], ['certain', 'inactive']);

    const fixed = await fleet.fix(gap);
    assert.deepEqual([fixed.action, fixed.gap.state], ['reactivate', 'closed']);
    assert.equal(await active(BILLING), true);
    assert.equal(await runs('orders'), true);

    const undone = await fleet.undo(fixed);
    assert.deepEqual([undone.gap.id, undone.gap.state], [gap.id, 'open']);
    assert.equal(await active(BILLING), false);
    await fleet.sync();
    assert.equal((await fleet.fix(await fleet.gap('broken_dependency', ORDERS))).status, 'done');
    assert.equal(await active(BILLING), true);
  });

  test('an uninstrumented workflow gets its nodes in n8n, and loses them by the undo', async () => {
    const plain = await n8n.api.workflow(INTAKE);
    // Without the runs that went well, n8n’s own record tells too little.
    await fleet.change({ saves_no_success: true });
    const gap = await fleet.gap('uninstrumented', INTAKE);
    assert.equal(gap.grade, 'certain');

    const tried = await fleet.fix(gap, '--dry-run');
    assert.ok(tried.changes.some(({ field }) => field === 'nodes.Rollcall start'));
    assert.deepEqual((await n8n.api.workflow(INTAKE)).versionId, plain.versionId);

    const fixed = await fleet.fix(gap);
    assert.deepEqual([fixed.action, fixed.gap.state], ['instrument', 'closed']);
    const instrumented = await n8n.api.workflow(INTAKE);
    const inserted = instrumented.nodes.filter(({ type }) => ROLLCALL_NODE.test(type));
    assert.ok(inserted.length >= 3, inserted.map(({ name }) => name).join());
    // Published, not left as a draft.
    assert.equal(instrumented.activeVersionId, instrumented.versionId);

    const undone = await fleet.undo(fixed);
    assert.deepEqual([undone.gap.id, undone.gap.state], [gap.id, 'open']);
    const { nodes, connections, settings } = await n8n.api.workflow(INTAKE);
    assert.deepEqual({ nodes, connections, settings }, pick(plain));
    assert.deepEqual(await fleet.gaps({ kind: 'drifted' }), []);
  });

  test('instrumented, it tells of its runs, and its own registration hides no later drift', async () => {
    const gap = await fleet.gap('uninstrumented', INTAKE);
    await fleet.fix(gap);
    const by = (await rollcall.entity('workflow', INTAKE))?.registered_by;
    await n8n.api.callWebhook('intake');
    await until(
      'both events are there',
      async () => {
        const told = (await rollcall.events({ workflow_id: INTAKE })).map((one) => one.operation);
        return (
          ['workflow.started', 'workflow.finished'].every((each) => told.includes(each)) ||
          undefined
        );
      },
      { seconds: 30 },
    );
    await fleet.sync();
    assert.deepEqual(await fleet.gaps({ id: INTAKE }), []);
    assert.equal((await rollcall.entity('workflow', INTAKE))?.registered_by, by);

    const { name, nodes, connections, settings } = await n8n.api.workflow(INTAKE);
    const changed = nodes.map((node) =>
      node.name === 'Done' ? { ...node, type: 'n8n-nodes-base.set' } : node,
    );
    await n8n.api.updateWorkflow(INTAKE, { name, nodes: changed, connections, settings });
    const drifted = await fleet.gap('drifted', INTAKE);
    assert.equal(drifted.grade, 'certain');
    assert.equal((await fleet.fix(drifted)).gap.state, 'closed');
    await fleet.change({ saves_no_success: false });
    await fleet.sync();
    assert.deepEqual(await fleet.gaps({ kind: 'uninstrumented' }), []);
  });

  test('changes that nobody has published in n8n do not go live by a fix', async () => {
    await fleet.change({ saves_no_success: true });
    const gap = await fleet.gap('uninstrumented', SLOW);
    const { versionId, ...slow } = await n8n.api.workflow(SLOW);
    const unfinished = { ...pickAll(slow), nodes: slow.nodes.slice(0, 1), connections: {} };
    await n8n.api.saveDraft(SLOW, unfinished);
    const draft = await n8n.api.workflow(SLOW);
    assert.notEqual(draft.versionId, versionId);
    assert.equal(draft.activeVersionId, versionId);
    await assert.rejects(fleet.fix(gap), /not published/);
    assert.deepEqual(await n8n.api.workflow(SLOW), draft);
    await n8n.api.updateWorkflow(SLOW, pickAll(slow));
    await fleet.change({ saves_no_success: false });
    await fleet.sync();
    assert.deepEqual(await fleet.gaps({ id: SLOW }), []);
  });

  test('with a key that may not publish nothing is changed, not even unpublished', async () => {
    await fleet.change({ saves_no_success: true, api_key: await weakKey() });
    const gap = await fleet.gap('uninstrumented', TICKER);
    const ticker = await n8n.api.workflow(TICKER);
    await assert.rejects(fleet.fix(gap), /does not let this API key use workflows/);
    const { activeVersionId, ...now } = await n8n.api.workflow(TICKER);
    assert.equal(activeVersionId, ticker.activeVersionId);
    assert.deepEqual(pickAll(now), pickAll(ticker));
    const strong = await n8n.api.createApiKey(SCOPES);
    await fleet.change({ saves_no_success: false, api_key: strong });
  });

  test('a run that takes far longer than usual is stuck, until it ends', async () => {
    const slow = (seconds: number) => n8n.api.callWebhook(`slow?seconds=${seconds}`);
    for (let count = 0; count < 5; count += 1) {
      await slow(0);
      await until(
        `run ${count + 1} has ended`,
        async () => (await n8n.api.executions(SLOW)).length > count || undefined,
        { seconds: 30 },
      );
    }
    await slow(60);
    const { id } = await n8n.api.latestThatIs('running', SLOW);
    rollcall.advance(0.5);
    const gap = await fleet.gap('stuck', SLOW);
    assert.deepEqual([gap.grade, gap.severity, gap.evidence.ended_runs], ['likely', 'warning', 5]);
    const muted = await fleet.fix(gap, '--action', 'mute', '--reason', 'known', '--until', '30d');
    assert.equal(muted.gap.state, 'muted');
    assert.equal((await fleet.undo(muted)).gap.state, 'open');
    await n8n.api.stop(id);
    await until(
      'n8n has ended it',
      async () => (await n8n.api.executions(SLOW)).some((one) => one.id === id) || undefined,
      { seconds: 30 },
    );
    await fleet.sync();
    assert.deepEqual(await fleet.gaps({ kind: 'stuck' }), []);
  });
}

type Content = { nodes: unknown; connections: unknown; settings: unknown };
const pick = ({ nodes, connections, settings }: Content) => ({ nodes, connections, settings });
const pickAll = ({ name, ...content }: Content & { name: string }) => ({ name, ...pick(content) });
