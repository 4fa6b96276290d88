import type { Request as HttpRequest, RequestHandler, Response } from 'express';
import type { Problem } from '../problem.ts';
import type { Principal, RawAnswer, RawHandling } from './route.ts';

/** The raw route that a response belongs to, so that whatever fails on the way is told in its own words. */
const handlings = new WeakMap<Response, RawHandling>();

/** First in a raw route's chain. */
export function answersRaw(raw: RawHandling): RequestHandler {
  return (_request, response, next) => {
    handlings.set(response, raw);
    next();
  };
}

/** Last in a raw route's chain. */
export function answerRaw(raw: RawHandling, nobody: Principal): RequestHandler {
  return async (request, response) => {
    const principal = (request as { principal?: Principal }).principal ?? nobody;
    const answer = await raw.handle({
      ...principal,
      requestId: request.id as string,
      bytes: Buffer.isBuffer(request.body) ? request.body : new Uint8Array(),
      contentType: request.headers['content-type'],
    });
    send(response, answer);
  };
}

/** Tells a problem as the raw route that it happened in would; `false` when it happened in none. */
export function refuseRaw(request: HttpRequest, response: Response, problem: Problem): boolean {
  const raw = handlings.get(response);
  if (raw) send(response, raw.refuse(problem, request.headers['content-type']));
  return raw !== undefined;
}

function send(response: Response, { status, contentType, bytes }: RawAnswer): void {
  response.status(status).set('Content-Type', contentType).send(Buffer.from(bytes));
}
