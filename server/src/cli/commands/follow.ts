import { setTimeout as wait } from 'node:timers/promises';
import type { Page, StoredTelemetryEvent } from '@rollcall/client/contract';
import { CommandFailure } from '../failure.ts';
import type { Api, Query } from '../http/api.ts';

export interface Following {
  api: Api;
  path: string;
  filter: Query;
  /** What was read already, newest first. */
  latest: StoredTelemetryEvent[];
  /** How many of the latest are shown. */
  lines: number;
  show: (event: StoredTelemetryEvent) => void;
  note: (text: string) => void;
}

const POLL_MS = 1_000;
/** Events are stored out of order: one may become visible this long after a younger one. */
const OVERLAP_MS = 5_000;
/** What the database's clock may be behind the server's. */
const SKEW_MS = 60_000;
const PAGE_ITEMS = 500;
const PAGES = 4;

/** Shows what is stored from now on, each event once, until Ctrl-C; waits for a server that is away. */
export async function followTelemetry(following: Following): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  try {
    await follow(following, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
}

async function follow(following: Following, signal: AbortSignal): Promise<never> {
  const { api, latest, lines, show, note } = following;
  const follower = createFollower(following, signal);
  // What is there now is not new, whether or not it is among the latest.
  await follower.read();
  latest.slice(0, lines).reverse().forEach(show);
  let away = false;
  for (;;) {
    await wait(POLL_MS, undefined, { signal });
    try {
      for (const event of await follower.read()) show(event);
      if (away) note(`${api.url} is back.`);
      away = false;
    } catch (error) {
      if (!(error instanceof CommandFailure) || !error.temporary) throw error;
      const what = error.code === 'unreachable' ? `${api.url} is gone.` : error.message;
      if (!away) note(`${what} Waiting for it to come back; Ctrl-C ends.`);
      away = true;
    }
  }
}

/** Reads what it has not read before, oldest first. */
function createFollower({ api, path, filter, latest, note }: Following, signal: AbortSignal) {
  const seen = new Map(latest.map((event) => [event.event_id, Date.parse(event.received_at)]));
  let newest = 0;
  for (const received of seen.values()) newest = Math.max(newest, received);
  let warned = false;
  let primed = false;

  async function read(): Promise<StoredTelemetryEvent[]> {
    newest = Math.max(newest, api.serverTime() - SKEW_MS);
    const from = newest - OVERLAP_MS;
    for (const [id, received] of seen) if (received < from) seen.delete(id);
    const query = { ...filter, received_from: new Date(from).toISOString(), limit: PAGE_ITEMS };
    const found: StoredTelemetryEvent[] = [];
    let cursor: string | null = null;
    for (let page = 0; page === 0 || (cursor && page < PAGES); page++) {
      const answer: Page<StoredTelemetryEvent> = await api.call('GET', path, {
        query: { ...query, cursor: cursor ?? undefined },
        signal,
      });
      found.push(...answer.items);
      cursor = answer.next_cursor;
    }
    if (cursor && primed && !warned) {
      warned = true;
      note('More comes in than can be shown; some events are left out. Narrow it with a filter.');
    }
    primed = true;
    const fresh = found.filter(({ event_id }) => !seen.has(event_id)).reverse();
    for (const { event_id, received_at } of fresh) {
      const received = Date.parse(received_at);
      seen.set(event_id, received);
      newest = Math.max(newest, received);
    }
    return fresh;
  }

  return { read };
}
