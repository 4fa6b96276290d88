import { isProblem, serverFailure } from './answers.ts';
import { noAnswer } from './no-answer.ts';
import { CommandFailure, usageError } from '../failure.ts';
import { showProgress } from '../terminal/progress.ts';

/** Query fields; those that are undefined are left out. */
export type Query = Record<string, string | number | undefined>;

export interface CallOptions {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
}

/** A Rollcall server, as its command line sees it. */
export interface Api {
  url: string;
  /** @throws CommandFailure with the server's problem, or saying why there is no answer */
  call<Answer>(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /**
   * Reads an answer that is no JSON, as it is.
   * @throws CommandFailure as `call` does
   */
  text(path: string, type: string, options?: Pick<CallOptions, 'query'>): Promise<string>;
  /** The server's clock by its latest answer, in milliseconds. */
  serverTime(): number;
}

export interface ApiOptions {
  url: string;
  key: string | undefined;
  /** Milliseconds for one request. */
  timeoutMs?: number;
}

/** @throws CommandFailure when the key cannot be one */
export function connect({ url, key, timeoutMs = 30_000 }: ApiOptions): Api {
  if (key !== undefined && !/^[\x21-\x7e]+$/.test(key)) {
    throw usageError('The API key holds characters that no key has.', {
      next: 'Check --key or ROLLCALL_API_KEY: rc_ followed by 43 letters, digits, - or _.',
    });
  }
  const address = url.replace(/\/+$/, '');
  let serverTime = Date.now();

  async function ask<Answer>(
    method: string,
    path: string,
    { query, body, signal }: CallOptions,
    type: string,
    read: (response: Response) => Promise<Answer>,
  ): Promise<Answer> {
    const limit = AbortSignal.timeout(timeoutMs);
    const progress = showProgress();
    progress.say(`Waiting for ${address}`);
    try {
      const response = await fetch(address + path + queryText(query), {
        method,
        headers: {
          accept: type,
          ...(key ? { authorization: `Bearer ${key}` } : {}),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      });
      serverTime = Date.parse(response.headers.get('date') ?? '') || Date.now();
      return await read(response);
    } catch (error) {
      if (error instanceof CommandFailure || signal?.aborted) throw error;
      throw noAnswer(error, address, timeoutMs);
    } finally {
      progress.end();
    }
  }

  return {
    url: address,
    call: <Answer>(method: string, path: string, options: CallOptions = {}) =>
      ask(
        method,
        path,
        options,
        'application/json',
        async (response) => (await readAnswer(response, address)) as Answer,
      ),
    text: (path, type, options = {}) =>
      ask('GET', path, options, type, async (response) => {
        const isWanted = response.headers.get('content-type')?.startsWith(type);
        if (response.ok && isWanted) return response.text();
        await readAnswer(response, address);
        throw notRollcall(response, address);
      }),
    serverTime: () => serverTime,
  };
}

async function readAnswer(response: Response, address: string): Promise<unknown> {
  const text = await response.text();
  const answer = parse(text);
  if (response.ok && typeof answer === 'object' && answer !== null) return answer;
  if (isProblem(answer)) throw serverFailure(answer);
  throw notRollcall(response, address);
}

const notRollcall = ({ status }: Response, address: string): CommandFailure =>
  new CommandFailure(`${address} answered ${status}, but not in the way a Rollcall server does.`, {
    code: 'not_rollcall',
    next: 'Check the address: --url or ROLLCALL_URL.',
    // What stands in front of a server that restarts says 502, 503 or 504.
    temporary: status >= 500,
  });

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function queryText(query: Query = {}): string {
  const fields = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) fields.set(name, String(value));
  }
  return fields.size > 0 ? `?${fields.toString()}` : '';
}
