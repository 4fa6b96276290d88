import { setTimeout as wait } from 'node:timers/promises';
import type { BatchResult } from '@rollcall/client/contract';
import { CommandFailure } from '../failure.ts';
import type { Api } from '../http/api.ts';

const PATH = '/api/v1/n8n/webhook';
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

export interface Shipped {
  accepted: number;
  duplicates: number;
  rejected: number;
  /** Why the first of the rejected was. */
  reason?: string;
}

export interface Shipping {
  api: Api;
  instance: string | undefined;
  /** A server that is away is waited for; else that fails. */
  patient: boolean;
  /** Ends waiting; a request under way may finish. */
  signal: AbortSignal;
  /** Ends a request under way, too. */
  cutOff: AbortSignal;
  note: (text: string) => void;
}

/**
 * Sends events until the server has judged each of them.
 *
 * @throws CommandFailure when it refuses all requests, such as for want of a key
 */
export async function shipEvents(events: object[], shipping: Shipping): Promise<Shipped> {
  try {
    return await send(events, shipping);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    const status = error.problem?.status;
    if (error.code === 'nothing_kept')
      return refused(events.length, error.lines[0] ?? error.message);
    if (status !== 413 && status !== 400) throw error;
    // One of them is too large, or spoils the others.
    if (events.length === 1) return refused(1, error.message);
    const middle = Math.ceil(events.length / 2);
    const first = await shipEvents(events.slice(0, middle), shipping);
    return sum(first, await shipEvents(events.slice(middle), shipping));
  }
}

const refused = (rejected: number, reason: string): Shipped => ({
  accepted: 0,
  duplicates: 0,
  rejected,
  reason,
});

/** Two counts as one. */
export function sum(one: Shipped, other: Shipped): Shipped {
  const reason = one.reason ?? other.reason;
  return {
    accepted: one.accepted + other.accepted,
    duplicates: one.duplicates + other.duplicates,
    rejected: one.rejected + other.rejected,
    ...(reason !== undefined && { reason }),
  };
}

async function send(
  events: object[],
  { api, instance, patient, signal, cutOff, note }: Shipping,
): Promise<Shipped> {
  let away = false;
  for (let pause = FIRST_WAIT_MS; ; pause = Math.min(pause * 2, LONGEST_WAIT_MS)) {
    try {
      const query = { instance_id: instance };
      const answer = await api.call<BatchResult>('POST', PATH, {
        query,
        body: events,
        signal: cutOff,
      });
      if (away) note(`${api.url} is back.`);
      const { accepted, duplicates, rejected, results } = answer;
      const wrong = results.find(({ status }) => status === 'rejected');
      const reason = wrong && [wrong.path, wrong.message].filter(Boolean).join(': ');
      return { accepted, duplicates, rejected, ...(reason && { reason }) };
    } catch (error) {
      if (!patient || !(error instanceof CommandFailure) || !error.temporary) throw error;
      if (!away) note(`${error.message} Waiting for it; nothing is lost, Ctrl-C ends.`);
      away = true;
      await wait(pause, undefined, { signal });
    }
  }
}
