import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import type { Allowance } from './allowance.ts';
import { checkDestination, type Destination, type ResolveHost } from './destination.ts';

export interface OutboundPost {
  url: string;
  headers: Record<string, string>;
  body: string;
  /** Milliseconds for everything, from looking up the name to the answer's status. */
  timeoutMs: number;
  allowed: Allowance;
  resolve?: ResolveHost | undefined;
  /** Ends it early. */
  signal?: AbortSignal | undefined;
}

export interface OutboundAnswer {
  status: number;
  retryAfter: string | undefined;
}

/**
 * Sends to an address that came from a caller. It connects to what was looked at, over a connection of its own, and
 * follows no redirect; nothing of the answer but its status and Retry-After is read.
 *
 * @throws DestinationError before anything is sent; Error when there is no answer in time
 */
export async function postOutbound(post: OutboundPost): Promise<OutboundAnswer> {
  const over = new AbortController();
  const limit = pause(post.timeoutMs, undefined, { ref: false, signal: over.signal }).then(
    () => {
      throw new Error(`No answer within ${post.timeoutMs / 1000} s.`);
    },
    () => new Promise<never>(() => undefined),
  );
  const stop = AbortSignal.any([over.signal, ...(post.signal ? [post.signal] : [])]);
  try {
    return await Promise.race([limit, send(post, stop)]);
  } finally {
    over.abort();
  }
}

async function send(post: OutboundPost, signal: AbortSignal): Promise<OutboundAnswer> {
  const destination = await checkDestination(post.url, post.allowed, post.resolve);
  signal.throwIfAborted();
  const response = await connect(destination, post, signal);
  response.destroy();
  return { status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] };
}

function connect(
  { url, addresses }: Destination,
  { headers, body }: OutboundPost,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const call = request(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' },
      agent: false,
      signal,
      lookup: (_host, options, found) => {
        const [first] = addresses;
        if (options.all) found(null, addresses);
        else found(null, first?.address ?? '', first?.family);
      },
    });
    call.once('response', resolve);
    // Some errors come after the answer; they change nothing.
    call.on('error', reject);
    call.end(body);
  });
}
