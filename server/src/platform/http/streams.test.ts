import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { readEvents, type EventReader } from '../../../../test/rollcall/stream.ts';
import { startSecondRollcall } from '../../../../test/rollcall/second.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { readConfig } from '../../config.ts';
import { startServer } from '../../serve.ts';
import { createLog } from '../log.ts';

const PATH = '/api/v1/live';
/** Far shorter than in a proxy's life: what is told at a heartbeat is told at once. */
const SOON = { liveHeartbeatSeconds: 0.02 };

let rollcall: TestRollcall;
let readers: EventReader[] = [];
afterEach(async () => {
  for (const reader of readers) reader.close();
  readers = [];
  await rollcall.stop();
});

async function watch(options: { key?: string; url?: string; lastEventId?: string } = {}) {
  const { url = rollcall.url, key = rollcall.key, lastEventId } = options;
  const reader = await readEvents(url, PATH, { key, lastEventId });
  readers.push(reader);
  await reader.next('ready');
  return reader;
}

const register = (entity_id: string) =>
  rollcall.post('/api/v1/entities', { entity_type: 'service', entity_id });

describe('a key', () => {
  beforeEach(async () => {
    rollcall = await startTestRollcall({ config: SOON });
  });

  test('that is revoked ends its streams, and no others', async () => {
    const key = await rollcall.keyFor('default', ['telemetry:read']);
    const [theirs, mine] = [await watch({ key }), await watch()];
    const { body } = await rollcall.get('/api/v1/whoami', { key });
    await rollcall.call('DELETE', `/api/v1/keys/${body.key_id}`);
    expect((await theirs.next('closed')).data).toEqual({ code: 'invalid_key', retry: false });
    await theirs.ended;
    await register('stock');
    expect(
      (await mine.until((heard) => heard.some(({ event }) => event === 'registry'))).length,
    ).toBe(2);
  });

  test('that is revoked through another server ends its streams when the memory of it does', async () => {
    const second = await startSecondRollcall(rollcall, SOON);
    const key = await rollcall.keyFor('default', ['telemetry:read']);
    const reader = await watch({ key, url: second.url });
    const { body } = await rollcall.get('/api/v1/whoami', { key });
    await rollcall.call('DELETE', `/api/v1/keys/${body.key_id}`);
    rollcall.clock.advance(6_000);
    expect((await reader.next('closed')).data).toEqual({ code: 'invalid_key', retry: false });
    await second.stop();
  });

  test('that expires ends its streams', async () => {
    const at = new Date(rollcall.clock.now().getTime() + 60_000).toISOString();
    const reader = await watch({ key: await rollcall.keyFor('default', ['telemetry:read'], at) });
    rollcall.clock.advance(61_000);
    expect((await reader.next('closed')).data).toEqual({ code: 'invalid_key', retry: false });
  });

  test('has twenty streams open at most, and another one once one has gone', async () => {
    const open = await Promise.all(Array.from({ length: 20 }, () => watch()));
    const refused = await rollcall.get(PATH);
    expect([refused.status, refused.body.code]).toEqual([429, 'too_many_streams']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await watch({ key: await rollcall.keyFor('default') });
    open[0]?.close();
    // The server learns of it in its own time.
    while ((await rollcall.get(`${PATH}?follow=false`)).status === 429);
    await watch();
  });
});

test('a stream that is quiet shows signs of life', async () => {
  rollcall = await startTestRollcall({ config: SOON });
  const socket = await request(rollcall);
  let text = '';
  socket.on('data', (data: Buffer) => (text += data.toString()));
  while ((text.match(/\n:\n\n/g) ?? []).length < 3) await once(socket, 'data');
  socket.destroy();
});

/** Asks for the stream over a socket that is read by nobody yet. */
async function request({ url, key }: TestRollcall): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, 'connect');
  socket.write(`GET ${PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n\r\n`);
  return socket;
}

/** More than the sockets of both sides hold. */
const ROUNDS = 60;
async function announceMuch(): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    await rollcall.sql(
      `select rollcall_api.announce('default', 'registry', jsonb_build_object('n', $1::int + i, 'text', repeat('x', 20000)))
         from generate_series(0, 19) i`,
      [round * 20],
    );
  }
}

describe('a reader that does not read', () => {
  test('holds up neither an ingest nor another reader, and then misses nothing', async () => {
    rollcall = await startTestRollcall();
    const begin = Promise.withResolvers<void>();
    const slow = await readEvents(rollcall.url, PATH, { key: rollcall.key, from: begin.promise });
    readers.push(slow);
    const quick = await watch();
    await announceMuch();
    const numbers = Array.from({ length: ROUNDS * 20 }, (_, index) => index);
    const told = (reader: EventReader) =>
      reader.heard.filter(({ data }) => 'n' in data).map(({ data }) => data.n as number);
    await quick.until((heard) => heard.length > numbers.length);
    expect(told(quick)).toEqual(numbers);
    expect((await register('stock')).status).toBe(201);
    expect(slow.heard).toEqual([]);

    begin.resolve();
    await slow.until((heard) => heard.at(-1)?.data.entity_id === 'stock');
    expect(told(slow)).toEqual(numbers);
    expect(slow.heard.map(({ event }) => event)).not.toContain('reset');
  });

  test('for long is let go of', async () => {
    rollcall = await startTestRollcall({ config: SOON });
    const slow = await request(rollcall);
    const watching = await watch();
    await announceMuch();
    const gone = once(slow, 'close');
    await watching.until((heard) => heard.length > ROUNDS * 20);
    slow.resume();
    await gone;
  });
});

describe('a server that stops', () => {
  test('ends its streams, says that one may come again, and takes no more', async () => {
    rollcall = await startTestRollcall();
    const reader = await watch();
    const id = reader.lastId() as string;
    await rollcall.rollcall.stop();
    expect((await reader.next('closed')).data).toEqual({ code: 'shutting_down', retry: true });
    await reader.ended;
    const refused = await rollcall.get(PATH, { headers: { 'last-event-id': id } });
    expect([refused.status, refused.body.code]).toEqual([503, 'shutting_down']);
  });

  test('waits for no reader', async () => {
    rollcall = await startTestRollcall();
    const config = readConfig({ DATABASE_URL: rollcall.databaseUrl, ROLLCALL_PORT: '0' });
    const server = await startServer(config, createLog('silent'));
    const reader = await watch({ url: server.url });
    const deaf = await request({ ...rollcall, url: server.url });
    await announceMuch();
    const gone = once(deaf, 'close');
    await server.stop();
    expect((await reader.next('closed')).data).toEqual({ code: 'shutting_down', retry: true });
    deaf.resume();
    await gone;
  });
});
