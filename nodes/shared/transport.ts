import type {
  IDataObject,
  IExecuteFunctions,
  IHookFunctions,
  IN8nHttpFullResponse,
} from 'n8n-workflow';
import { NodeApiError, sleep } from 'n8n-workflow';

import { badAnswer, noAnswer, type Failure } from './failure.ts';

/** What a node that runs and a trigger that is switched on have in common. */
export type RollcallContext = IExecuteFunctions | IHookFunctions;

export interface RollcallRequest {
  method: 'GET' | 'POST' | 'DELETE';
  /** Path under the base URL, e.g. `/api/v1/gaps`. */
  path: string;
  query?: IDataObject;
  body?: IDataObject | IDataObject[];
  /** Milliseconds for the whole call, retry included. */
  timeout: number;
  /** Told at the end of the call whether there was any answer, were it an error's. */
  onEnd?: (answered: boolean) => void;
}

type Outcome = { body: object } | { failure: Failure };

/** Less than this is not worth another attempt. */
const SHORTEST_ATTEMPT_MS = 100;

/**
 * Calls the Rollcall server with the node's credential and returns the JSON of its answer. Every
 * Rollcall call is idempotent, so a network error, a 429 and a 5xx are tried once more within the
 * timeout; a refused connection is not, for nobody is there. Rejects with a NodeApiError that says
 * what to do next.
 */
export async function askRollcall<Answer extends object>(
  context: RollcallContext,
  request: RollcallRequest,
): Promise<Answer> {
  const address = await addressOf(context);
  const deadline = Date.now() + request.timeout;

  let outcome = await attempt(context, address, request, deadline);
  if ('failure' in outcome && mayRetry(context, outcome.failure, deadline)) {
    await sleep(outcome.failure.retryAfterMs);
    outcome = await attempt(context, address, request, deadline);
  }
  request.onEnd?.('body' in outcome || outcome.failure.answered);
  if ('body' in outcome) return outcome.body as Answer;
  const { message, description, httpCode } = outcome.failure;
  throw new NodeApiError(
    context.getNode(),
    { message, description },
    { message, description, httpCode },
  );
}

/** The server's address as the node's credential has it, without a slash at its end. */
export async function addressOf(context: RollcallContext): Promise<string> {
  const { baseUrl } = await context.getCredentials<{ baseUrl: string }>('rollcallApi');
  return baseUrl.trim().replace(/\/+$/, '');
}

function mayRetry(
  context: RollcallContext,
  failure: Failure,
  deadline: number,
): failure is Failure & { retryAfterMs: number } {
  if (failure.retryAfterMs === undefined) return false;
  if ('getExecutionCancelSignal' in context && context.getExecutionCancelSignal()?.aborted)
    return false;
  return Date.now() + failure.retryAfterMs + SHORTEST_ATTEMPT_MS < deadline;
}

async function attempt(
  context: RollcallContext,
  address: string,
  { method, path, query, body }: RollcallRequest,
  deadline: number,
): Promise<Outcome> {
  const timeout = Math.max(deadline - Date.now(), 1);
  const request = context.helpers.httpRequestWithAuthentication.call(context, 'rollcallApi', {
    method,
    url: `${address}${path}`,
    qs: query,
    arrayFormat: 'repeat',
    body,
    json: true,
    timeout,
    returnFullResponse: true,
    ignoreHttpStatusErrors: true,
    sendCredentialsOnCrossOriginRedirect: false,
  }) as Promise<IN8nHttpFullResponse>;
  try {
    const answer = await within(timeout, request);
    const failure = badAnswer(answer, address);
    return failure ? { failure } : { body: answer.body as object };
  } catch (error) {
    return { failure: noAnswer(error, address) };
  }
}

/**
 * The request helper's timeout starts anew with every byte that arrives; this one does not. It
 * holds no process open.
 */
export async function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  const limit = new Promise<never>((_, reject) => {
    AbortSignal.timeout(ms).addEventListener('abort', () =>
      reject(Object.assign(new Error(`No complete answer within ${ms} ms`), { code: 'ETIMEDOUT' })),
    );
  });
  return await Promise.race([work, limit]);
}
