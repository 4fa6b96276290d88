import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { ExecutionSummary } from '../../client/src/contract/index.ts';
import { readEvents, type EventReader } from '../rollcall/stream.ts';
import { set, waitForCall, waitHalfAMinute } from './observedWorkflows.ts';
import type { ObservedWorld } from './observedWorld.ts';
import { recordedBy } from './recorded.ts';
import { webhook, workflowOf } from './workflows.ts';

interface Told {
  id: string;
  workflow_id: string;
  status: string;
}

/** The live streams, while n8n runs workflows. */
export function testWatching({ n8n, rollcall }: ObservedWorld): void {
  const { api } = n8n;
  const recorded = recordedBy(rollcall);
  const streams: EventReader[] = [];
  const watch = async (path: string, lastEventId?: string): Promise<EventReader> => {
    const options = { key: rollcall.apiKey, lastEventId };
    const reader = await readEvents(rollcall.url, `/api/v1/${path}`, options);
    streams.push(reader);
    return reader;
  };
  const publish = async (...given: Parameters<typeof workflowOf>) => {
    const id = await api.createWorkflow(workflowOf(...given));
    await api.publish(id);
    return id;
  };
  /** What the fleet's stream said of the runs of a workflow, in order. */
  const told = (fleet: EventReader, workflowId: string): Told[] =>
    fleet.heard
      .filter(({ event }) => event === 'executions')
      .flatMap(({ data }) => (data as { executions: Told[] }).executions)
      .filter(({ workflow_id }) => workflow_id === workflowId);
  const saw = (fleet: EventReader, workflowId: string, status: string) =>
    fleet.until(() => told(fleet, workflowId).some((one) => one.status === status));

  let fleet: EventReader;
  before(async () => {
    fleet = await watch('live');
    await fleet.next('ready');
  });
  after(() => {
    for (const stream of streams) stream.close();
  });

  test(
    'the fleet: a run that ends, and the workflow that it is of',
    { timeout: 60_000 },
    async () => {
      const id = await publish('Watched', [webhook('watched'), set('Done', { done: true })]);
      await api.callWebhook('watched');
      await saw(fleet, id, 'success');
      const [row] = (await rollcall.executions({ workflow_id: id })) as [ExecutionSummary];
      assert.ok(told(fleet, id).every((one) => one.id === row.id));
      await fleet.until((heard) =>
        heard.some(({ event, data }) => event === 'registry' && JSON.stringify(data).includes(id)),
      );
    },
  );

  test('one run from its waiting to its end, node by node', { timeout: 90_000 }, async () => {
    const id = await publish('Watched waiting', [
      webhook('watched-waiting', 'onReceived'),
      set('Address', { url: '{{ $execution.resumeUrl }}' }),
      waitForCall,
      set('Done', { done: true }),
    ]);
    await api.callWebhook('watched-waiting');
    const { id: executionId } = await api.latestThatIs('waiting', id);
    const parked = await recorded.run(id, executionId, 'waiting', ['hooks']);
    const one = await watch(`executions/${parked.id}/live`);
    const { data: whole } = await one.next('execution');
    assert.equal(whole.status, 'waiting');

    const address = await api.firstItem(executionId, 'Address');
    assert.ok((await fetch(String(address?.url))).ok);
    await one.ended;
    const changes = one.heard.filter(({ event }) => event === 'change');
    const nodes = changes.flatMap(
      ({ data }) => (data.node_executions ?? []) as { node_name: string }[],
    );
    assert.ok(
      nodes.some(({ node_name }) => node_name === 'Done'),
      JSON.stringify(changes),
    );
    assert.equal(one.heard.at(-1)?.event, 'end');
    await saw(fleet, id, 'success');
  });

  test('a run that goes on for long is there while it runs', { timeout: 60_000 }, async () => {
    const nodes = [webhook('watched-long', 'onReceived'), waitHalfAMinute];
    const id = await publish('Watched long', nodes);
    await api.callWebhook('watched-long');
    await saw(fleet, id, 'running');
    const { id: executionId } = await api.latestThatIs('running', id);
    const running = await recorded.run(id, executionId, 'running', ['hooks']);
    const one = await watch(`executions/${running.id}/live`);
    await one.next('execution');
    await api.stop(executionId);
    await one.ended;
    assert.equal(one.heard.at(-1)?.event, 'end');
    const changed = one.heard.filter(({ event }) => event === 'change');
    assert.ok(changed.some(({ data }) => data.status === 'cancelled'));
  });

  test('who comes back is told what happened meanwhile, once', { timeout: 60_000 }, async () => {
    const left = fleet.lastId();
    fleet.close();
    const id = await publish('Unwatched', [webhook('unwatched'), set('Done', { done: true })]);
    await api.callWebhook('unwatched');
    const execution = await api.latest(id);
    await recorded.run(id, execution.id, 'success', ['hooks', 'otlp']);
    const back = await watch('live', left);
    await saw(back, id, 'success');
    assert.ok(back.heard.every(({ event }) => event !== 'reset'));
    const ids = back.heard.map((one) => one.id).filter((one) => one !== undefined);
    assert.deepEqual(ids, [...new Set(ids)]);
  });
}
