import { Problem, unavailable } from './problem.ts';

export interface GroupCommitOptions<Item> {
  /** Stores the items in one transaction; answers the ids that were stored before. */
  commit: (tenant: string, items: Item[]) => Promise<{ duplicates: string[] }>;
  idOf: (item: Item) => string;
  /** What an item weighs against the two sizes below; 1 when left out. */
  sizeOf?: (item: Item) => number;
  /** Items in one transaction at most. */
  batchSize: number;
  /** Items of one tenant that may wait; more are refused with 503. */
  queueSize: number;
  /** A transaction begins beside another one when as much as this waits; `batchSize` when left out. */
  besideSize?: number;
  /** Transactions of one tenant at a time, at most. */
  concurrency: number;
}

export interface Outcome {
  duplicates: Set<string>;
  /** Items that the database would not take, with the reason. */
  refused: Map<string, Problem>;
}

interface Waiting<Item> {
  items: Item[];
  size: number;
  resolve: (outcome: Outcome) => void;
  reject: (error: unknown) => void;
}

interface Lane<Item> {
  waiting: Waiting<Item>[];
  queued: number;
  running: number;
}

/**
 * Puts what requests bring at the same time into one transaction per tenant. Nothing waits for company: while
 * a transaction runs, the next one gathers, and begins beside it when it is large. An answer comes only after the
 * commit that it speaks of.
 */
export function groupCommit<Item>(options: GroupCommitOptions<Item>) {
  const lanes = new Map<string, Lane<Item>>();
  const sizeOf = (items: Item[]): number =>
    options.sizeOf
      ? items.reduce((sum, item) => sum + (options.sizeOf as (item: Item) => number)(item), 0)
      : items.length;
  const { besideSize = options.batchSize } = options;
  let draining: PromiseWithResolvers<void> | undefined;

  function submit(tenant: string, items: Item[]): Promise<Outcome> {
    const lane = lanes.get(tenant) ?? { waiting: [], queued: 0, running: 0 };
    lanes.set(tenant, lane);
    if (draining)
      return Promise.reject(
        unavailable('shutting_down', 'The server is stopping. Send this again shortly.'),
      );
    const size = sizeOf(items);
    if (lane.queued > 0 && lane.queued + size > options.queueSize) {
      return Promise.reject(
        unavailable(
          'overloaded',
          'More is waiting than can be stored in time. Send it again later.',
        ),
      );
    }
    return new Promise((resolve, reject) => {
      lane.waiting.push({ items, size, resolve, reject });
      lane.queued += size;
      // After the requests that this turn of the event loop still brings.
      setImmediate(pump, tenant, lane);
    });
  }

  function pump(tenant: string, lane: Lane<Item>): void {
    while (lane.waiting.length > 0 && mayBegin(lane)) {
      const group = take(lane);
      lane.running += 1;
      void commitGroup(tenant, group).then((answer) => {
        lane.running -= 1;
        pump(tenant, lane);
        // The next transaction is on its way to the database before Node is busy with this one's answers.
        setImmediate(() => {
          answer();
          if (lane.running === 0 && lane.waiting.length === 0) lanes.delete(tenant);
          if (lanes.size === 0) draining?.resolve();
        });
      });
    }
  }

  /**
   * Beside a running transaction only one of some size pays off: they write to the same rollup rows, where one waits
   * for the other, and what it costs to begin is shared by fewer.
   */
  function mayBegin({ running, queued }: Lane<Item>): boolean {
    return running === 0 || (running < options.concurrency && queued >= besideSize);
  }

  function take(lane: Lane<Item>): Waiting<Item>[] {
    const group: Waiting<Item>[] = [];
    let size = 0;
    while (lane.waiting[0] && (size === 0 || size + lane.waiting[0].size <= options.batchSize)) {
      const next = lane.waiting.shift() as Waiting<Item>;
      size += next.size;
      group.push(next);
    }
    lane.queued -= size;
    return group;
  }

  /** Stores a group; what it resolves to tells everyone in it how that went. */
  async function commitGroup(tenant: string, group: Waiting<Item>[]): Promise<() => void> {
    // Of two requests with the same event in one transaction, the second one is the duplicate.
    const seen = new Set<string>();
    const repeated = group.map(({ items }) => {
      const again = new Set(items.map(options.idOf).filter((id) => seen.has(id)));
      for (const item of items) seen.add(options.idOf(item));
      return again;
    });
    const items = group.flatMap((waiting, index) =>
      waiting.items.filter((item) => !repeated[index]?.has(options.idOf(item))),
    );
    try {
      const stored = new Set((await options.commit(tenant, items)).duplicates);
      return () =>
        group.forEach(({ resolve }, index) =>
          resolve({
            duplicates: stored.union(repeated[index] as Set<string>),
            refused: new Map(),
          }),
        );
    } catch (error) {
      if (isRefusal(error)) return isolate(tenant, group, error);
      return () => group.forEach(({ reject }) => reject(error));
    }
  }

  /** The database refused something in the group: finds out what, and stores the rest. */
  async function isolate(
    tenant: string,
    group: Waiting<Item>[],
    error: Problem,
  ): Promise<() => void> {
    if (group.length > 1) {
      const answers: (() => void)[] = [];
      for (const waiting of group) answers.push(await commitGroup(tenant, [waiting]));
      return () => answers.forEach((answer) => answer());
    }
    const [{ items, resolve, reject }] = group as [Waiting<Item>];
    try {
      const outcome = await halve(tenant, items, error);
      return () => resolve(outcome);
    } catch (failure) {
      return () => reject(failure);
    }
  }

  async function halve(tenant: string, items: Item[], error: Problem): Promise<Outcome> {
    if (items.length === 1)
      return { duplicates: new Set(), refused: new Map([[options.idOf(items[0] as Item), error]]) };
    const middle = Math.ceil(items.length / 2);
    const halves: Outcome[] = [];
    for (const half of [items.slice(0, middle), items.slice(middle)]) {
      try {
        const { duplicates } = await options.commit(tenant, half);
        halves.push({ duplicates: new Set(duplicates), refused: new Map() });
      } catch (failure) {
        if (!isRefusal(failure)) throw failure;
        halves.push(await halve(tenant, half, failure));
      }
    }
    const [left, right] = halves as [Outcome, Outcome];
    return {
      duplicates: left.duplicates.union(right.duplicates),
      refused: new Map([...left.refused, ...right.refused]),
    };
  }

  /** Refuses what comes from now on and resolves when all that waits is stored. */
  function drain(): Promise<void> {
    draining ??= Promise.withResolvers<void>();
    if (lanes.size === 0) draining.resolve();
    return draining.promise;
  }

  return { submit, drain };
}

const isRefusal = (error: unknown): error is Problem =>
  error instanceof Problem && error.status === 422;
