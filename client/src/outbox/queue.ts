/** What waits to be sent: one item as UTF-8 JSON. */
export interface Waiting {
  bytes: Uint8Array;
  /** When it was added, in milliseconds since 1970. */
  at: number;
}

/**
 * First in, first out. What is held in memory here could be held on disk as well: the outbox knows no more of it
 * than this.
 */
export interface WaitingQueue {
  readonly count: number;
  readonly bytes: number;
  oldest(): Waiting | undefined;
  add(item: Waiting): void;
  /** Takes the oldest ones out: at most `most` of them and `bytes` in all, but one at least. */
  take(most: number, bytes: number): Waiting[];
  /** Puts back what was taken, before all others. */
  putBack(items: Waiting[]): void;
  /** Forgets the oldest one. */
  drop(): void;
  clear(): void;
}

/** Forgotten places before the first item: from here on they are given back. */
const COMPACT_FROM = 1_000;

export function memoryQueue(): WaitingQueue {
  let items: (Waiting | undefined)[] = [];
  let first = 0;
  let bytes = 0;

  function shift(): Waiting | undefined {
    const item = items[first];
    if (item === undefined) return undefined;
    items[first] = undefined;
    first += 1;
    bytes -= item.bytes.length;
    if (first >= COMPACT_FROM && first * 2 >= items.length) {
      items = items.slice(first);
      first = 0;
    }
    return item;
  }

  return {
    get count() {
      return items.length - first;
    },
    get bytes() {
      return bytes;
    },
    oldest: () => items[first],
    add(item) {
      items.push(item);
      bytes += item.bytes.length;
    },
    take(most, atMost) {
      const taken: Waiting[] = [];
      let size = 0;
      for (;;) {
        const next = items[first];
        const full = taken.length >= most || size + (next?.bytes.length ?? 0) > atMost;
        if (next === undefined || (taken.length > 0 && full)) return taken;
        taken.push(next);
        size += next.bytes.length;
        shift();
      }
    },
    putBack(returned) {
      items = [...returned, ...items.slice(first)];
      first = 0;
      for (const item of returned) bytes += item.bytes.length;
    },
    drop: () => void shift(),
    clear() {
      items = [];
      first = 0;
      bytes = 0;
    },
  };
}
