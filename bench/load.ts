import { fork } from 'node:child_process';
import {
  freshIds,
  makeEvents,
  seededRandom,
  Stamp,
  type EventRow,
  type FreshIds,
} from './events.ts';
import { quantile } from './report.ts';

/** What a load process is told to do. */
export interface LoadJob<Target> {
  eventsPerRequest: number;
  connections: number;
  /** Measured, after the warm-up. */
  seconds: number;
  warmUpSeconds: number;
  /** Tells the ids of this job from those of all others in the same run: 0 to 4095. */
  number: number;
  target: Target;
}

export interface LoadResult {
  /** Events that were acknowledged in all, warm-up included. */
  acknowledged: number;
  eventsPerSecond: number;
  requestsPerSecond: number;
  /** Requests that were sent away to come again later. */
  refused: number;
  /** Milliseconds from sending a request to its answer. */
  p50: number;
  p99: number;
  /** Of one core, that the load process itself used. */
  cpu: number;
}

/** Keeps the time of a job and counts what is acknowledged. */
export class Meter {
  readonly #began = performance.now();
  readonly #job: LoadJob<unknown>;
  readonly #latencies: number[] = [];
  #acknowledged = 0;
  #measured = 0;
  #refused = 0;

  constructor(job: LoadJob<unknown>) {
    this.#job = job;
  }

  running(): boolean {
    return this.#elapsed() < this.#job.warmUpSeconds + this.#job.seconds;
  }

  count(events: number, milliseconds: number): void {
    this.#acknowledged += events;
    if (events === 0) {
      this.#refused += 1;
      return;
    }
    if (this.#elapsed() < this.#job.warmUpSeconds || !this.running()) return;
    this.#measured += events;
    this.#latencies.push(milliseconds);
  }

  result(): LoadResult {
    const { seconds } = this.#job;
    const { user, system } = process.cpuUsage();
    return {
      acknowledged: this.#acknowledged,
      eventsPerSecond: this.#measured / seconds,
      requestsPerSecond: this.#latencies.length / seconds,
      refused: this.#refused,
      p50: quantile(this.#latencies, 0.5),
      p99: quantile(this.#latencies, 0.99),
      cpu: (user + system) / 1e6 / process.uptime(),
    };
  }

  #elapsed(): number {
    return (performance.now() - this.#began) / 1000;
  }
}

/** Requests that are ready but for their ids, for as many connections as the job has. */
export class Requests {
  readonly #waiting: Stamp[];
  readonly #fresh: FreshIds;

  /** @param write turns the events of one request into its bytes */
  constructor(job: LoadJob<unknown>, write: (events: EventRow[]) => string) {
    const random = seededRandom(job.eventsPerRequest * 1000 + job.connections);
    const now = Date.now();
    const count = job.connections + Math.ceil(500 / job.eventsPerRequest);
    this.#fresh = freshIds(job.number * 2 ** 36);
    this.#waiting = Array.from({ length: count }, () => {
      // What a client has gathered in the last half minute.
      const timeOf = () => new Date(now - Math.floor(random() * 30_000));
      return new Stamp(write(makeEvents(job.eventsPerRequest, random, timeOf)));
    });
  }

  /** Hands a request with new ids to `send`, and nobody else until it is done. */
  async use(send: (bytes: Buffer) => Promise<number>): Promise<number> {
    const request = this.#waiting.shift();
    if (!request) throw new Error('There are fewer requests than connections');
    const acknowledged = await send(request.renew(this.#fresh));
    this.#waiting.push(request);
    return acknowledged;
  }
}

/** One connection: sends a request and answers how many of its events were acknowledged. */
export interface LoadConnection {
  send(bytes: Buffer): Promise<number>;
  close(): Promise<void> | void;
}

/** Runs in the load process: takes the job, keeps every connection busy, and reports. */
export function serveLoad<Target>(prepare: {
  write: (events: EventRow[], job: LoadJob<Target>) => string;
  connect: (job: LoadJob<Target>) => Promise<LoadConnection>;
}): void {
  process.once('message', (message) => {
    const job = message as LoadJob<Target>;
    void (async () => {
      const requests = new Requests(job, (events) => prepare.write(events, job));
      const connections = await Promise.all(
        Array.from({ length: job.connections }, () => prepare.connect(job)),
      );
      const meter = new Meter(job);
      await Promise.all(
        connections.map(async (connection) => {
          while (meter.running()) {
            const began = performance.now();
            const acknowledged = await requests.use(connection.send);
            meter.count(acknowledged, performance.now() - began);
          }
          await connection.close();
        }),
      );
      process.send?.(meter.result());
      process.disconnect();
    })();
  });
}

/** Runs a job in a process of its own, so that the load is not part of what is measured. */
export function runLoad<Target>(script: string, job: LoadJob<Target>): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL(script, import.meta.url));
    child.once('message', (result) => resolve(result as LoadResult));
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code}`)));
    child.send(job);
  });
}
