import type { Log } from './log.ts';

export interface Task {
  /** Waits for a run that is under way. */
  stop(): Promise<void>;
}

/** Runs a piece of work every so many seconds, never twice at a time; a failure is logged and tried again next time. */
export function every(seconds: number, name: string, log: Log, work: () => Promise<unknown>): Task {
  let running: Promise<void> | undefined;
  const run = () => {
    running ??= work()
      .then(() => undefined)
      .catch((error: unknown) => log.error({ err: error, task: name }, `The task ${name} failed`))
      .finally(() => {
        running = undefined;
      });
  };
  const timer = setInterval(run, seconds * 1000);
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
