import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface FaultyServer {
  url: string;
  requests(): number;
  stop(): Promise<void>;
}

/** Something that stands where Rollcall should be. */
export async function startFaulty(answer: RequestListener): Promise<FaultyServer> {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    answer(request, response);
  });
  server.on('connection', (socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Takes every connection and never answers. */
export const hangs: RequestListener = () => undefined;

/** Answers bit by bit without an end, so that no timeout between two bytes ever strikes. */
export const drips: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const drip = setInterval(() => response.write(' '), 200);
  response.on('close', () => clearInterval(drip));
};

export const answers500: RequestListener = (_request, response) => {
  response.writeHead(500, { 'content-type': 'application/problem+json' });
  response.end('{"title":"Internal error","detail":"Look into the log.","status":500}');
};

export const answersHtml: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end('<!doctype html><title>It works!</title>');
};
