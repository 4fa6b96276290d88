const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 60_000;

interface Pause {
  until: number;
  length: number;
  /** Somebody was let through when the last pause was over, and has not been heard of since. */
  trying: boolean;
  dropped: number;
}

/**
 * Keeps a server that does not answer from being asked by every execution. After a call without an answer nothing is
 * sent there for 10 s; then one call tries again, and each one in vain doubles the pause, to 60 s at most. Any answer
 * ends it. Servers are told apart by their address.
 *
 * @param now milliseconds of a clock
 */
export function createPauses(now: () => number) {
  const pauses = new Map<string, Pause>();

  return {
    /** Whether a call may be made now. Who is let through tells what came of it. */
    mayTry(address: string): boolean {
      const pause = pauses.get(address);
      if (!pause) return true;
      if (now() < pause.until) return false;
      pause.trying = true;
      // Should nothing be heard of this one, another may try after as long.
      pause.until = now() + pause.length;
      return true;
    },

    answered(address: string): void {
      pauses.delete(address);
    },

    unanswered(address: string): void {
      const pause = pauses.get(address);
      // Of calls that were under way together, the first one says it all.
      if (pause && !pause.trying) return;
      const length = pause ? Math.min(pause.length * 2, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS;
      pauses.set(address, {
        until: now() + length,
        length,
        trying: false,
        dropped: pause?.dropped ?? 0,
      });
    },

    /** Counts events that are not sent; answers how many since the last answer, and the milliseconds to the next try. */
    drop(address: string, events: number): { dropped: number; wait: number } {
      const pause = pauses.get(address);
      if (!pause) return { dropped: events, wait: 0 };
      pause.dropped += events;
      return { dropped: pause.dropped, wait: Math.max(pause.until - now(), 0) };
    },
  };
}
