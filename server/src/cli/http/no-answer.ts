import { CommandFailure } from '../failure.ts';

/** Why a request got no answer at all, from what `fetch` threw. */
export function noAnswer(error: unknown, address: string, timeoutMs: number): CommandFailure {
  const { message, next, code } = explain(error, address, timeoutMs);
  return new CommandFailure(message, { code, next, temporary: true, cause: error });
}

function explain(error: unknown, address: string, timeoutMs: number) {
  const { hostname } = new URL(address);
  const reason = rootOf(error);
  const code = 'unreachable';
  if (reason.name === 'TimeoutError') {
    return {
      code: 'timeout',
      message: `${address} did not answer within ${timeoutMs / 1000} s.`,
      next: 'Look at the server’s log; rollcall doctor tells whether its database answers.',
    };
  }
  if (reason.code === 'ECONNREFUSED') {
    return isLocal(hostname)
      ? { code, message: `No Rollcall at ${address}; start one with: npm start` }
      : { code, message: `No Rollcall at ${address}.`, next: 'Is it running? Is --url right?' };
  }
  if (reason.code === 'ENOTFOUND' || reason.code === 'EAI_AGAIN') {
    return {
      code,
      message: `There is no host ${hostname}, or its name cannot be looked up.`,
      next: 'Check the address: --url or ROLLCALL_URL.',
    };
  }
  return {
    code,
    message: `${address} gave no answer: ${reason.message || reason.code}.`,
    next: 'Check the address: --url or ROLLCALL_URL.',
  };
}

/** `fetch` wraps what happened; of several addresses that were tried, the last one tells. */
function rootOf(error: unknown): { name?: string; code?: string; message?: string } {
  const { cause, errors } = (error ?? {}) as { cause?: unknown; errors?: unknown[] };
  const inner = cause ?? errors?.at(-1);
  return inner ? rootOf(inner) : (error as { name?: string; code?: string; message?: string });
}

export const isLocal = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
