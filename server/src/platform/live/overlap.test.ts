import fc from 'fast-check';
import pg from 'pg';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { createLog } from '../log.ts';
import { connectPostgres } from '../database/postgres.ts';
import type { Database } from '../database/port.ts';
import { liveFeed, type LiveFeed } from './feed.ts';
import { parsePosition } from './position.ts';
import { liveReader } from './reader.ts';

/** Nobody is woken: each reading begins where the last one was left. */
const asleep = { start: () => undefined, hearing: () => false, stop: () => Promise.resolve() };
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
  feed = liveFeed(liveReader(database), asleep, createLog('silent'));
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

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('announce'), writer: fc.nat(WRITERS - 1) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('commit', 'rollback'),
      writer: fc.nat(WRITERS - 1),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('read'),
      kept: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
);

let tenants = 0;

test('whoever comes back with any event id is told all the rest, and nothing twice', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
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
