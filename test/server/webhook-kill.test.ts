import { createHmac } from 'node:crypto';
import pg from 'pg';
import { makeKey } from '../../server/src/features/auth/keys.ts';
import { createRollcallDatabase } from '../rollcall/start.ts';
import { spawnRollcall, type RunningCommand } from '../rollcall/command.ts';
import { startReceiver, type Delivered, type Receiver } from '../rollcall/receiver.ts';

const KEY = makeKey();

let database: Awaited<ReturnType<typeof createRollcallDatabase>>;
let superuser: pg.Client;
let receiver: Receiver;
let running: RunningCommand[];
beforeEach(async () => {
  running = [];
  database = await createRollcallDatabase();
  superuser = new pg.Client({ connectionString: database.url });
  await superuser.connect();
  receiver = await startReceiver();
});
afterEach(async () => {
  for (const server of running) await kill(server);
  await receiver.stop();
  await superuser.end();
  await database.drop();
});

interface Server extends RunningCommand {
  call(method: string, path: string, body?: object): Promise<{ status: number; body: never }>;
}

/** The real program, on the database of the test. */
async function start(): Promise<Server> {
  const command = spawnRollcall(['start'], {
    env: {
      ROLLCALL_PORT: '0',
      ROLLCALL_ADMIN_KEY: KEY,
      ROLLCALL_SECRET: 'a secret that both know',
      DATABASE_URL: database.url,
    },
  });
  running.push(command);
  const [, url = ''] = await command.says(/is at (http:\S+)\n/);
  return {
    ...command,
    async call(method, path, body) {
      const response = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      return { status: response.status, body: (await response.json()) as never };
    },
  };
}

async function kill({ process, ended }: RunningCommand): Promise<void> {
  process.kill('SIGKILL');
  await ended;
}

async function subscribe(server: Server): Promise<{ id: string; secret: string }> {
  const { body } = await server.call('POST', '/api/v1/webhooks', {
    url: receiver.url,
    events: ['entity.state_changed'],
  });
  return body;
}

const register = (server: Server, entity_id: string) =>
  server.call('POST', '/api/v1/entities', { entity_type: 'service', entity_id });

function isSigned({ headers, text }: Delivered, secret: string): boolean {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signed = `${headers['webhook-id'] as string}.${headers['webhook-timestamp'] as string}.${text}`;
  const signature = createHmac('sha256', key).update(signed).digest('base64');
  return headers['webhook-signature'] === `v1,${signature}`;
}

async function delivered(server: Server, webhook: string) {
  const { body } = await server.call('GET', `/api/v1/webhooks/${webhook}/deliveries`);
  return (body as { items: Record<string, unknown>[] }).items;
}

/** What a server had claimed that is no more, nobody holds any longer. */
const aMinuteLater = () =>
  superuser.query(
    `update rollcall.webhook_deliveries set claimed_until = claimed_until - interval '1 minute' where claim is not null`,
  );

test('an event that was written is delivered by the next server when the first is killed before it sends', async () => {
  const first = await start();
  const { id, secret } = await subscribe(first);
  // Whoever wants to claim a delivery passes a subscription by that somebody holds; writing one goes on.
  await superuser.query('begin');
  await superuser.query('select from rollcall.webhooks for no key update');
  expect((await register(first, 'orders')).status).toBe(201);
  await kill(first);
  expect(receiver.received).toEqual([]);
  await superuser.query('rollback');
  const second = await start();
  await receiver.has(1);
  const [sent] = receiver.received as [Delivered];
  expect(sent.body).toMatchObject({
    type: 'entity.state_changed',
    data: { entity_id: 'orders', to_state: 'created' },
  });
  expect(isSigned(sent, secret)).toBe(true);
  expect(sent.headers['webhook-id']).toBe((await delivered(second, id))[0]?.id);
});

test('what a receiver was hanging on when its server was killed comes again, as the same delivery', async () => {
  const first = await start();
  const { id, secret } = await subscribe(first);
  receiver.reply(() => undefined);
  await register(first, 'orders');
  await register(first, 'stock');
  await receiver.has(1);
  await kill(first);
  receiver.reply(204);
  const second = await start();
  const [claimed] = (await delivered(second, id)).slice(-1);
  expect(claimed).toMatchObject({ status: 'pending', attempts: 1 });
  await aMinuteLater();
  await receiver.has(3);
  const [lost, again, next] = receiver.received as [Delivered, Delivered, Delivered];
  expect(again.headers['webhook-id']).toBe(lost.headers['webhook-id']);
  expect(again.text).toBe(lost.text);
  expect([lost, again, next].map((each) => isSigned(each, secret))).toEqual([true, true, true]);
  // In order, and each once more at most.
  expect(next.body.data.entity_id).toBe('stock');
  expect(next.headers['webhook-id']).not.toBe(lost.headers['webhook-id']);
});

test('of what was acknowledged nothing is lost through kill -9 after kill -9, and an id is one event', async () => {
  let server = await start();
  const { id, secret } = await subscribe(server);
  const acknowledged: string[] = [];
  for (let round = 0; round < 3; round++) {
    const victim = server;
    let stored = 0;
    const sender = async (name: string) => {
      for (let count = 0; ; count++) {
        const entity_id = `${name}-${round}-${count}`;
        const answer = await register(victim, entity_id).catch(() => undefined);
        if (answer?.status !== 201) return;
        acknowledged.push(entity_id);
        if (++stored === 25) victim.process.kill('SIGKILL');
      }
    };
    await Promise.all(['a', 'b', 'c'].map(sender));
    await victim.ended;
    await aMinuteLater();
    server = await start();
  }
  const told = () => new Set(receiver.received.map(({ body }) => body.data.entity_id as string));
  const missing = () => {
    const ids = told();
    return acknowledged.filter((entity_id) => !ids.has(entity_id));
  };
  while (missing().length > 0) await receiver.has(receiver.received.length + 1);
  expect(acknowledged.length).toBeGreaterThanOrEqual(75);
  expect(receiver.received.every((each) => isSigned(each, secret))).toBe(true);
  const texts = new Map<string, Set<string>>();
  for (const { headers, text } of receiver.received) {
    const delivery = headers['webhook-id'] as string;
    texts.set(delivery, (texts.get(delivery) ?? new Set()).add(text));
  }
  expect([...texts.values()].every(({ size }) => size === 1)).toBe(true);
  expect(texts.size).toBe(told().size);
  const pages = await superuser.query(
    'select id from rollcall.webhook_deliveries where webhook_id = $1',
    [id],
  );
  expect(pages.rows.length).toBeGreaterThanOrEqual(acknowledged.length);
}, 60_000);
