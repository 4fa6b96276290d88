import type { JobData, Jobs, JobsOptions } from './jobs.ts';

/**
 * Jobs in this process alone, for a database that can only be called: done by the server that was asked. That no other
 * server does the same has to be seen to by the work itself.
 */
export function localJobs({ work, onError, concurrency = 2 }: JobsOptions): Jobs {
  const end = new AbortController();
  const running = new Set<Promise<void>>();
  const waiting: { kind: string; data: JobData }[] = [];

  function next(): void {
    while (running.size < concurrency && !end.signal.aborted) {
      const job = waiting.shift();
      if (!job) return;
      const done = (work[job.kind]?.(job.data, end.signal) ?? Promise.resolve())
        .catch(onError)
        .finally(() => {
          running.delete(done);
          next();
        });
      running.add(done);
    }
  }

  return {
    send(kind, data) {
      waiting.push({ kind, data });
      next();
      return Promise.resolve();
    },
    start: () => Promise.resolve(),
    async stop() {
      end.abort();
      await Promise.all(running);
    },
  };
}
