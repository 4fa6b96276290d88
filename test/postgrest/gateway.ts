import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const PREFIX = '/rest/v1';

export interface Gateway {
  url: string;
  stop(): Promise<void>;
}

/** What Supabase has in front of PostgREST: its tables and functions stand below /rest/v1. */
export async function startGateway(socket: string): Promise<Gateway> {
  const server = createServer((incoming, outgoing) => {
    const { url = '/' } = incoming;
    if (!url.startsWith(`${PREFIX}/`)) {
      outgoing.writeHead(404, { 'content-type': 'application/json' });
      outgoing.end('{"message":"no Route matched with those values"}');
      return;
    }
    forward(socket, url.slice(PREFIX.length), incoming, outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

function forward(
  socketPath: string,
  path: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const { method, headers } = incoming;
  const upstream = request({ socketPath, path, method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  upstream.on('error', () => outgoing.destroy());
  outgoing.on('close', () => upstream.destroy());
  incoming.pipe(upstream);
}
