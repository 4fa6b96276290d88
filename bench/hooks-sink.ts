import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** Takes what the hooks send, as Rollcall answers it, in a process of its own; tells how much that was. */
const seen = { events: 0, requests: 0, bytes: 0 };

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const sent = Buffer.concat(chunks);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    const accepted = (JSON.parse(body.toString()) as unknown[]).length;
    seen.events += accepted;
    seen.requests += 1;
    seen.bytes += sent.length;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ accepted, duplicates: 0, rejected: 0 }));
  });
});
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on('message', () => process.send?.(seen));
process.on('disconnect', () => process.exit());
