import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { createOutbox, type Outbox, type OutboxOptions } from './outbox.ts';

interface Received {
  headers: IncomingHttpHeaders;
  bytes: number;
  items: unknown[];
}

const open: { server?: Server; outbox?: Outbox } = {};

afterEach(async () => {
  await open.outbox?.close(0);
  open.server?.closeAllConnections();
  open.server?.close();
});

/** A server on this machine; `answer` gets each request once its body is there. */
async function serving(answer: RequestListener, options: Partial<OutboxOptions> = {}) {
  const received: Received[] = [];
  open.server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const sent = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      const items = JSON.parse(body.toString()) as unknown[];
      received.push({ headers: request.headers, bytes: sent.length, items });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => open.server?.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(open.server.address() as AddressInfo).port}`;
  const headers = { authorization: 'Bearer rc_test' };
  open.outbox = createOutbox({ url, headers, ...options });
  return { outbox: open.outbox, received, url };
}

const keepAll =
  (received: () => Received[]): RequestListener =>
  (_, response) => {
    const accepted = received().at(-1)?.items.length;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ accepted, duplicates: 0, rejected: 0, results: [] }));
  };

test('what is sent is JSON with the headers it was given; large bodies are packed', async () => {
  const { outbox, received } = await serving((...call) => keepAll(() => received)(...call));
  outbox.add({ name: 'Grüße 🌍' });
  expect(await outbox.flush(5_000)).toBe(true);
  for (let index = 0; index < 400; index += 1) outbox.add({ index, text: 'the same again' });
  expect(await outbox.flush(5_000)).toBe(true);
  expect(received.map(({ items }) => items.length)).toEqual([1, 400]);
  expect(received[0]?.items).toEqual([{ name: 'Grüße 🌍' }]);
  expect(received[0]?.headers).toMatchObject({
    authorization: 'Bearer rc_test',
    'content-type': 'application/json',
  });
  expect(received[0]?.headers['content-encoding']).toBeUndefined();
  expect(received[1]?.headers['content-encoding']).toBe('gzip');
  expect(received[1]?.bytes).toBeLessThan(4_000);
});

test.each<[string, RequestListener]>([
  ['never answers', () => undefined],
  ['drips an answer without an end', (_, response) => void response.write('{"accepted":')],
])('a server that %s is given up in time', async (_, answer) => {
  const { outbox } = await serving(answer, { timeoutMs: 100 });
  outbox.add('x');
  expect(await outbox.flush(10_000)).toBe(false);
  expect(outbox.stats()).toMatchObject({ queued: 1, failedRequests: 1, accepted: 0 });
  expect(outbox.stats().lastFailure).toMatch('No complete answer within 100 ms');
});

test('an answer without an end in sight is not read to its end', async () => {
  const { outbox } = await serving((_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  });
  outbox.add('x');
  expect(await outbox.flush(10_000)).toBe(false);
  expect(outbox.stats()).toMatchObject({ queued: 1, failedRequests: 1 });
});

test('a key is not carried to where a redirect leads', async () => {
  let followed = 0;
  const { outbox, received, url } = await serving((request, response) => {
    if (request.url === '/elsewhere') followed += 1;
    response.writeHead(307, { location: `${url}/elsewhere` }).end();
  });
  outbox.add('x');
  expect(await outbox.flush(5_000)).toBe(false);
  expect([received.length, followed]).toEqual([1, 0]);
  expect(outbox.stats().lastFailure).toMatch('check the address');
});

test('a server that breaks off, or is not there', async () => {
  const { outbox } = await serving((request) => request.socket.destroy());
  outbox.add('x');
  expect(await outbox.flush(5_000)).toBe(false);
  open.server?.closeAllConnections();
  await new Promise((resolve) => open.server?.close(resolve));
  expect(await outbox.flush(5_000)).toBe(false);
  expect(outbox.stats()).toMatchObject({ queued: 1, failedRequests: 2 });
  expect(outbox.stats().lastFailure).toMatch('ECONNREFUSED');
});
