import express, { type RequestHandler } from 'express';
import { Problem } from '../problem.ts';

const ACCEPTED = /^(application\/(.*\+)?(json|x-ndjson|ndjson|jsonl|octet-stream)|text\/plain)\b/i;
const NDJSON = /ndjson|jsonl/i;

/** Reads the body as bytes, inflated, at most `limit` of them. */
export function readBody(limit: number): RequestHandler {
  const raw = express.raw({ type: () => true, limit, inflate: true });
  return (request, response, next) => {
    const type = request.headers['content-type'];
    if (type && !ACCEPTED.test(type)) {
      throw new Problem(415, 'unsupported_media_type', {
        detail: `${type} is not understood here. Send JSON with the header Content-Type: application/json.`,
      });
    }
    raw(request, response, next);
  };
}

/** Reads a body of whatever type as bytes, inflated, at most `limit` of them. */
export const readBytes = (limit: number): RequestHandler =>
  express.raw({ type: () => true, limit, inflate: true });

/** @throws Problem 400 that says where the JSON breaks */
export function parseJson(body: unknown): unknown {
  const text = decode(body);
  if (text.trim() === '') {
    throw new Problem(400, 'empty_body', { detail: 'The body is empty; JSON was expected.' });
  }
  return parse(text);
}

/**
 * One item, an array of items, or NDJSON. A broken line of NDJSON is an item of its own (`BrokenLine`), so
 * that the good ones beside it are kept.
 */
export function parseBatch(body: unknown, contentType: string | undefined): unknown[] {
  const text = decode(body);
  if (NDJSON.test(contentType ?? '')) return parseLines(text);
  if (text.trim() === '') return [];
  let whole: unknown;
  try {
    whole = parse(text);
  } catch (problem) {
    if (!/}\s*\n\s*{/.test(text)) throw problem;
    return parseLines(text);
  }
  return Array.isArray(whole) ? whole : [whole];
}

export class BrokenLine {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

function parseLines(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      try {
        return JSON.parse(line) as unknown;
      } catch (error) {
        return new BrokenLine((error as Error).message);
      }
    });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(body: unknown): string {
  if (!Buffer.isBuffer(body)) return '';
  try {
    return utf8.decode(body);
  } catch {
    throw new Problem(400, 'invalid_encoding', { detail: 'The body is not valid UTF-8.' });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Problem(400, 'invalid_json', {
      detail: `The body is not valid JSON: ${(error as Error).message}.`,
    });
  }
}
