import { Problem, unavailable } from '../../platform/problem.ts';

export interface GroupCommitOptions<Item> {
  /** Stores the items in one transaction; answers the ids that were stored before. */
  commit: (tenant: string, items: Item[]) => Promise<{ duplicates: string[] }>;
  idOf: (item: Item) => string;
  /** Items in one transaction at most. */
  batchSize: number;
  /** Items of one tenant that may wait; more are refused with 503. */
  queueSize: number;
  /** Transactions of one tenant at a time. */
  concurrency: number;
}

export interface Outcome {
  duplicates: Set<string>;
  /** Items that the database would not take, with the reason. */
  refused: Map<string, Problem>;
}

interface Waiting<Item> {
  items: Item[];
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
 * a transaction runs, the next one gathers. An answer comes only after the commit that it speaks of.
 */
export function groupCommit<Item>(options: GroupCommitOptions<Item>) {
  const lanes = new Map<string, Lane<Item>>();
  let draining: PromiseWithResolvers<void> | undefined;

  function submit(tenant: string, items: Item[]): Promise<Outcome> {
    const lane = lanes.get(tenant) ?? { waiting: [], queued: 0, running: 0 };
    lanes.set(tenant, lane);
    if (draining)
      return Promise.reject(
        unavailable('shutting_down', 'The server is stopping. Send this again shortly.'),
      );
    if (lane.queued > 0 && lane.queued + items.length > options.queueSize) {
      return Promise.reject(
        unavailable(
          'overloaded',
          'More telemetry is waiting than can be stored in time. Send it again later.',
        ),
      );
    }
    return new Promise((resolve, reject) => {
      lane.waiting.push({ items, resolve, reject });
      lane.queued += items.length;
      // After the requests that this turn of the event loop still brings.
      setImmediate(pump, tenant, lane);
    });
  }

  function pump(tenant: string, lane: Lane<Item>): void {
    while (lane.running < options.concurrency && lane.waiting.length > 0) {
      const group = take(lane);
      lane.running += 1;
      void commitGroup(tenant, group).finally(() => {
        lane.running -= 1;
        if (lane.running === 0 && lane.waiting.length === 0) lanes.delete(tenant);
        if (lanes.size === 0) draining?.resolve();
        pump(tenant, lane);
      });
    }
  }

  function take(lane: Lane<Item>): Waiting<Item>[] {
    const group: Waiting<Item>[] = [];
    let size = 0;
    while (
      lane.waiting[0] &&
      (size === 0 || size + lane.waiting[0].items.length <= options.batchSize)
    ) {
      const next = lane.waiting.shift() as Waiting<Item>;
      size += next.items.length;
      group.push(next);
    }
    lane.queued -= size;
    return group;
  }

  async function commitGroup(tenant: string, group: Waiting<Item>[]): Promise<void> {
    try {
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
      const { duplicates } = await options.commit(tenant, items);
      const stored = new Set(duplicates);
      group.forEach(({ resolve }, index) =>
        resolve({
          duplicates:
            stored.size > 0
              ? stored.union(repeated[index] as Set<string>)
              : (repeated[index] as Set<string>),
          refused: new Map(),
        }),
      );
    } catch (error) {
      if (isRefusal(error)) await isolate(tenant, group, error);
      else for (const { reject } of group) reject(error);
    }
  }

  /** The database refused something in the group: finds out what, and stores the rest. */
  async function isolate(tenant: string, group: Waiting<Item>[], error: Problem): Promise<void> {
    if (group.length > 1) {
      for (const waiting of group) await commitGroup(tenant, [waiting]);
      return;
    }
    const [{ items, resolve, reject }] = group as [Waiting<Item>];
    try {
      resolve(await halve(tenant, items, error));
    } catch (failure) {
      reject(failure);
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
