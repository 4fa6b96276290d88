import { createHmac } from 'node:crypto';
import type { WebhookDelivery, WebhookPayload } from '@rollcall/client/contract';
import { startWorker, type TestWorker } from '../../../../test/rollcall/delivery-worker.ts';
import { GAP_CAUSES } from '../../../../test/rollcall/gap-causes.ts';
import {
  startReceiver,
  type Delivered,
  type Receiver,
} from '../../../../test/rollcall/receiver.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';

let server: TestRollcall;
let worker: TestWorker;
let rollcall: FreshTenant;
let receiver: Receiver;
beforeAll(async () => {
  server = await startTestRollcall();
  worker = startWorker(server);
});
afterAll(async () => {
  await worker.close();
  await server.stop();
});
beforeEach(async () => {
  rollcall = await freshTenant(server);
  receiver = await startReceiver();
});
afterEach(async () => {
  await rollcall.sql('delete from rollcall.webhooks');
  await receiver.stop();
});

const subscribe = async (more: object = {}) =>
  (await rollcall.post('/api/v1/webhooks', { url: receiver.url, ...more })).body;
const deliveries = async (id: string, query = {}) =>
  (await rollcall.get(`/api/v1/webhooks/${id}/deliveries`, { query })).body.items;
const register = (entity_id: string, more: object = {}) =>
  rollcall.post('/api/v1/entities', {
    entity_type: 'workflow',
    entity_id,
    current_state: 'active',
    ...more,
  });
const check = () => rollcall.post('/api/v1/gaps/check');
const DAY = 86_400_000;
const idOf = ({ data }: WebhookPayload) => ('entity_id' in data ? data.entity_id : undefined);
const told = () => receiver.received.map(({ body }) => [body.type, body.data.entity_id]);

