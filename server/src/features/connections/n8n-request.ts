import { setTimeout as pause } from 'node:timers/promises';
import { Problem } from '../../platform/problem.ts';

export interface N8nTarget {
  /** Where n8n is, without `/api/v1` and without a slash at its end. */
  baseUrl: string;
  apiKey: string;
}

export interface RequestOptions {
  /** Requests a second at most; 10 when left out. */
  perSecond?: number;
  /** Tries of one request while n8n is busy; 5 when left out. */
  tries?: number;
  /** Milliseconds for one try; 30,000 when left out. */
  timeoutMs?: number;
  /** Milliseconds before the second try, twice as many before each further one; 500 when left out. */
  backoffMs?: number;
  /** Ends what waits and what is under way. */
  signal?: AbortSignal;
}

/** Asks n8n's API once; answers what `read` reads in what it sent, its JSON when left out. */
export type N8nRequest = <Answer = unknown>(
  method: string,
  path: string,
  body?: object,
  /** Undefined for what is not JSON. */
  read?: (sent: Buffer<ArrayBuffer>) => Answer | undefined,
) => Promise<Answer>;

const LONGEST_WAIT_MS = 60_000;
const LARGEST_ANSWER = 256 * 1024 * 1024;

/** What a failed try says: the problem, and whether the next one may go better. */
interface Failure {
  problem: Problem;
  /** Milliseconds that n8n asks to wait; undefined where it leaves that open. */
  after?: number;
  temporary: boolean;
}

export function n8nRequest(target: N8nTarget, options: RequestOptions): N8nRequest {
  const { perSecond = 10, tries = 5, timeoutMs = 30_000, backoffMs = 500, signal } = options;
  let turn = Promise.resolve();

  /** One after another, so far apart; what is asked at the same time queues. */
  function myTurn(): Promise<void> {
    const mine = turn;
    turn = mine.then(() => pause(1000 / perSecond, undefined, { ref: false }));
    return mine;
  }

  return async <Answer>(
    method: string,
    path: string,
    body?: object,
    read: (sent: Buffer<ArrayBuffer>) => Answer | undefined = jsonIn as typeof read,
  ): Promise<Answer> => {
    for (let count = 1; ; count += 1) {
      await myTurn();
      signal?.throwIfAborted();
      const tried = await tryOnce(target, { method, path, body, read }, timeoutMs, signal);
      if ('answer' in tried) return tried.answer;
      const { problem, temporary, after = backoffMs * 2 ** (count - 1) } = tried;
      if (!temporary || count >= tries) throw problem;
      await pause(Math.min(after, LONGEST_WAIT_MS), undefined, { signal });
    }
  };
}

interface Asked<Answer> {
  method: string;
  path: string;
  body: object | undefined;
  read: (sent: Buffer<ArrayBuffer>) => Answer | undefined;
}

