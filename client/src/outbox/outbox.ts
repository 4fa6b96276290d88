import { judge, type Verdict } from './answer.ts';
import { runningEnvironment, type OutboxEnvironment } from './environment.ts';
import { memoryQueue, type Waiting } from './queue.ts';
import { send, type Destination } from './send.ts';

export interface OutboxOptions {
  /** Where batches are posted: a route that takes an array and answers with a `BatchResult`. */
  url: string;
  headers?: Readonly<Record<string, string>>;
  /** Most items that are held, those on their way included. 10,000 when left out. */
  mostItems?: number;
  /** Most bytes that are held, as UTF-8 JSON. 16 MB when left out. */
  mostBytes?: number;
  /** Larger items are dropped at once, in bytes. 1 MB when left out. */
  mostItemBytes?: number;
  /** A batch goes when it has this many items (500 when left out), */
  batchItems?: number;
  /** or this many bytes (1 MB when left out), */
  batchBytes?: number;
  /** or when its oldest item has waited so long, in milliseconds. 1 s when left out. */
  batchAgeMs?: number;
  /** For each request, its answer included, in milliseconds. 10 s when left out. */
  timeoutMs?: number;
  /** Told once when sending begins to fail, when the reason changes, and when it works again. */
  onChange?: (state: { ok: boolean; reason: string }) => void;
  environment?: OutboxEnvironment;
}

/** Counts are since the outbox was made. */
export interface OutboxStats {
  /** Held now, those on their way included. */
  queued: number;
  queuedBytes: number;
  accepted: number;
  /** Kept already when they came: an answer had been lost. */
  duplicates: number;
  /** The server refused them for good. */
  rejected: number;
  /** Given up here: no room, too large, not to be written as JSON, or not sent before the end. */
  dropped: number;
  requests: number;
  failedRequests: number;
  /** Why the last request failed, or items were rejected. */
  lastFailure: string | undefined;
}

