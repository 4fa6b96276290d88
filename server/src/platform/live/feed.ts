import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { catchUp, type Batch, type Seat } from './catch-up.ts';
import { laneOf } from './lane.ts';
import type { Position } from './position.ts';
import type { LivePage, ReadLive } from './reader.ts';
import type { Wakes } from './wakes.ts';

export interface FollowOptions {
  /** Goes on after it; from now on when left out. */
  after?: Position | undefined;
  /** Ends the reading, and frees what it holds. */
  signal: AbortSignal;
  /** Ends by itself when all that is stored has been read. */
  storedOnly?: boolean | undefined;
}

export interface LiveFeed {
  /**
   * Everything that a tenant announces, in batches, the first of which is empty and tells where it begins.
   * @throws Problem 503 when the database does not answer
   */
  follow(tenant: string, options: FollowOptions): Promise<AsyncGenerator<Batch>>;
  stop(): Promise<void>;
}

interface Channel {
  lane: string;
  seats: Set<Seat>;
  seen: Position | null;
  reading: boolean;
  again: boolean;
}

/** Announcements that may wait for one reader; beyond that it reads them itself, from the table. */
const WAITING_AT_MOST = 500;
/** Between two reads for one tenant: what comes meanwhile is read at once. */
const BREATH_MS = 25;
/** While the database is away. */
const RETRY_MS = 1_000;

/**
 * Hands a tenant's announcements to all in this process who follow it: one read for all of them. Whoever takes them
 * more slowly than they come holds nobody up: his share is dropped, and he reads on from where he was, in the table.
 */
export function liveFeed(read: ReadLive, wakes: Wakes, log: Log): LiveFeed {
  const channels = new Map<string, Channel>();

  async function follow(tenant: string, options: FollowOptions): Promise<AsyncGenerator<Batch>> {
    const { after, signal } = options;
    const begin = after ?? { seen: (await read(tenant, null, 0)).upto };
    const seat: Seat = { shares: [], waiting: 0, behind: true, wake: () => undefined };
    if (!signal.aborted) {
      const channel = join(tenant, seat);
      signal.addEventListener('abort', () => leave(tenant, channel, seat), { once: true });
    }
    return catchUp({ ...options, seat, begin, log, read: (...more) => read(tenant, ...more) });
  }

  function join(tenant: string, seat: Seat): Channel {
    let channel = channels.get(tenant);
    if (!channel) {
      channel = {
        lane: laneOf(tenant),
        seats: new Set(),
        seen: null,
        reading: false,
        again: false,
      };
      channels.set(tenant, channel);
    }
    channel.seats.add(seat);
    wakes.start(wake);
    void pump(tenant, channel);
    return channel;
  }

  function leave(tenant: string, channel: Channel, seat: Seat): void {
    channel.seats.delete(seat);
    if (channel.seats.size === 0) channels.delete(tenant);
    seat.wake();
  }

  function wake(lane: string): void {
    for (const [tenant, channel] of channels) {
      if (lane === 'all' || lane === channel.lane) void pump(tenant, channel);
    }
  }

  async function pump(tenant: string, channel: Channel): Promise<void> {
    channel.again = true;
    if (channel.reading) return;
    channel.reading = true;
    for (let failed = false; channel.again && channel.seats.size > 0;) {
      channel.again = false;
      try {
        const page = await read(tenant, channel.seen, WAITING_AT_MOST);
        // The first read tells only where to begin, and a reader may have come less far than that.
        const whole = channel.seen !== null && !page.more && !page.reset;
        channel.seen = { seen: page.upto };
        for (const seat of channel.seats) hand(seat, page, whole);
        failed = false;
      } catch (error) {
        const err = (error as Error).cause ?? error;
        if (!failed) log.warn({ err }, 'Announcements could not be read; trying again');
        failed = channel.again = true;
      }
      await pause(failed ? RETRY_MS : BREATH_MS, undefined, { ref: false });
    }
    channel.reading = false;
  }

  return { follow, stop: wakes.stop };
}

/** @param whole the page holds all that has come since the one before */
function hand(seat: Seat, page: LivePage, whole: boolean): void {
  if (seat.behind || (whole && page.events.length === 0)) return;
  if (!whole || seat.waiting + page.events.length > WAITING_AT_MOST) {
    Object.assign(seat, { behind: true, shares: [], waiting: 0 });
  } else {
    seat.shares.push(page);
    seat.waiting += page.events.length;
  }
  seat.wake();
}