async function tryOnce<Answer>(
  target: N8nTarget,
  { method, path, body, read }: Asked<Answer>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<{ answer: Answer } | Failure> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(`${target.baseUrl}/api/v1/${path}`, {
      method,
      headers: {
        accept: 'application/json',
        'X-N8N-API-KEY': target.apiKey,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      // Followed, a redirect would carry the key to whoever it names.
      redirect: 'manual',
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    return judge(target, response, path, await bodyOf(response), read);
  } catch (error) {
    signal?.throwIfAborted();
    return { problem: unreachable(target, error), temporary: true };
  }
}

/** Of an answer that never ends only so much is read. Nothing else lies in the memory that it gets. */
async function bodyOf(response: Response): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length;
    if (size > LARGEST_ANSWER) throw new Error(`it answers more than ${LARGEST_ANSWER} bytes`);
    chunks.push(chunk as Uint8Array);
  }
  const body = Buffer.from(new ArrayBuffer(size));
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

function judge<Answer>(
  target: N8nTarget,
  response: Response,
  path: string,
  body: Buffer<ArrayBuffer>,
  read: (sent: Buffer<ArrayBuffer>) => Answer | undefined,
): { answer: Answer } | Failure {
  const { status } = response;
  const fail = (problem: Problem): Failure => ({ problem, temporary: false });
  if (status >= 300 && status < 400) return fail(redirects(target, response));
  if (status === 429 || status >= 500) {
    const after = secondsIn(response.headers.get('retry-after'));
    const problem = fault('n8n_busy', 'base_url', `${target.baseUrl} answers ${status}`, BUSY);
    return { problem, temporary: true, ...(after !== undefined && { after: after * 1000 }) };
  }
  if (status < 300) {
    const answer = read(body);
    if (answer !== undefined) return { answer };
  }
  const answer = jsonIn(body);
  if (answer === undefined && /^\s*</.test(body.toString())) return fail(html(target));
  if (status === 401) return fail(keyRefused(target));
  if (status === 403) return fail(lacksScope(target, path));
  if (status === 404 && /^workflows\/./.test(path) && isObject(answer)) {
    const detail = `n8n has no such workflow: ${path.split('/')[1]}.`;
    return fail(new Problem(404, 'n8n_workflow_not_found', { detail }));
  }
  if (status === 404) return fail(notN8n(target, 'has no /api/v1'));
  if (answer === undefined) return fail(notN8n(target, `answers ${status} without JSON`));
  return fail(refused(answer, status));
}

const BUSY = 'Try again in a while; if it stays so, see n8n’s log.';

function fault(code: string, path: string, what: string, next: string): Problem {
  return new Problem(422, code, {
    detail: `${what}. ${next}`,
    errors: [{ path, code, message: what }],
  });
}

function unreachable({ baseUrl }: N8nTarget, error: unknown): Problem {
  const { cause, message, name } = error as Error & { cause?: { code?: string } };
  const why = name === 'TimeoutError' ? 'no answer in time' : (cause?.code ?? message);
  const next = 'Check the address, and that n8n runs and can be reached from this server.';
  return fault('n8n_unreachable', 'base_url', `${baseUrl} does not answer (${why})`, next);
}

const keyRefused = ({ baseUrl }: N8nTarget): Problem =>
  fault(
    'n8n_key_refused',
    'api_key',
    `n8n at ${baseUrl} does not know this API key`,
    'Make one in n8n: Settings, n8n API.',
  );

const lacksScope = ({ baseUrl }: N8nTarget, path: string): Problem =>
  fault(
    'n8n_key_lacks_scope',
    'api_key',
    `n8n at ${baseUrl} does not let this API key use ${path.split(/[/?]/)[0]}`,
    'Give it the scopes to list and read workflows and executions, and to update and activate workflows if Rollcall is to fix them.',
  );

const html = ({ baseUrl }: N8nTarget): Problem =>
  fault(
    'n8n_answers_html',
    'base_url',
    `${baseUrl} answers with a web page where n8n’s API should be`,
    'Give the address of n8n itself, without the path of a page; if a sign-in stands in front of it, let /api/v1 pass.',
  );

/** It answers, but not as n8n does. */
export const notN8n = ({ baseUrl }: N8nTarget, what: string): Problem =>
  fault(
    'not_n8n',
    'base_url',
    `${baseUrl} ${what}, as n8n’s API would`,
    'Check the address, and that n8n’s public API is not switched off (N8N_PUBLIC_API_DISABLED).',
  );

function redirects({ baseUrl }: N8nTarget, response: Response): Problem {
  const to = response.headers.get('location') ?? '';
  const origin = URL.canParse(to, baseUrl) ? new URL(to, baseUrl).origin : 'elsewhere';
  const next = 'Give that address; the key is not sent where a redirect leads.';
  return fault('n8n_redirects', 'base_url', `${baseUrl} redirects to ${origin}`, next);
}

function refused(answer: unknown, status: number): Problem {
  const said = isObject(answer) && typeof answer.message === 'string' ? answer.message : '';
  const detail = `n8n refused that (${status})${said ? `: ${said.slice(0, 500)}` : '.'}`;
  return new Problem(422, 'n8n_refused', { detail });
}

/** `Retry-After` in seconds, or as a date. */
function secondsIn(value: string | null): number | undefined {
  if (value === null || value.trim() === '') return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(seconds, 0);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max((date - Date.now()) / 1000, 0);
}

/** Undefined for what is not JSON. */
export function jsonIn(sent: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(sent)) as unknown;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
