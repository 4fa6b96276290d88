import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import type { GapSimulation } from '../../client/src/contract/index.ts';
import type { ConnectedWorld } from './connectedWorld.ts';
import { HOURLY, TICKER } from './connectedWorkflows.ts';

/** What should have run by now and has not, by a clock that is put forward. Ends n8n, and starts it again. */
export function testSilence({ n8n, rollcall, fleet }: ConnectedWorld): void {
  const active = async (id: string) => (await n8n.api.workflow(id)).active;

  before(() => fleet.registered());

  test('a simulation says when a schedule would fall silent, and writes nothing', async () => {
    assert.deepEqual(await fleet.gaps({ id: HOURLY }), []);
    const printed = await rollcall.command(['gaps', 'simulate', '--ahead', '4h', '--json']);
    const { items } = JSON.parse(printed) as GapSimulation;
    const coming = items.find(({ entity_id }) => entity_id === HOURLY);
    assert.deepEqual([coming?.kind, coming?.grade], ['silent', 'certain']);
    assert.deepEqual(await fleet.gaps({ id: HOURLY }), []);
  });

  test('a schedule that n8n has active and that did not run is silent, for certain', async () => {
    rollcall.advance(4);
    const gap = await fleet.gap('silent', HOURLY);
    assert.deepEqual([gap.grade, gap.severity], ['certain', 'critical']);
    assert.deepEqual([gap.evidence.basis, gap.evidence.n8n_state], ['schedule', 'active']);
    const fixed = await fleet.fix(gap);
    assert.deepEqual([fixed.action, fixed.gap.state], ['set_state', 'closed']);
    const undone = await fleet.undo(fixed);
    assert.deepEqual([undone.gap.id, undone.gap.state], [gap.id, 'open']);
    // Webhooks are called when somebody calls them: a few hours prove nothing.
    assert.deepEqual(
      (await fleet.gaps({ kind: 'silent' })).map(({ entity_id }) => entity_id),
      [HOURLY],
    );
  });

  test('one that is deactivated in n8n is expected to run no more', async () => {
    await n8n.api.unpublish(HOURLY);
    await fleet.sync();
    assert.deepEqual(await fleet.gaps({ kind: 'silent' }), []);
    assert.equal((await rollcall.entity('workflow', HOURLY))?.current_state, 'inactive');
  });

  test('one that has to run and is deactivated in n8n is published there again', async () => {
    await n8n.api.unpublish(TICKER);
    await fleet.sync();
    const expected = { current_state: 'active', silent_after_seconds: 3600 } as const;
    await rollcall.register({ entity_type: 'workflow', entity_id: TICKER, ...expected });
    rollcall.advance(2);
    const gap = await fleet.gap('silent', TICKER);
    assert.deepEqual([gap.grade, gap.severity], ['certain', 'critical']);
    assert.equal(gap.evidence.n8n_state, 'inactive');

    const tried = await fleet.fix(gap, '--dry-run');
    assert.deepEqual(
      tried.changes.map(({ field, from, to }) => [field, from, to]),
      [['active', false, true]],
    );
    assert.equal(await active(TICKER), false);
    const fixed = await fleet.fix(gap);
    assert.deepEqual([fixed.action, fixed.gap.state], ['reactivate', 'closed']);
    assert.equal(await active(TICKER), true);
    await fleet.sync();
    assert.deepEqual(await fleet.gaps({ kind: 'silent' }), []);

    const undone = await fleet.undo(fixed);
    assert.deepEqual([undone.gap.id, undone.gap.state], [gap.id, 'open']);
    assert.equal(await active(TICKER), false);
    await fleet.fix(gap);
    assert.equal(await active(TICKER), true);
  });

  test('an n8n that does not answer is one gap, and what is silent in it stands below', async () => {
    const { instance_id } = await fleet.connect();
    rollcall.advance(2);
    const ticker = await fleet.gap('silent', TICKER);
    await n8n.stop();
    rollcall.advance(1);
    await assert.rejects(fleet.sync(), /does not answer/);
    const shouted = await fleet.gaps({});
    assert.deepEqual(
      shouted.map(({ kind, entity_type, entity_id, grade, severity }) => ({
        ...{ kind, entity_type, entity_id, grade, severity },
      })),
      [
        {
          ...{ kind: 'silent', entity_type: 'n8n_instance', entity_id: instance_id },
          ...{ grade: 'certain', severity: 'critical' },
        },
      ],
    );
    const [instance] = shouted;
    assert.match(JSON.stringify(instance?.evidence.last_error), /n8n_unreachable/);
    const below = await fleet.gaps({ state: 'inhibited' });
    assert.ok(below.some(({ id }) => id === ticker.id));
    assert.ok(below.every(({ inhibited_by }) => inhibited_by === instance?.id));
  });

  test('when it answers again the gap closes, and what is still silent is told', async () => {
    await n8n.startAgain();
    await fleet.sync();
    const [left, ...more] = await fleet.gaps({});
    assert.deepEqual([left?.kind, left?.entity_id, more], ['silent', TICKER, []]);
    assert.deepEqual(await fleet.gaps({ state: 'inhibited' }), []);
  });
}
