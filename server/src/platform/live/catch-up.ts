import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { positionText, type Position } from './position.ts';
import type { LiveEvent, LivePage } from './reader.ts';
import { holds, isLater, parseSnapshot } from './snapshot.ts';

export interface Batch {
  events: (LiveEvent & { position: string })[];
  /** After all of them, for Last-Event-ID. */
  position: string;
  /** Something may have been missed before it. */
  reset: boolean;
}

/** Where one reader's share waits. */
export interface Seat {
  shares: LivePage[];
  /** Events in them. */
  waiting: number;
  /** Shares were dropped, or not given yet: the table has them. */
  behind: boolean;
  /** Called when there is something to do. */
  wake: () => void;
}

export interface Reading {
  seat: Seat;
  begin: Position;
  read: (position: Position, limit: number) => Promise<LivePage>;
  signal: AbortSignal;
  storedOnly?: boolean | undefined;
  log: Log;
}

const PAGE = 200;
const RETRY_MS = 1_000;

/**
 * One reader's way from where it begins to now, and on: from the table while it is behind, else from its seat.
 * The first batch is empty and tells where it begins.
 */
export async function* catchUp(reading: Reading): AsyncGenerator<Batch> {
  const { seat, signal, storedOnly } = reading;
  let position = reading.begin;
  yield { events: [], position: positionText(position), reset: false };
  while (!signal.aborted) {
    const share = seat.behind ? undefined : seat.shares.shift();
    if (!seat.behind && !share) {
      if (storedOnly) return;
      await new Promise<void>((resolve) => (seat.wake = resolve));
      continue;
    }
    let batch: Batch;
    if (share) {
      seat.waiting -= share.events.length;
      [batch, position] = unseen(share, position);
    } else {
      // First, so that whatever is read elsewhere from now on is kept for afterwards.
      Object.assign(seat, { behind: false, shares: [], waiting: 0 });
      const page = await readPatiently(reading, position);
      if (!page) return;
      // A snapshot of the past, or a full page, is not the end of the way.
      if (page.more || (position.within && !page.reset)) seat.behind = true;
      [batch, position] = advance(page, position);
    }
    if (batch.reset || batch.events.length > 0) yield batch;
  }
}

/** What a page holds, and where it leads. */
function advance(page: LivePage, { seen }: Position): [Batch, Position] {
  const { upto, more, reset } = page;
  const events = page.events.map((event, index) => ({
    ...event,
    position: positionText(
      more || index < page.events.length - 1
        ? { seen, within: { upto, xact: event.xact, id: event.id } }
        : { seen: upto },
    ),
  }));
  const last = page.events.at(-1);
  const next: Position =
    more && last ? { seen, within: { upto, xact: last.xact, id: last.id } } : { seen: upto };
  return [{ events, position: positionText(next), reset }, next];
}

/** A share was read for everybody: without what this reader has seen, having begun elsewhere. */
function unseen(share: LivePage, position: Position): [Batch, Position] {
  const seen = parseSnapshot(position.seen);
  const upto = parseSnapshot(share.upto);
  if (!seen || !upto || !isLater(upto, seen)) {
    return [{ events: [], position: positionText(position), reset: false }, position];
  }
  const events = share.events.filter(({ xact }) => !holds(seen, BigInt(xact)));
  return advance({ ...share, events }, position);
}

/** Tries again while the database is away; `undefined` when the reader has gone meanwhile. */
async function readPatiently(
  { read, signal, log }: Reading,
  position: Position,
): Promise<LivePage | undefined> {
  for (let failed = false; !signal.aborted; failed = true) {
    try {
      return await read(position, PAGE);
    } catch (error) {
      const err = (error as Error).cause ?? error;
      if (!failed) log.warn({ err }, 'Announcements could not be read; trying again');
      await pause(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
  return undefined;
}
