import type { PgBoss } from 'pg-boss';
import type { JobData, Jobs, JobsOptions } from './jobs.ts';

/** pg-boss keeps its tables here: beside ours, and migrated by itself. */
const SCHEMA = 'rollcall_jobs';
const CONNECTIONS = 3;
const POLL_SECONDS = 2;
/** A job whose server died is taken for failed after this; the schedule puts a new one in line. */
const EXPIRE_SECONDS = 3_600;
const KEPT_SECONDS = 86_400;
const GRACE_MS = 10_000;

/** Jobs in a line that all servers on a PostgreSQL share (pg-boss): each is handed to one of them. */
export function pgBossJobs({
  work,
  onError,
  concurrency = 2,
  url,
}: JobsOptions & { url: string }): Jobs {
  const end = new AbortController();
  const workers = new Map<string, string>();
  let boss: Promise<PgBoss> | undefined;

  async function open(): Promise<PgBoss> {
    // Loaded with its first job: most servers have none, and start sooner and smaller without it.
    const { PgBoss: Boss } = await import('pg-boss');
    const opening = new Boss({
      connectionString: url,
      schema: SCHEMA,
      max: CONNECTIONS,
      application_name: 'rollcall jobs',
      // Nothing runs by its clock: what is due stands in our own tables.
      schedule: false,
    });
    opening.on('error', onError);
    try {
      await opening.start();
      for (const kind of Object.keys(work)) {
        await opening.createQueue(kind, {
          retryLimit: 0,
          expireInSeconds: EXPIRE_SECONDS,
          deleteAfterSeconds: KEPT_SECONDS,
        });
      }
      return opening;
    } catch (error) {
      await opening.stop({ graceful: false }).catch(() => undefined);
      throw error;
    }
  }

  /** Opened when it is first needed; after a failure, the next time. */
  function opened(): Promise<PgBoss> {
    boss ??= open().catch((error: unknown) => {
      boss = undefined;
      throw error;
    });
    return boss;
  }

  async function start(): Promise<void> {
    const line = await opened();
    for (const [kind, handle] of Object.entries(work)) {
      if (workers.has(kind) || end.signal.aborted) continue;
      workers.set(kind, '');
      const options = { pollingIntervalSeconds: POLL_SECONDS, localConcurrency: concurrency };
      const worker = await line.work<JobData>(kind, options, async ([job]) => {
        if (job) await handle(job.data, end.signal).catch(onError);
      });
      workers.set(kind, worker);
    }
  }

  return {
    start,
    async send(kind, data) {
      const line = await opened();
      await line.send(kind, data);
      const worker = workers.get(kind);
      // Our own need not wait for its next look.
      if (worker) line.notifyWorker(worker);
    },
    async stop() {
      end.abort();
      const line = await boss?.catch(() => undefined);
      await line?.stop({ graceful: true, timeout: GRACE_MS });
    },
  };
}
