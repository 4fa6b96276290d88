import type { RunError } from '../../client/src/contract/index.ts';
import { field, text } from './read.ts';
import { redacted } from './redact.ts';

const LONGEST_MESSAGE = 500;

/** Type and message of an error, and the node it names; no stack, no request, no response. */
export function pickError(error: unknown): RunError | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const type = text(field(error, 'name'), 255) ?? text(className(error), 255);
  const node = text(field(error, 'node', 'name'), 255);
  return {
    message: redacted(field(error, 'message'), LONGEST_MESSAGE) ?? '',
    ...(type !== undefined && { type }),
    ...(node !== undefined && { node }),
  };
}

/** Of an error that was never serialised: `name` stands on its class then. */
function className(error: object): unknown {
  try {
    return error instanceof Error ? error.name : undefined;
  } catch {
    return undefined;
  }
}
