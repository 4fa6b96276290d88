import fc from 'fast-check';
import pg from 'pg';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { createLog } from '../log.ts';
import { connectPostgres } from '../database/postgres.ts';
import type { Database } from '../database/port.ts';
import { liveFeed, type LiveFeed } from './feed.ts';
import { parsePosition } from './position.ts';
import { liveReader } from './reader.ts';
import type { Wakes } from './wakes.ts';

/** Those who follow are woken by the tests alone. */
let wakeAll: () => void = () => undefined;
const byHand: Wakes = {
  start: (wake) => void (wakeAll = () => wake('all')),
  hearing: () => true,
  stop: () => Promise.resolve(),
};
const WRITERS = 4;

let rollcall: TestRollcall;
let database: Database;
let feed: LiveFeed;
let writers: pg.Client[];
beforeAll(async () => {
  rollcall = await startTestRollcall();
  const url = rollcall.databaseUrl;
  database = connectPostgres({
    url,
    connections: 2,
    timeoutMs: 30_000,
    onIdleError: () => undefined,
  });
  feed = liveFeed(liveReader(database), byHand, createLog('silent'));
  writers = await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      const client = new pg.Client(url);
      await client.connect();
      return client;
    }),
  );
});
afterAll(async () => {
  await Promise.all(writers.map((writer) => writer.end()));
  await database.close();
  await rollcall.stop();
});

const announce = (writer: pg.Client, tenant: string, word: string) =>
  writer.query(
    `select rollcall_api.announce($1, 'registry', jsonb_build_object('word', $2::text))`,
    [tenant, word],
  );

interface Told {
  word: string;
  position: string;
}

/** What is stored after a position, and where that leads. */
async function readOn(tenant: string, position?: string) {
  const leaving = new AbortController();
  const after = position === undefined ? undefined : parsePosition(position);
  const batches = await feed.follow(tenant, { after, storedOnly: true, signal: leaving.signal });
  const told: Told[] = [];
  let at = position;
  for await (const batch of batches) {
    expect(batch.reset).toBe(false);
    at = batch.position;
    for (const event of batch.events) {
      told.push({ word: (event.body as { word: string }).word, position: event.position });
    }
  }
  leaving.abort();
  return { told, position: at as string };
}

test('what commits late is told, though it began before what has been told', async () => {
  await rollcall.keyFor('late');
  const [slow, quick] = writers as [pg.Client, pg.Client];
  const { position: begin } = await readOn('late');
  await slow.query('begin');
  await announce(slow, 'late', 'began first');
  await announce(quick, 'late', 'ended first');
  const early = await readOn('late', begin);
  expect(early.told.map(({ word }) => word)).toEqual(['ended first']);
  await slow.query('commit');
  for (const position of [early.position, early.told[0]?.position]) {
    expect((await readOn('late', position)).told.map(({ word }) => word)).toEqual(['began first']);
  }
  const both = await readOn('late', begin);
  expect(both.told.map(({ word }) => word)).toEqual(['began first', 'ended first']);
  // Having heard the first of the two, one lacks the second, and no other.
  const rest = await readOn('late', both.told[0]?.position);
  expect(rest.told.map(({ word }) => word)).toEqual(['ended first']);
});

test('what is taken back is never told', async () => {
  await rollcall.keyFor('undone');
  const [writer] = writers as [pg.Client];
  const { position } = await readOn('undone');
  await writer.query('begin');
  await announce(writer, 'undone', 'no');
  await writer.query('rollback');
  expect((await readOn('undone', position)).told).toEqual([]);
});

type Step =
  | { kind: 'announce' | 'commit' | 'rollback'; writer: number }
  /** Reads on, having lost all but a share of what was told last. */
  | { kind: 'read'; kept: number };

const writer = fc.nat(WRITERS - 1);
const kept = fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true }));
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('announce'), writer }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('commit', 'rollback'), writer }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('read'), kept }) },
) as fc.Arbitrary<Step>;
const walk = fc.array(step, { minLength: 20, maxLength: 40, size: 'max' });

let tenants = 0;

test('whoever comes back with any event id is told all the rest, and nothing twice', async () => {
  await fc.assert(
    fc.asyncProperty(walk, async (steps) => {
      const tenant = `walk-${++tenants}`;
      await rollcall.keyFor(tenant);
      const open = writers.map((): string[] => []);
      const committed: string[] = [];
      let words = 0;
      const begin = (await readOn(tenant)).position;
      let told: Told[] = [];
      let position = begin;

      const end = async (writer: number, how: 'commit' | 'rollback') => {
        const mine = open[writer] as string[];
        if (mine.length === 0) return;
        await writers[writer]?.query(how);
        if (how === 'commit') committed.push(...mine);
        open[writer] = [];
      };
      const read = async (kept: number) => {
        const more = await readOn(tenant, position);
        told.push(...more.told);
        position = more.position;
        expect(told.map(({ word }) => word).sort()).toEqual(committed.toSorted());
        if (kept === 1) return;
        told = told.slice(0, Math.floor(kept * (told.length + 1)));
        position = told.at(-1)?.position ?? begin;
      };

      for (const each of steps) {
        if (each.kind === 'read') await read(each.kept);
        else if (each.kind !== 'announce') await end(each.writer, each.kind);
        else {
          const mine = open[each.writer] as string[];
          const writer = writers[each.writer] as pg.Client;
          if (mine.length === 0) await writer.query('begin');
          mine.push(`${++words}`);
          await announce(writer, tenant, `${words}`);
        }
      }
      for (const writer of open.keys()) await end(writer, 'commit');
      await read(0.5);
      await read(1);
    }),
    { numRuns: 60 },
  );
});

test('readers who join at any time, quick and slow, are told everything once while it happens', async () => {
  const tenant = 'stream';
  await rollcall.keyFor(tenant);
  const { position: begin } = await readOn(tenant);
  const leaving = new AbortController();
  const committed: string[] = [];
  const followers: { words: string[]; done: Promise<void> }[] = [];

  /** @param from when to take what is there */
  async function follow(from: Promise<unknown>): Promise<void> {
    const after = parsePosition(begin);
    const batches = await feed.follow(tenant, { after, signal: leaving.signal });
    const words: string[] = [];
    const done = (async () => {
      for await (const { events } of batches) {
        words.push(...events.map(({ body }) => (body as { word: string }).word));
        await from;
      }
    })();
    followers.push({ words, done });
  }

  const written = Promise.withResolvers<void>();
  await follow(written.promise);
  await follow(Promise.resolve());
  await Promise.all(
    writers.map(async (writer, which) => {
      for (let turn = 0; turn < 80; turn++) {
        const words = Array.from(
          { length: 1 + (turn % 5) },
          (_, index) => `${which} ${turn} ${index}`,
        );
        await writer.query('begin');
        for (const word of words) await announce(writer, tenant, word);
        const kept = (turn + which) % 6 !== 0;
        await writer.query(kept ? 'commit' : 'rollback');
        if (kept) committed.push(...words);
        wakeAll();
        if (turn % 20 === which) await follow(Promise.resolve());
      }
    }),
  );
  written.resolve();
  expect(committed.length).toBeGreaterThan(500);
  const all = committed.toSorted();
  while (followers.some(({ words }) => words.length < all.length)) {
    wakeAll();
    await new Promise((resolve) => setImmediate(resolve));
  }
  leaving.abort();
  await Promise.all(followers.map(({ done }) => done));
  for (const { words } of followers) expect(words.sort()).toEqual(all);
});
