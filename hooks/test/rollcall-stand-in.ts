import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { N8nLifecycleEvent } from '../../client/src/contract/index.ts';

export interface StandIn {
  url: string;
  /** Every event that arrived, in order. */
  events: N8nLifecycleEvent[];
  /** Every body, unpacked. */
  bodies: string[];
  /** From now on requests are answered by this, once their body is there; undefined: kept, as Rollcall does. */
  answerWith(answer: RequestListener | undefined): void;
  stop(): Promise<void>;
}

/** A server on this machine that takes what the hooks send, and remembers it. */
export async function startStandIn(): Promise<StandIn> {
  let answer: RequestListener | undefined;
  const events: N8nLifecycleEvent[] = [];
  const bodies: string[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (answer) return answer(request, response);
      const sent = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      const items = JSON.parse(body.toString()) as N8nLifecycleEvent[];
      events.push(...items);
      bodies.push(body.toString());
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ accepted: items.length, duplicates: 0, rejected: 0 }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    events,
    bodies,
    answerWith: (next) => void (answer = next),
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
