import { connect } from 'node:net';
import { serveLoad, type LoadConnection, type LoadJob } from './load.ts';

/** Where and how events are posted. */
export interface HttpTarget {
  port: number;
  path: string;
  headers: Record<string, string>;
}

/** A server that has enough in its queue says 503 and `Retry-After: 1`; a client that obeys comes back then. */
const RETRY_MS = 1000;

/**
 * Posts telemetry over HTTP/1.1, one request at a time on each connection, and lets every request end before
 * it stops, so that what was acknowledged can be counted. It writes prepared bytes to plain sockets: a client
 * that builds and parses each message would take a core from the server that it measures.
 */
serveLoad<HttpTarget>({
  write: (events, { target: { port, path, headers } }) => {
    const body = JSON.stringify(events);
    const head = [
      `POST ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    return `${head.join('\r\n')}\r\n\r\n${body}`;
  },
  connect: open,
});

async function open({ target, eventsPerRequest }: LoadJob<HttpTarget>): Promise<LoadConnection> {
  const socket = connect({ port: target.port, host: '127.0.0.1', noDelay: true });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  let waiting: { resolve: (acknowledged: number) => void; reject: (error: Error) => void };
  const answer = readAnswers((status, body) => {
    const acknowledged = acknowledgedBy(status, body, eventsPerRequest);
    if (acknowledged !== undefined) waiting.resolve(acknowledged);
    else if (status === 503) setTimeout(() => waiting.resolve(0), RETRY_MS);
    else waiting.reject(new Error(`${status} ${body}`));
  });
  socket.on('data', answer);
  socket.on('close', () => waiting.reject(new Error('The server closed the connection')));
  return {
    send: (bytes) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(bytes);
      }),
    close: () => void socket.destroy(),
  };
}

/** Rollcall counts in its answer; PostgREST's 201 is for the whole request. */
function acknowledgedBy(status: number, body: string, sent: number): number | undefined {
  if (status === 201) return sent;
  const accepted = status === 200 ? /"accepted":(\d+)/.exec(body)?.[1] : undefined;
  return accepted === undefined ? undefined : Number(accepted);
}

/** Follows answers just as far as to know their status, where they end, and how their bodies begin. */
function readAnswers(done: (status: number, body: string) => void): (chunk: Buffer) => void {
  let head = '';
  let missing: number | undefined;
  return (chunk) => {
    if (missing === undefined) {
      head += chunk.toString('latin1');
      const end = head.indexOf('\r\n\r\n') + 4;
      if (end < 4) return;
      const length = /\ncontent-length: *(\d+)/i.exec(head);
      // Without a length, the last chunk has to end it; only answers that fit into one packet have none.
      if (!length && !head.endsWith('\r\n0\r\n\r\n')) return;
      missing = length ? Number(length[1]) + end - head.length : 0;
    } else {
      missing -= chunk.length;
    }
    if (missing > 0) return;
    const status = Number(head.slice(9, 12));
    const start = head.indexOf('\r\n\r\n') + 4;
    const body = head.slice(start, start + 300);
    head = '';
    missing = undefined;
    done(status, body);
  };
}
