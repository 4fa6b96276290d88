import type { OutboxEnvironment } from '../../client/src/outbox/environment.ts';
import { createOutbox, type OutboxOptions } from '../../client/src/outbox/outbox.ts';

/** What the server says to a batch. */
export type Answer = (items: unknown[]) => Response | Promise<Response>;

/** Kept, all of it. */
export const kept: Answer = (items) =>
  Response.json({ accepted: items.length, duplicates: 0, rejected: 0, results: [] });
export const status =
  (code: number, body: object = {}, headers: Record<string, string> = {}): Answer =>
  () =>
    Response.json(body, { status: code, headers });
export const refusedConnection: Answer = () => Promise.reject(new TypeError('fetch failed'));

/** A machine whose clock stands until it is told, and a server that answers as it is told. */
export function machine(options: Partial<OutboxOptions> = {}) {
  let now = 1_000_000;
  let answer: Answer = kept;
  let timers: { at: number; call: () => void }[] = [];
  const sent: unknown[][] = [];
  const changes: boolean[] = [];
  const environment: OutboxEnvironment = {
    now: () => now,
    random: () => 1,
    gzip: undefined,
    after(ms, call) {
      const timer = { at: now + ms, call };
      timers.push(timer);
      return () => void (timers = timers.filter((one) => one !== timer));
    },
    async fetch(_url, request) {
      const items = JSON.parse(new TextDecoder().decode(request.body as Uint8Array)) as unknown[];
      sent.push(items);
      const aborted = new Promise<never>((_, reject) => {
        request.signal?.addEventListener('abort', () => reject(request.signal?.reason as Error));
      });
      return Promise.race([answer(items), aborted]);
    },
  };
  const outbox = createOutbox({
    url: 'http://rollcall.test/',
    onChange: ({ ok }) => void changes.push(ok),
    environment,
    ...options,
  });
  const settled = () => new Promise((resolve) => void setImmediate(resolve));
  return {
    outbox,
    sent,
    changes,
    settled,
    answerWith: (next: Answer) => void (answer = next),
    /** Lets time pass, timer by timer. */
    async advance(ms: number) {
      const end = now + ms;
      await settled();
      for (;;) {
        const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        now = Math.max(now, next.at);
        timers = timers.filter((one) => one !== next);
        next.call();
        await settled();
      }
      now = end;
    },
    timers: () => timers.length,
  };
}

/** So many, one after the other. */
export const numbers = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => from + i);
