import { STATUS_CODES } from 'node:http';
import type { Problem as ProblemDocument } from '@rollcall/client/contract';
import type { ErrorRequestHandler, Response } from 'express';
import type { Log } from '../log.ts';
import { Problem } from '../problem.ts';
import { refuseRaw } from './raw.ts';

/**
 * Last in the chain: whatever was thrown leaves as a problem document (RFC 9457), or as a raw route says it, and
 * only here.
 */
export function renderProblem(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const problem = asProblem(error);
    // Overload and stopping are told to the caller; what they do not explain is ours.
    if (problem.status >= 500 && (problem.status !== 503 || problem.cause)) {
      log.error({ request: request.id, err: problem.cause ?? error }, problem.message);
    }
    if (response.headersSent) return next(error);
    setHeaders(response, problem);
    if (!refuseRaw(request, response, problem)) send(response, problem, request.id as string);
  };
}

function send(response: Response, problem: Problem, requestId: string): void {
  const document: ProblemDocument = {
    type: `https://rollcall.dev/problems/${problem.code}`,
    title: STATUS_CODES[problem.status] ?? 'Error',
    status: problem.status,
    code: problem.code,
    detail: problem.message,
    request_id: requestId,
    ...(problem.errors ? { errors: problem.errors } : {}),
    ...problem.members,
  };
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(document));
}

function setHeaders(response: Response, problem: Problem): void {
  if (problem.retryAfter) response.set('Retry-After', String(problem.retryAfter));
  if (problem.status === 401) response.set('WWW-Authenticate', 'Bearer realm="rollcall"');
}

/** What body-parser and Express throw, in our words. */
function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { type, status, message, limit } = error as {
    type?: string;
    status?: number;
    message?: string;
    limit?: number;
  };
  if (type === 'entity.too.large') {
    return new Problem(413, 'body_too_large', {
      detail: `The body is larger than ${limit} bytes. Send it in smaller batches.`,
    });
  }
  if (type === 'encoding.unsupported') {
    return new Problem(415, 'unsupported_encoding', {
      detail: 'Send the body plain, or compressed with gzip, deflate or br.',
    });
  }
  if (status && status >= 400 && status < 500) {
    return new Problem(status, 'malformed_request', {
      detail: `The request cannot be read: ${message ?? 'unknown'}.`,
    });
  }
  return new Problem(500, 'internal', {
    detail: 'Something failed on our side. It is logged under this request id.',
    cause: error,
  });
}
