import { startWorker, type TestWorker } from '../../../../test/rollcall/delivery-worker.ts';
import { startReceiver, type Receiver } from '../../../../test/rollcall/receiver.ts';
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

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const subscribe = async (more: object = {}) =>
  (
    await rollcall.post('/api/v1/webhooks', {
      url: receiver.url,
      events: ['entity.state_changed'],
      ...more,
    })
  ).body.id as string;
const deliveries = async (id: string, query = {}) =>
  (await rollcall.get(`/api/v1/webhooks/${id}/deliveries`, { query })).body.items;
const happen = async (...ids: string[]) => {
  for (const entity_id of ids) {
    await rollcall.post('/api/v1/entities', { entity_type: 'service', entity_id });
  }
};
const told = () => receiver.received.map(({ body }) => body.data.entity_id);

describe('a delivery that fails', () => {
  test('is tried again, later each time, under the same id, until it arrives', async () => {
    const id = await subscribe();
    receiver.reply(503);
    await happen('a');
    await worker.sendDue();
    for (const [seconds, attempts] of [
      [5, 2],
      [10, 3],
      [20, 4],
    ] as const) {
      rollcall.clock.advance(seconds * SECOND - 1);
      await worker.sendDue();
      expect(receiver.received).toHaveLength(attempts - 1);
      rollcall.clock.advance(1);
      await worker.sendDue();
      expect(receiver.received).toHaveLength(attempts);
    }
    expect(await deliveries(id)).toMatchObject([
      { status: 'pending', attempts: 4, last_error: 'The receiver answered 503.' },
    ]);
    receiver.reply(200);
    rollcall.clock.advance(40 * SECOND);
    await worker.sendDue();
    expect(await deliveries(id)).toMatchObject([{ status: 'delivered', attempts: 5 }]);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  test('waits as long as the receiver asks for', async () => {
    await subscribe();
    receiver.reply((response) => response.writeHead(429, { 'retry-after': '120' }).end());
    await happen('a');
    await worker.sendDue();
    rollcall.clock.advance(119 * SECOND);
    await worker.sendDue();
    expect(receiver.received).toHaveLength(1);
    rollcall.clock.advance(SECOND);
    await worker.sendDue();
    expect(receiver.received).toHaveLength(2);
  });

  test('is given up after a day, stays visible, and can be sent again', async () => {
    const id = await subscribe();
    receiver.reply(500);
    await happen('a');
    for (let hour = 0; hour < 26; hour++) {
      await worker.sendDue();
      rollcall.clock.advance(HOUR);
    }
    const [dead] = await deliveries(id, { status: 'dead' });
    expect(dead).toMatchObject({ status: 'dead', next_attempt_at: null, response_status: 500 });
    const attempts = receiver.received.length;
    expect(attempts).toBe(dead.attempts);

    receiver.reply(204);
    const again = await rollcall.post(`/api/v1/webhooks/${id}/deliveries/${dead.id}/retry`);
    expect(again.body).toMatchObject({ id: dead.id, status: 'pending', attempts: 0 });
    await worker.sendDue();
    expect(await deliveries(id)).toMatchObject([{ id: dead.id, status: 'delivered' }]);
    const refused = await rollcall.post(`/api/v1/webhooks/${id}/deliveries/${dead.id}/retry`);
    expect([refused.status, refused.body.code]).toEqual([409, 'already_delivered']);
  });

  test.each([
    ['redirects', 302, 'The receiver answered 302, and redirects are not followed.'],
    ['refuses', 400, 'The receiver answered 400.'],
  ])('because the receiver %s says so', async (_, status, last_error) => {
    const id = await subscribe();
    receiver.reply((response) => response.writeHead(status, { location: receiver.url }).end());
    await happen('a');
    await worker.sendDue();
    expect(receiver.received).toHaveLength(1);
    expect(await deliveries(id)).toMatchObject([{ status: 'pending', last_error }]);
  });

  test('because nobody answers says so', async () => {
    const id = await subscribe();
    receiver.reply((response) => response.destroy());
    await happen('a');
    await worker.sendDue();
    const [delivery] = await deliveries(id);
    expect(delivery).toMatchObject({ status: 'pending', response_status: null });
    expect(delivery.last_error).toMatch(/ECONNRESET|socket hang up/);
  });

  test('because the receiver takes too long says so', async () => {
    const hurried = startWorker(server, { timeoutMs: 50 });
    const id = await subscribe();
    receiver.reply(() => undefined);
    await happen('a');
    await hurried.sendDue();
    expect(await deliveries(id)).toMatchObject([{ last_error: 'No answer within 0.05 s.' }]);
    await hurried.close();
  });

  test('because its address is not public any more says so, and nothing is sent', async () => {
    const strict = startWorker(server, { allow: [] });
    const id = await subscribe();
    await happen('a');
    await strict.sendDue();
    expect(receiver.received).toEqual([]);
    const [delivery] = await deliveries(id);
    expect(delivery.last_error).toMatch(/^forbidden_address: 127\.0\.0\.1 is not public/);
    await strict.close();
  });
});

test('410 Gone ends the subscription, and what waits for it', async () => {
  const id = await subscribe();
  receiver.reply(410);
  await happen('a', 'b');
  await worker.sendDue();
  await happen('c');
  await worker.sendDue();
  expect(told()).toEqual(['a']);
  expect((await rollcall.get(`/api/v1/webhooks/${id}`)).body).toMatchObject({
    ended_at: expect.any(String),
    ended_because: 'The receiver answered 410 Gone.',
  });
  const all = await deliveries(id);
  expect(all.map(({ status }: { status: string }) => status)).toEqual(['dead', 'dead']);
  const { body } = await rollcall.post(`/api/v1/webhooks/${id}/deliveries/${all[0].id}/retry`);
  expect(body.code).toBe('webhook_ended');
});

describe('the order of a subscription’s deliveries', () => {
  test('is that of the events, one at a time', async () => {
    await subscribe();
    let open = 0;
    let most = 0;
    receiver.reply((response) => {
      most = Math.max(most, ++open);
      setImmediate(() => {
        open--;
        response.writeHead(204).end();
      });
    });
    const ids = Array.from({ length: 30 }, (_, index) => `s${index}`);
    await happen(...ids);
    await Promise.all([worker.sendDue(), worker.sendDue()]);
    await worker.sendDue();
    expect(told()).toEqual(ids);
    expect(most).toBe(1);
  });

  test('holds while the first fails, and gives way to the rest after five attempts', async () => {
    await subscribe();
    receiver.reply((response, { body }) =>
      response.writeHead(body.data.entity_id === 'bad' ? 500 : 204).end(),
    );
    await happen('bad', 'good', 'better');
    for (let attempt = 1; attempt < 5; attempt++) {
      await worker.sendDue();
      rollcall.clock.advance(60 * SECOND);
    }
    expect(new Set(told())).toEqual(new Set(['bad']));
    await worker.sendDue();
    expect(told().slice(4)).toEqual(['bad', 'good', 'better']);
  });

  test('of one does not hold up another', async () => {
    const slow = await startReceiver();
    slow.reply(() => undefined);
    await rollcall.post('/api/v1/webhooks', { url: slow.url });
    await subscribe();
    await happen('a', 'b');
    await worker.look();
    await Promise.all([slow.has(1), receiver.has(2)]);
    expect(told()).toEqual(['a', 'b']);
    expect(slow.received).toHaveLength(1);
    await slow.stop();
    await worker.idle();
  });
});

describe('several servers', () => {
  test('make no attempt twice', async () => {
    const others = [startWorker(server), startWorker(server), startWorker(server)];
    for (let made = 0; made < 5; made++) await subscribe();
    await happen(...Array.from({ length: 10 }, (_, index) => `s${index}`));
    const servers = [worker, ...others];
    await Promise.all(servers.flatMap((each) => [each.look(), each.look(), each.look()]));
    await Promise.all(servers.map((each) => each.idle()));
    // Whoever finds a subscription claimed by another looks again later.
    while (receiver.received.length < 50) await worker.sendDue();
    await worker.sendDue();
    const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
    expect(ids).toHaveLength(50);
    expect(new Set(ids).size).toBe(50);
    for (const other of others) await other.close();
  });

  test('send what one had begun when it was killed, once its claim has run out', async () => {
    const id = await subscribe();
    await happen('a');
    await rollcall.sql(
      `select rollcall_api.claim_webhook_deliveries($1, $2, gen_random_uuid(), 60, 5, 10)`,
      [rollcall.tenant, rollcall.clock.now()],
    );
    rollcall.clock.advance(59 * SECOND);
    await worker.sendDue();
    expect(told()).toEqual([]);
    rollcall.clock.advance(SECOND);
    await worker.sendDue();
    expect(told()).toEqual(['a']);
    expect(await deliveries(id)).toMatchObject([{ status: 'delivered', attempts: 2 }]);
  });

  test('that stop break off what is on its way, and the next one sends it', async () => {
    const leaving = startWorker(server);
    await subscribe();
    receiver.reply(() => undefined);
    await happen('a');
    await leaving.look();
    await receiver.has(1);
    await leaving.close();
    receiver.reply(204);
    rollcall.clock.advance(5 * SECOND);
    await worker.sendDue();
    expect(told()).toEqual(['a', 'a']);
  });
});

test('a server that runs looks for work by itself', async () => {
  await subscribe();
  server.rollcall.startTasks();
  await happen('a');
  await receiver.has(1);
  expect(told()).toEqual(['a']);
});
