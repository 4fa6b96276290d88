import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '../database/port.ts';
import type { Log } from '../log.ts';

/** Says when there may be something to read: for one lane (see lane.ts), or for `all`. */
export type Wake = (lane: string) => void;

export interface Wakes {
  /** The first time begins to listen; later ones change nothing. */
  start(wake: Wake): void;
  /** Whether notifications arrive. */
  hearing(): boolean;
  stop(): Promise<void>;
}

export interface WakeTimes {
  /** Between two wakes of all while nothing can be heard. */
  pollMs: number;
  /** Between two proofs that notifications still arrive; all are woken then, too. */
  echoMs: number;
  /** A proof takes at most this. */
  patienceMs: number;
  /** After a lost connection, at first; twice as long each time it fails again. */
  backoffMs: number;
}

const CHANNEL = 'rollcall_live';
const TIMES: WakeTimes = { pollMs: 1_000, echoMs: 20_000, patienceMs: 5_000, backoffMs: 250 };
const BACKOFF_AT_MOST_MS = 30_000;

/**
 * One connection that listens for the whole process, proven by words of its own that come back: behind a pooler in
 * transaction mode LISTEN succeeds and nothing is ever heard. While that is so, or the database can only be called
 * (Supabase), all are woken every second.
 */
export function liveWakes(
  database: Database,
  log: Log,
  { pollMs, echoMs, patienceMs, backoffMs }: WakeTimes = TIMES,
): Wakes {
  const stopping = new AbortController();
  let listening: Promise<void> | undefined;
  let poll: NodeJS.Timeout | undefined;
  let hearing = false;

  function start(wake: Wake): void {
    if (poll || stopping.signal.aborted) return;
    poll = setInterval(() => {
      if (!hearing) wake('all');
    }, pollMs).unref();
    if (database.listen) listening = keepListening(database.listen, wake);
  }

  async function keepListening(listen: NonNullable<Database['listen']>, wake: Wake): Promise<void> {
    let delay = backoffMs;
    for (let told = false; !stopping.signal.aborted;) {
      try {
        await hearUntilLost(listen, wake);
        delay = backoffMs;
        told = false;
      } catch (error) {
        const { message: reason } = error as Error;
        if (!told) log.warn({ reason }, 'No notifications: the database is asked every second');
        told = true;
      }
      await rest(delay, stopping.signal);
      delay = Math.min(delay * 2, BACKOFF_AT_MOST_MS);
    }
  }

  /** @throws Error when there is no connection, or nothing is heard over it */
  async function hearUntilLost(listen: NonNullable<Database['listen']>, wake: Wake): Promise<void> {
    const lost = new AbortController();
    const over = AbortSignal.any([lost.signal, stopping.signal]);
    let echo = Promise.withResolvers<void>();
    let word = '';
    const connection = await listen(
      CHANNEL,
      (payload) => (payload === word ? echo.resolve() : wake(payload)),
      () => lost.abort(),
    );
    try {
      while (!over.aborted) {
        echo = Promise.withResolvers<void>();
        word = `echo ${randomUUID()}`;
        const heard = echo.promise.then(() => true);
        await database.call('wake_live', { p_lane: word });
        if (!(await Promise.race([heard, rest(patienceMs, over).then(() => false)]))) {
          if (over.aborted) return;
          throw new Error('A notification did not come back');
        }
        hearing = true;
        wake('all');
        await rest(echoMs, over);
      }
    } finally {
      hearing = false;
      await connection.close();
    }
  }

  return {
    start,
    hearing: () => hearing,
    async stop() {
      stopping.abort();
      clearInterval(poll);
      await listening;
    },
  };
}

/** Until the time is over or the signal says so. */
const rest = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  pause(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
