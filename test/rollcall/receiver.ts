import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Delivered {
  headers: IncomingHttpHeaders;
  /** As it came. */
  text: string;
  // Tests look into whatever came.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any;
}

/** Answers a delivery; a number is a status. */
export type Reply = number | ((response: ServerResponse, delivered: Delivered) => void);

export interface Receiver {
  url: string;
  received: Delivered[];
  /** For every delivery from now on. */
  reply(reply: Reply): void;
  /** Resolves once so many have come. */
  has(count: number): Promise<void>;
  stop(): Promise<void>;
}

/** A web server of somebody who is told of events; it answers 204 until told otherwise. */
export async function startReceiver(): Promise<Receiver> {
  let current: Reply = 204;
  const received: Delivered[] = [];
  let came = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const delivered = { headers: request.headers, text, body: JSON.parse(text) };
      received.push(delivered);
      if (typeof current === 'number') response.writeHead(current).end();
      else current(response, delivered);
      came.resolve();
      came = Promise.withResolvers<void>();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    reply: (reply) => void (current = reply),
    async has(count) {
      while (received.length < count) await came.promise;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
