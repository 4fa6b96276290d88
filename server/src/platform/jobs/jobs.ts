/** A piece of work for one of the servers on a database. */
export type JobData = Record<string, string>;

/** How a kind of job is done. It is aborted when the server stops. */
export type JobWork = (data: JobData, signal: AbortSignal) => Promise<void>;

/**
 * Work that outlives the request which asked for it. A job goes to one server; whoever does it keeps its outcome, and
 * has to bear that a job comes again after its server has died.
 */
export interface Jobs {
  /** Puts a job of a kind in line. @throws when the line cannot be reached */
  send(kind: string, data: JobData): Promise<void>;
  /** Takes jobs, also those that other servers have put in line. */
  start(): Promise<void>;
  /** Aborts what is being done and waits for its end. */
  stop(): Promise<void>;
}

export interface JobsOptions {
  /** By kind. */
  work: Record<string, JobWork>;
  /** What the work threw, or the line itself. */
  onError: (error: unknown) => void;
  /** Jobs of a kind that this server does at the same time; 2 when left out. */
  concurrency?: number;
}