export interface Outbox {
  /** Takes the item over, or drops it; never waits and never throws. False when it was dropped. */
  add(item: unknown): boolean;
  /**
   * Sends what waits now, within so many milliseconds. True when all of it has left; false when time ran out or
   * the server did not take it. What is left stays.
   */
  flush(withinMs: number): Promise<boolean>;
  /** As `flush`, then ends for good: a request on its way is given up, what is left is dropped. */
  close(withinMs: number): Promise<boolean>;
  stats(): OutboxStats;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 60_000;
const FIRST_PAUSE_MS = 30_000;
const LAST_PAUSE_MS = 600_000;
const MOST_UNFIT = 3;

/**
 * Sends items in batches and in order, one request at a time, and never throws. Failed batches are tried again, at
 * growing distances; when there is no room left, the oldest go first and are counted. No timer of it keeps a process
 * alive.
 */
export function createOutbox(options: OutboxOptions): Outbox {
  const environment = options.environment ?? runningEnvironment;
  const { mostItems = 10_000, mostBytes = 16_000_000, mostItemBytes = 1_000_000 } = options;
  const { batchItems = 500, batchBytes = 1_000_000, batchAgeMs = 1_000 } = options;
  const destination: Destination = {
    url: options.url,
    headers: options.headers ?? {},
    timeoutMs: options.timeoutMs ?? 10_000,
  };
  const queue = memoryQueue();
  const encoder = new TextEncoder();
  const stop = new AbortController();
  const counts = { accepted: 0, duplicates: 0, rejected: 0, dropped: 0 };
  const requests = { requests: 0, failedRequests: 0 };
  let lastFailure: string | undefined;
  let onTheWay: Waiting[] = [];
  let bytesOnTheWay = 0;
  let sending = false;
  let closed = false;
  /** Nothing is sent before this moment. */
  let notBefore = 0;
  let refused = false;
  let failures = 0;
  /** Items in a batch for now: fewer after the server found one too big. */
  let atOnce = batchItems;
  /** Single items in a row that were given up as unfit; after a few of them there is a pause. */
  let unfit = 0;
  let trouble: Verdict['kind'] | undefined;
  let flushes: ((left: boolean) => void)[] = [];
  let alarm: { at: number; cancel: () => void } | undefined;

  const held = () => queue.count + onTheWay.length;
  const heldBytes = () => queue.bytes + bytesOnTheWay;

  function encode(item: unknown): Uint8Array | undefined {
    try {
      const text = JSON.stringify(item) as string | undefined;
      return text === undefined ? undefined : encoder.encode(text);
    } catch {
      return undefined;
    }
  }

  function add(item: unknown): boolean {
    const bytes = closed ? undefined : encode(item);
    const size = bytes?.length ?? 0;
    const isFull = () => held() >= mostItems || heldBytes() + size > mostBytes;
    if (bytes && size <= mostItemBytes) {
      while (queue.count > 0 && isFull()) {
        queue.drop();
        counts.dropped += 1;
      }
    }
    if (!bytes || size > mostItemBytes || isFull()) {
      counts.dropped += 1;
      return false;
    }
    queue.add({ bytes, at: environment.now() });
    schedule();
    return true;
  }

  function schedule(): void {
    const oldest = queue.oldest();
    if (closed || sending || oldest === undefined) return;
    const now = environment.now();
    const isDue =
      flushes.length > 0 || queue.count >= atOnce || queue.bytes >= batchBytes || failures > 0;
    const due = isDue ? now : Math.min(oldest.at, now) + batchAgeMs;
    const at = Math.max(due, notBefore);
    if (alarm && alarm.at <= at) return;
    alarm?.cancel();
    const ring = () => {
      alarm = undefined;
      void sendBatch();
    };
    alarm = { at, cancel: environment.after(Math.max(at - now, 0), ring) };
  }

  async function sendBatch(): Promise<void> {
    if (sending || queue.count === 0) return;
    sending = true;
    bytesOnTheWay = queue.bytes;
    onTheWay = queue.take(atOnce, batchBytes);
    bytesOnTheWay -= queue.bytes;
    requests.requests += 1;
    const verdict = await outcome(onTheWay);
    const batch = onTheWay;
    onTheWay = [];
    bytesOnTheWay = 0;
    sending = false;
    settle(verdict, batch);
    endFlushes(verdict);
    schedule();
  }

  async function outcome(batch: Waiting[]): Promise<Verdict> {
    try {
      const answer = await send(batch, destination, environment, stop.signal);
      return judge(answer, batch.length, environment.now());
    } catch (error) {
      return { kind: 'later', reason: reasonOf(error) };
    }
  }

  function settle(verdict: Verdict, batch: Waiting[]): void {
    if (closed) {
      if (verdict.kind === 'done') count(verdict);
      else counts.dropped += batch.length;
      return;
    }
    if (verdict.kind === 'done') {
      count(verdict);
      failures = 0;
      unfit = 0;
      refused = false;
      atOnce = Math.min(atOnce * 2, batchItems);
      if (verdict.reason !== undefined) lastFailure = verdict.reason;
      return announce(undefined);
    }
    requests.failedRequests += 1;
    lastFailure = verdict.reason;
    if (verdict.kind === 'split' && batch.length > 1) {
      atOnce = Math.ceil(batch.length / 2);
      return queue.putBack(batch);
    }
    if (verdict.kind === 'split' && unfit < MOST_UNFIT) {
      counts.dropped += 1;
      unfit += 1;
      return;
    }
    queue.putBack(batch);
    refused = verdict.kind !== 'later';
    unfit = 0;
    const told = verdict.kind === 'later' ? (verdict.waitMs ?? 0) : 0;
    notBefore = environment.now() + Math.max(told, distance());
    failures += 1;
    announce(verdict.kind, verdict.reason);
  }

  /** How long to wait after this failure: twice as long each time, less a part that is left to chance. */
  function distance(): number {
    const [first, last] = refused
      ? [FIRST_PAUSE_MS, LAST_PAUSE_MS]
      : [FIRST_RETRY_MS, LAST_RETRY_MS];
    return Math.min(first * 2 ** Math.min(failures, 30), last) * (0.5 + environment.random() / 2);
  }

  function count({ accepted, duplicates, rejected }: Extract<Verdict, { kind: 'done' }>): void {
    counts.accepted += accepted;
    counts.duplicates += duplicates;
    counts.rejected += rejected;
  }

  function announce(kind: Verdict['kind'] | undefined, reason = ''): void {
    if (kind === trouble) return;
    trouble = kind;
    try {
      options.onChange?.({ ok: kind === undefined, reason });
    } catch {
      // Whoever listens must not stop what is sent.
    }
  }

  function endFlushes(verdict: Verdict): void {
    const isEmpty = held() === 0;
    if (!isEmpty && (verdict.kind === 'done' || verdict.kind === 'split') && !refused) return;
    const waiting = flushes;
    flushes = [];
    for (const end of waiting) end(isEmpty);
  }

  async function flush(withinMs: number): Promise<boolean> {
    if (held() === 0) return true;
    if (closed || (refused && environment.now() < notBefore)) return false;
    notBefore = 0;
    return new Promise((resolve) => {
      const cancel = environment.after(withinMs, () => {
        flushes = flushes.filter((one) => one !== end);
        resolve(held() === 0);
      });
      const end = (left: boolean): void => {
        cancel();
        resolve(left);
      };
      flushes.push(end);
      schedule();
    });
  }

  async function close(withinMs: number): Promise<boolean> {
    const left = await flush(withinMs);
    if (closed) return left;
    closed = true;
    alarm?.cancel();
    counts.dropped += queue.count;
    queue.clear();
    stop.abort();
    return left;
  }

  const stats = (): OutboxStats => ({
    queued: held(),
    queuedBytes: heldBytes(),
    ...counts,
    ...requests,
    lastFailure,
  });

  return { add, flush, close, stats };
}

/** What `fetch` failed with; the cause says more than the error around it. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: unknown; cause?: Record<string, unknown> };
  const parts = [message, cause?.['code'] ?? cause?.['message']];
  return parts
    .filter((part) => typeof part === 'string')
    .join(': ')
    .slice(0, 300);
}