describe('an event', () => {
  test('of a gap is told when it opens and when it closes, with the whole gap', async () => {
    await subscribe({ events: ['gap.opened', 'gap.closed'] });
    await GAP_CAUSES.silent?.open(rollcall);
    await check();
    const gap = (await rollcall.get('/api/v1/gaps')).body.items[0];
    await check();
    await GAP_CAUSES.silent?.cure(rollcall);
    await check();
    await worker.sendDue();
    const [opened, closed] = receiver.received.map(({ body }) => body);
    expect(receiver.received).toHaveLength(2);
    expect(opened).toEqual({ type: 'gap.opened', timestamp: gap.first_seen, data: gap });
    expect(closed).toMatchObject({ type: 'gap.closed', data: { id: gap.id, state: 'closed' } });
  });

  test('of a state tells from and to what, why, and by whom', async () => {
    await register('orders', { entity_name: 'Orders' });
    await subscribe({ events: ['entity.state_changed'] });
    await rollcall.put('/api/v1/entities/workflow/orders/state', {
      new_state: 'error',
      health_status: 'unhealthy',
      reason: 'it broke',
    });
    await worker.sendDue();
    const { entity_type, entity_id } = { entity_type: 'workflow', entity_id: 'orders' };
    expect(receiver.received.map(({ body }) => body)).toMatchObject([
      {
        type: 'entity.state_changed',
        data: {
          entity_type,
          entity_id,
          entity_name: 'Orders',
          from_state: 'active',
          to_state: 'error',
          from_health: 'unknown',
          to_health: 'unhealthy',
          reason: 'it broke',
          changed_by: `${rollcall.tenant} admin`,
        },
      },
    ]);
  });

  test('is signed as Standard Webhooks says', async () => {
    const { secret, id } = await subscribe({ events: ['entity.state_changed'] });
    await register('orders');
    await worker.sendDue();
    const [{ headers, text }] = receiver.received as [Delivered];
    expect(headers['webhook-id']).toBe((await deliveries(id))[0].id);
    const now = Math.floor(rollcall.clock.now().getTime() / 1000);
    expect(headers['webhook-timestamp']).toBe(String(now));
    const signature = createHmac('sha256', Buffer.from(secret.slice(6), 'base64'))
      .update(`${headers['webhook-id'] as string}.${now}.${text}`)
      .digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signature}`);
    expect(headers['content-type']).toBe('application/json');
  });

  test('that is rolled back is never told', async () => {
    const { id } = await subscribe();
    await rollcall
      .sql(
        `do $$ begin perform rollcall_api.register_entity('${rollcall.tenant}', '{"entity_type":"service","entity_id":"a"}', 'x');
         raise exception 'no'; end $$`,
      )
      .catch(() => undefined);
    expect(await deliveries(id)).toEqual([]);
    await register('b');
    expect(await deliveries(id)).toHaveLength(1);
  });

  test('of a gap that is muted is told when it closes, and not when it opens again', async () => {
    const { id } = await subscribe({ events: ['gap.opened', 'gap.closed'] });
    await GAP_CAUSES.silent?.open(rollcall);
    await check();
    const [gap] = (await rollcall.get('/api/v1/gaps')).body.items;
    const until = new Date(rollcall.clock.now().getTime() + DAY).toISOString();
    await rollcall.post(`/api/v1/gaps/${gap.id}/mute`, { reason: 'known', until });
    await GAP_CAUSES.silent?.cure(rollcall);
    await check();
    rollcall.clock.advance(DAY / 2);
    expect((await check()).body).toMatchObject({ open: 0, muted: 1 });
    const events = (await deliveries(id)).map(({ event }: { event: string }) => event);
    expect(events).toEqual(['gap.closed', 'gap.opened']);
  });

  test('of a gap that another one explains is not told', async () => {
    const { id } = await subscribe({ events: ['gap.opened', 'gap.closed'] });
    const parent = { entity_type: 'team', entity_id: 'home' };
    await register('home', { entity_type: 'team', silent_after_seconds: 60 });
    await register('orders', { silent_after_seconds: 60, parent });
    rollcall.clock.advance(DAY / 2);
    expect((await check()).body).toMatchObject({ open: 1, inhibited: 1 });
    await rollcall.post('/api/v1/entities/team/home/heartbeat');
    await rollcall.post('/api/v1/entities/workflow/orders/heartbeat');
    expect((await check()).body).toMatchObject({ open: 0, inhibited: 0 });
    expect(
      (await deliveries(id)).map(({ event, body }: WebhookDelivery) => [event, idOf(body)]),
    ).toEqual([
      ['gap.closed', 'home'],
      ['gap.opened', 'home'],
    ]);
  });
});

describe('a filter', () => {
  test.each([
    [{ entity_types: ['service'] }, ['store']],
    [{ entity_types: ['workflow', 'service'] }, ['orders', 'store']],
    [{ states: ['deploying'] }, ['orders']],
    [{ states: ['deploying'], entity_types: ['service'] }, []],
    // What an event has nothing of lets it through.
    [{ kinds: ['silent'], severities: ['info'] }, ['orders', 'store']],
  ])('%j of state changes lets through %j', async (filter, expected) => {
    await subscribe({ events: ['entity.state_changed'], filter });
    await register('orders', { current_state: 'deploying' });
    await register('store', { entity_type: 'service' });
    await worker.sendDue();
    expect(told().map(([, id]) => id)).toEqual(expected);
  });

  test.each([
    [{ kinds: ['orphaned'] }, ['lone']],
    [{ severities: ['critical'] }, ['orders']],
    [{ entity_types: ['agent', 'workflow'] }, ['lone', 'orders']],
    [{ kinds: ['orphaned'], severities: ['critical'] }, []],
    [{ grades: ['certain'] }, ['lone', 'orders']],
    [{ grades: ['likely'] }, []],
  ])('%j of gaps lets through %j', async (filter, expected) => {
    await subscribe({ events: ['gap.opened'], filter });
    await register('lone', { entity_type: 'agent' });
    await GAP_CAUSES.silent?.open(rollcall);
    await check();
    await worker.sendDue();
    expect(told().map(([, id]) => id)).toEqual(expected);
  });
});

test('another tenant is told nothing', async () => {
  const stranger = await freshTenant(server);
  const { body } = await stranger.post('/api/v1/webhooks', { url: receiver.url });
  await register('orders');
  await worker.sendDue();
  expect(receiver.received).toEqual([]);
  expect((await rollcall.get(`/api/v1/webhooks/${body.id}/deliveries`)).status).toBe(404);
});

test('what has arrived says so', async () => {
  const { id } = await subscribe();
  await register('orders');
  await worker.sendDue();
  expect(await deliveries(id)).toMatchObject([
    {
      event: 'entity.state_changed',
      status: 'delivered',
      attempts: 1,
      response_status: 204,
      last_error: null,
      next_attempt_at: null,
      delivered_at: rollcall.clock.now().toISOString().replace('Z', '+00:00'),
    },
  ]);
});

test('old deliveries are forgotten', async () => {
  const { id } = await subscribe();
  await register('orders');
  await worker.sendDue();
  const later = new Date(rollcall.clock.now().getTime() + 8 * 86_400_000);
  await rollcall.sql('select rollcall_api.trim_webhook_deliveries($1, $2, 7, 30)', [
    rollcall.tenant,
    later,
  ]);
  expect(await deliveries(id)).toEqual([]);
});

describe('a test', () => {
  const test_ = (id: string) => rollcall.post(`/api/v1/webhooks/${id}/test`);

  test('is sent at once and answers how it went', async () => {
    const { id } = await subscribe({ events: ['gap.opened'] });
    const { status, body } = await test_(id);
    expect([status, body.status, body.event]).toEqual([200, 'delivered', 'webhook.test']);
    expect(receiver.received[0]?.body).toMatchObject({
      type: 'webhook.test',
      data: { webhook_id: id },
    });
  });

  test('that fails is not tried again', async () => {
    const { id } = await subscribe();
    receiver.reply(500);
    expect((await test_(id)).body).toMatchObject({
      status: 'dead',
      attempts: 1,
      response_status: 500,
      last_error: 'The receiver answered 500.',
    });
    rollcall.clock.advance(3_600_000);
    await worker.sendDue();
    expect(receiver.received).toHaveLength(1);
  });
});
