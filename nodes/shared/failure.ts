import type { IN8nHttpFullResponse } from 'n8n-workflow';

import type { BatchResult, Problem } from '../../client/src/contract';

/** Why a call did not succeed, in words for the person who runs the workflow. */
export interface Failure {
  message: string;
  description: string;
  httpCode?: string;
  /** Something answered, if not what was hoped for. */
  answered: boolean;
  /** Set when another attempt may succeed: how long to wait before it. */
  retryAfterMs?: number;
}

const RETRY_AFTER_MS = 250;
const ADVICE: Record<number, string> = {
  401: 'Check the API key in the Rollcall credential.',
  403: 'Give the API key in the Rollcall credential the scope that this call needs.',
  413: 'Send less at a time; Register Workflow can leave the definition out (Send Definition).',
  404: 'Check that the base URL in the Rollcall credential is the address of a Rollcall server.',
};

/** What is wrong with an answer, or `undefined` when it is a success that holds JSON. */
export function badAnswer(answer: IN8nHttpFullResponse, address: string): Failure | undefined {
  const { statusCode, body, headers } = answer;
  const json: unknown = body;
  if (statusCode >= 200 && statusCode < 300) {
    if (isObject(json)) return undefined;
    return {
      message: 'Rollcall sent an answer that is not JSON',
      description: `Something other than Rollcall seems to answer at ${address}: ${startOf(json)}. Check the base URL in the Rollcall credential.`,
      httpCode: String(statusCode),
      answered: true,
    };
  }
  return {
    message: `Rollcall answered ${statusCode}${isProblem(json) ? `: ${json.title}` : ''}`,
    description: [reasons(json), ADVICE[statusCode]].filter(Boolean).join(' '),
    httpCode: String(statusCode),
    answered: true,
    retryAfterMs:
      statusCode === 429 || statusCode >= 500 ? retryAfter(headers['retry-after']) : undefined,
  };
}

/** A request that got no answer at all: refused, cut, timed out, or never sent. */
export function noAnswer(error: unknown, address: string): Failure {
  const { message, code } = rootOf(error);
  return {
    message: 'Rollcall did not answer',
    description: `${address}: ${[code, message].filter(Boolean).join(' ')}. Check that the server runs and that n8n can reach the base URL in the Rollcall credential.`,
    answered: false,
    retryAfterMs: code === 'ECONNREFUSED' ? undefined : RETRY_AFTER_MS,
  };
}

/** The error under the layers that n8n puts around it, without what it knows of the request. */
function rootOf(error: unknown): { message: string; code?: string } {
  const { message, code, cause } = (isObject(error) ? error : {}) as Record<string, unknown>;
  if (cause instanceof Error) return rootOf(cause);
  return { message: String(message ?? error), code: typeof code === 'string' ? code : undefined };
}

function reasons(body: unknown): string {
  if (isProblem(body)) {
    const fields = (body.errors ?? []).map(({ path, message }) => `${path}: ${message}`);
    return [body.detail, ...fields].join(' ');
  }
  if (isBatchResult(body)) return rejections(body);
  return startOf(body);
}

/** The rejected items of a batch, the first few in full. */
export function rejections(batch: BatchResult): string {
  return batch.results
    .filter(({ status }) => status === 'rejected')
    .slice(0, 3)
    .map(
      ({ index, path, message, code }) => `Event ${index}, ${path ?? 'whole'}: ${message ?? code}`,
    )
    .join('; ');
}

function retryAfter(header: unknown): number {
  const seconds = Number(header);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : RETRY_AFTER_MS;
}

function startOf(body: unknown): string {
  const text = typeof body === 'string' ? body : (JSON.stringify(body) ?? '');
  return JSON.stringify(text.replace(/\s+/g, ' ').trim().slice(0, 120));
}

function isProblem(body: unknown): body is Problem {
  return isObject(body) && 'title' in body && 'detail' in body;
}

function isBatchResult(body: unknown): body is BatchResult {
  return isObject(body) && 'results' in body && Array.isArray(body.results);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
