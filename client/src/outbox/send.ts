import type { RawAnswer } from './answer.ts';
import type { OutboxEnvironment } from './environment.ts';
import type { Waiting } from './queue.ts';

/** Smaller bodies are not worth the work. */
const GZIP_FROM = 1_024;

/** More of an answer is not read: it is none of Rollcall's. */
const ANSWER_LIMIT = 2_000_000;

export interface Destination {
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Milliseconds for a request as a whole, its answer included. */
  timeoutMs: number;
}

/**
 * Sends the items as one JSON array and reads the answer. Rejects when there is none within the time, or when
 * `stop` says so.
 */
export async function send(
  items: readonly Waiting[],
  { url, headers, timeoutMs }: Destination,
  environment: OutboxEnvironment,
  stop: AbortSignal,
): Promise<RawAnswer> {
  const limit = new AbortController();
  const abort = (): void => limit.abort(new Error('It was stopped'));
  if (stop.aborted) abort();
  stop.addEventListener('abort', abort);
  const giveUp = environment.after(timeoutMs, () =>
    limit.abort(new Error(`No complete answer within ${timeoutMs} ms`)),
  );
  try {
    const plain = arrayOf(items);
    const zipped =
      environment.gzip && plain.length >= GZIP_FROM ? await environment.gzip(plain) : undefined;
    const response = await environment.fetch(url, {
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        ...(zipped && { 'content-encoding': 'gzip' }),
      },
      body: zipped ?? plain,
      signal: limit.signal,
      // A key that is meant for one address is not carried to another.
      redirect: 'manual',
      credentials: 'omit',
    });
    const body = await textOf(response);
    return { status: response.status, retryAfter: response.headers.get('retry-after'), body };
  } finally {
    giveUp();
    stop.removeEventListener('abort', abort);
  }
}

async function textOf(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return '';
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
    if (text.length > ANSWER_LIMIT) {
      reader.cancel().catch(() => undefined);
      return '';
    }
  }
}

const OPEN = 0x5b;
const COMMA = 0x2c;
const CLOSE = 0x5d;

function arrayOf(items: readonly Waiting[]): Uint8Array<ArrayBuffer> {
  const size = items.reduce((sum, { bytes }) => sum + bytes.length + 1, 1);
  const body = new Uint8Array(Math.max(size, 2));
  body[0] = OPEN;
  let place = 1;
  for (const { bytes } of items) {
    body.set(bytes, place);
    place += bytes.length;
    body[place] = COMMA;
    place += 1;
  }
  body[body.length - 1] = CLOSE;
  return body;
}
