import { once } from 'node:events';
import type { Scope } from '@rollcall/client/contract';
import type { Request as HttpRequest, RequestHandler, Response } from 'express';
import { Problem, unavailable } from '../problem.ts';
import { authenticate, type VerifyKey } from './authenticate.ts';
import type { Principal, Route } from './route.ts';
import type { OpenStream, StreamEvent, StreamRequest } from './stream.ts';
import { validate } from './validate.ts';

export interface StreamOptions {
  /** Between two signs of life; the key is looked at again as often. */
  heartbeatMs: number;
  /** Streams that one key may have open at a time, in this process. */
  perKey: number;
  /** And all keys together. */
  total: number;
}

/** Heartbeats that may pass without the reader taking a byte. */
const PATIENCE = 4;
const RETRY_MS = 2_000;

/** Why a stream ends, told to its reader. */
class Ending {
  readonly code: string;
  readonly retry: boolean;
  constructor(code: string, retry: boolean) {
    this.code = code;
    this.retry = retry;
  }
}

export interface Streams {
  serve(open: OpenStream, asked: Omit<StreamRequest, 'signal'>, http: HttpExchange): Promise<void>;
  /** Ends all of them and takes no more. */
  close(): void;
}

interface HttpExchange {
  request: HttpRequest;
  response: Response;
  /** Rejects with a Problem once the key may not any more. */
  allowed: () => Promise<Principal>;
}

/** Last in a stream's chain. */
export function answerStream(
  { access, params, query }: Route,
  open: OpenStream,
  { streams, verifyKey }: { streams: Streams; verifyKey: VerifyKey },
): RequestHandler {
  return async (request, response) => {
    const { principal } = request as unknown as { principal: Principal };
    if (!request.accepts('text/event-stream')) {
      throw new Problem(406, 'not_acceptable', {
        detail: 'This answers with events: send Accept: text/event-stream.',
      });
    }
    const asked = {
      ...principal,
      requestId: request.id as string,
      params: params && validate(params, request.params, 'path'),
      query: query && validate(query, request.query, 'query'),
      body: undefined,
      lastEventId: request.headers['last-event-id'] as string | undefined,
    };
    await streams.serve(open, asked, {
      request,
      response,
      allowed: () => authenticate(request, access as Scope, verifyKey),
    });
  };
}

/** The streams that this process has open. */
export function openStreams({ heartbeatMs, perKey, total }: StreamOptions): Streams {
  const open = new Map<AbortController, string>();
  let closed = false;

  function admit(key: string): AbortController {
    if (closed)
      throw unavailable('shutting_down', 'The server is stopping. Connect again shortly.');
    if (open.size >= total) {
      throw unavailable(
        'overloaded',
        'This server has too many streams open. Connect again later.',
      );
    }
    if ([...open.values()].filter((each) => each === key).length >= perKey) {
      throw new Problem(429, 'too_many_streams', {
        detail: `This key has ${perKey} streams open, which is all it may. Close one, or use another key.`,
        retryAfter: 10,
      });
    }
    const stream = new AbortController();
    open.set(stream, key);
    return stream;
  }

  return {
    async serve(begin, asked, { request, response, allowed }) {
      const stream = admit(asked.keyId);
      response.once('close', () => stream.abort());
      if (response.closed) stream.abort();
      let beat: NodeJS.Timeout | undefined;
      try {
        const events = await begin({ ...asked, signal: stream.signal });
        writeHead(response);
        if (request.method === 'HEAD') return void response.end();
        beat = setInterval(heartbeat(response, stream, allowed), heartbeatMs).unref();
        await send(events, response, stream.signal);
      } finally {
        clearInterval(beat);
        open.delete(stream);
        stream.abort();
      }
    },
    close() {
      closed = true;
      for (const stream of open.keys()) stream.abort(new Ending('shutting_down', true));
    },
  };
}

function writeHead(response: Response): void {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    // A proxy that compresses or gathers would hold events back.
    'Cache-Control': 'no-store, no-transform',
    'X-Accel-Buffering': 'no',
    // Nothing follows on this connection, so a server that stops need not wait for it.
    Connection: 'close',
  });
  response.write(`retry: ${RETRY_MS}\n\n`);
}

async function send(
  events: AsyncIterable<StreamEvent>,
  response: Response,
  signal: AbortSignal,
): Promise<void> {
  for await (const event of events) {
    if (signal.aborted) break;
    // Whoever does not read is not written to: what he misses meanwhile waits in the table.
    if (!response.write(frame(event))) {
      await once(response, 'drain', { signal }).catch(() => undefined);
    }
  }
  if (response.destroyed) return;
  if (signal.aborted && response.writableNeedDrain) return void response.destroy();
  const { reason } = signal as { reason: unknown };
  response.end(reason instanceof Ending ? frame({ event: 'closed', data: { ...reason } }) : '');
}

/** Ends a stream whose reader has stopped reading or whose key has stopped being good. */
function heartbeat(
  response: Response,
  stream: AbortController,
  allowed: () => Promise<Principal>,
): () => void {
  let stalled = 0;
  return () => {
    stalled = response.writableNeedDrain ? stalled + 1 : 0;
    if (stalled >= PATIENCE) return void response.destroy();
    if (stalled === 0) response.write(':\n\n');
    allowed().catch((error: unknown) => {
      // A database that is away says nothing about the key.
      if (error instanceof Problem && error.status < 500) {
        stream.abort(new Ending(error.code, false));
      }
    });
  };
}

function frame({ event, id, data }: StreamEvent): string {
  const lines = [
    ...(event === undefined ? [] : [`event: ${event}`]),
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...(data === undefined ? [] : [`data: ${JSON.stringify(data)}`]),
  ];
  return `${lines.join('\n')}\n\n`;
}
