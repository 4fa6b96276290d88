import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface FaultyServer {
  url: string;
  requests(): number;
  /** From now on it answers like this; whoever still waits for an answer loses the connection. */
  answerWith(answer: RequestListener): void;
  /** Nobody listens at its address any more. */
  leave(): Promise<void>;
  /** It listens again where it did. */
  comeBack(): Promise<void>;
  stop(): Promise<void>;
}

/** Something that stands where Rollcall should be. */
export async function startFaulty(first: RequestListener): Promise<FaultyServer> {
  const sockets = new Set<Socket>();
  let requests = 0;
  let answer = first;
  const server = createServer((request, response) => {
    requests += 1;
    answer(request, response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const listen = async (at: number): Promise<number> => {
    server.listen(at, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const hangUp = () => sockets.forEach((socket) => socket.destroy());
  const leave = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    hangUp();
    await once(server, 'close');
  };
  const port = await listen(0);
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    answerWith: (next) => {
      answer = next;
      hangUp();
    },
    leave,
    comeBack: async () => void (await listen(port)),
    stop: leave,
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
