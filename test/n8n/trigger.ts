import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { before, test } from 'node:test';

import type {
  Page,
  Webhook,
  WebhookDelivery,
  WebhookPayload,
} from '../../client/src/contract/index.ts';
import { until } from './child.ts';
import { rollcallNode, workflowOf } from './workflows.ts';
import type { World } from './world.ts';

const LONE = 'lone-agent';

/** The trigger starts workflows in n8n, and keeps its own subscription. */
export function testTrigger({ n8n, rollcall }: World): void {
  let workflowId: string;
  let webhook: Webhook;

  const workflow = (events: string[], filters: object = {}) =>
    workflowOf('Pager', [
      {
        ...rollcallNode('Rollcall', 'rollcallTrigger', { events, filters }),
        more: { webhookId: 'rollcall-pager' },
      },
      { name: 'Done', type: 'n8n-nodes-base.noOp' },
    ]);
  const subscriptions = async () => (await rollcall.get<Page<Webhook>>('webhooks'))?.items ?? [];
  const deliveries = async () =>
    (await rollcall.get<Page<WebhookDelivery>>(`webhooks/${webhook.id}/deliveries`))?.items ?? [];
  const subscribed = (count: number) =>
    until(
      `${count} subscriptions`,
      async () => {
        const all = await subscriptions();
        return all.length === count ? all : undefined;
      },
      { seconds: 30 },
    );
  const delivered = (count: number) =>
    until(
      `${count} deliveries have arrived`,
      async () => {
        const all = await deliveries();
        const arrived = all.filter(({ status }) => status === 'delivered');
        return arrived.length === count ? all : undefined;
      },
      { seconds: 30 },
    );
  const check = () => rollcall.post('gaps/check');
  /** The event of the newest run. */
  const started = async (): Promise<WebhookPayload & { delivery_id: string }> => {
    const { status, nodes } = await n8n.api.latest(workflowId);
    assert.equal(status, 'success');
    const items = nodes.find(({ node }) => node === 'Done')?.outputs[0] ?? [];
    assert.equal(items.length, 1);
    return items[0] as unknown as WebhookPayload & { delivery_id: string };
  };

  before(async () => {
    workflowId = await n8n.api.createWorkflow(
      workflow(['gap.opened', 'gap.closed'], { kinds: ['orphaned'], entity_types: 'agent' }),
    );
  });

  test('subscribes when its workflow is activated', async () => {
    assert.deepEqual(await subscriptions(), []);
    await n8n.api.publish(workflowId);
    [webhook] = (await subscribed(1)) as [Webhook];
    assert.equal(webhook.description, `n8n workflow Pager (${workflowId})`);
    assert.deepEqual(webhook.events, ['gap.opened', 'gap.closed']);
    assert.deepEqual(webhook.filter, { kinds: ['orphaned'], entity_types: ['agent'] });
    assert.match(new URL(webhook.url).pathname, /^\/webhook\/.*rollcall$/);
  });

  test('starts its workflow when a gap opens, once', async () => {
    await rollcall.register({ entity_type: 'agent', entity_id: LONE, current_state: 'active' });
    // Of another type and kind: nobody asked for these.
    await rollcall.register({
      entity_type: 'workflow',
      entity_id: 'unasked',
      parent: { entity_type: 'team', entity_id: 'unasked' },
    });
    await check();
    const [delivery] = (await delivered(1)) as [WebhookDelivery];
    const event = await started();
    assert.equal(event.type, 'gap.opened');
    assert.equal(event.delivery_id, delivery.id);
    assert.deepEqual(event.data, (await rollcall.gaps({ entity_id: LONE }))[0]);
    assert.equal((await n8n.api.executions(workflowId)).length, 1);
  });

  test('starts it again when the gap closes', async () => {
    await rollcall.register({ entity_type: 'team', entity_id: 'home', current_state: 'active' });
    await rollcall.register({
      entity_type: 'agent',
      entity_id: LONE,
      parent: { entity_type: 'team', entity_id: 'home' },
    });
    await check();
    await delivered(2);
    const closed = await until(
      'the second run',
      async () => {
        const event = await started();
        return event.type === 'gap.closed' ? event : undefined;
      },
      { seconds: 30 },
    );
    assert.equal(closed.data.entity_id, LONE);
  });

  test('starts it for a test', async () => {
    const answer = await rollcall.post<WebhookDelivery>(`webhooks/${webhook.id}/test`);
    assert.equal(answer?.status, 'delivered', answer?.last_error ?? '');
    await until(
      'the run of the test',
      async () => ((await started()).type === 'webhook.test' ? true : undefined),
      { seconds: 30 },
    );
    assert.equal((await n8n.api.executions(workflowId)).length, 3);
  });

  test('starts nothing for what is not signed, or signed by somebody else', async () => {
    const body = JSON.stringify({ type: 'gap.opened', timestamp: '', data: {} });
    const now = String(Math.floor(Date.now() / 1000));
    const forged = createHmac('sha256', Buffer.alloc(32))
      .update(`forged.${now}.${body}`)
      .digest('base64');
    const signed = {
      'webhook-id': 'forged',
      'webhook-timestamp': now,
      'webhook-signature': `v1,${forged}`,
    };
    for (const headers of [{}, signed]) {
      const answer = await fetch(webhook.url, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...headers },
      });
      assert.equal(answer.status, 401);
    }
    assert.equal((await n8n.api.executions(workflowId)).length, 3);
  });

  test('subscribes anew when it asks for something else, and leaves nothing behind', async () => {
    await n8n.api.updateWorkflow(workflowId, workflow(['entity.state_changed']));
    const renewed = await until(
      'another subscription alone',
      async () => {
        const [only, ...more] = await subscriptions();
        return only && more.length === 0 && only.id !== webhook.id ? only : undefined;
      },
      { seconds: 30 },
    );
    assert.deepEqual(renewed.events, ['entity.state_changed']);
    webhook = renewed;
    await rollcall.register({ entity_type: 'service', entity_id: 'newborn' });
    const event = await until(
      'the run of the state change',
      async () => {
        const latest = await started();
        return latest.type === 'entity.state_changed' ? latest : undefined;
      },
      { seconds: 30 },
    );
    assert.equal(event.data.entity_id, 'newborn');
  });

  test('ends its subscription when its workflow is deactivated', async () => {
    await n8n.api.unpublish(workflowId);
    await subscribed(0);
  });

  test('says why when Rollcall refuses the subscription', async () => {
    const credential = await n8n.api.createCredential('Weak', {
      baseUrl: rollcall.url,
      apiKey: `rc_${'x'.repeat(43)}`,
    });
    const weak = await n8n.api.createWorkflow(
      workflowOf('Weak pager', [
        { ...rollcallNode('Rollcall', 'rollcallTrigger', {}, { credential }) },
      ]),
    );
    await n8n.api.publish(weak).catch(() => undefined);
    await until(
      'the refusal in n8n’s log',
      async () => /invalid|401/i.test(n8n.log()) || undefined,
      {
        seconds: 30,
      },
    );
    assert.deepEqual(await subscriptions(), []);
  });
}
