import { connectThroughSupabase, withoutPostgrest } from '../../../../test/postgrest/start.ts';
import { createRollcallDatabase } from '../../../../test/rollcall/start.ts';
import { ask } from '../../../../test/cluster/scratch.ts';
import type { TestDatabase } from '../../../../test/cluster/database.ts';
import type { Database } from '../database/port.ts';
import { connectPostgres } from '../database/postgres.ts';
import { createLog } from '../log.ts';
import { laneOf } from './lane.ts';
import { liveWakes, type Wakes, type WakeTimes } from './wakes.ts';

/** Nothing comes of waiting: whatever is heard was notified. */
const NEVER = 1_000_000;
const TIMES: WakeTimes = { pollMs: NEVER, echoMs: NEVER, patienceMs: 5_000, backoffMs: 5 };

let place: TestDatabase;
let database: Database;
let wakes: Wakes | undefined;
let woken: string[];
let moved: PromiseWithResolvers<void>;
beforeEach(async () => {
  place = await createRollcallDatabase();
  database = connectPostgres({
    url: place.url,
    connections: 2,
    timeoutMs: 30_000,
    onIdleError: () => undefined,
  });
});
afterEach(async () => {
  await wakes?.stop();
  await database.close();
  await place.drop();
});

function begin(on: Database, times: Partial<WakeTimes> = {}, log = createLog('silent')): void {
  woken = [];
  moved = Promise.withResolvers<void>();
  wakes = liveWakes(on, log, { ...TIMES, ...times });
  wakes.start((lane) => {
    woken.push(lane);
    moved.resolve();
    moved = Promise.withResolvers<void>();
  });
}

/** Resolves when all wakes so far are enough. */
async function until(enough: () => boolean): Promise<void> {
  while (!enough()) await moved.promise;
}
const count = (lane: string) => woken.filter((each) => each === lane).length;
const announce = (tenant: string) =>
  ask(place.url, `select rollcall_api.announce('${tenant}', 'registry', '{}')`);

test('an announcement wakes the lane of its tenant, whose name it does not tell', async () => {
  begin(database);
  await until(() => woken.includes('all'));
  await announce('default');
  await until(() => woken.length > 1);
  expect(woken).toEqual(['all', laneOf('default')]);
  expect(laneOf('default')).not.toContain('default');
});

test('a connection that is lost is made again, and then all are woken, for what was missed', async () => {
  begin(database);
  await until(() => count('all') === 1);
  expect(wakes?.hearing()).toBe(true);
  await ask(
    place.url,
    `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'rollcall live'`,
  );
  await until(() => count('all') === 2);
  await announce('default');
  await until(() => woken.includes(laneOf('default')));
});

test('where nothing is heard, as behind a pooler in transaction mode, all are woken from time to time', async () => {
  const warnings: string[] = [];
  const log = createLog('warn', { write: (line: string) => void warnings.push(line) });
  const deaf: Database = {
    ...database,
    listen: () => Promise.resolve({ close: () => Promise.resolve() }),
  };
  begin(deaf, { pollMs: 5, patienceMs: 5 }, log);
  await until(() => count('all') > 3 && warnings.length > 0);
  expect(wakes?.hearing()).toBe(false);
  expect(warnings).toEqual([expect.stringContaining('A notification did not come back')]);
});

test('it is proven again and again that something is heard', async () => {
  let broken = false;
  const breaking: Database = {
    ...database,
    listen: (channel, hear, lost) =>
      (database.listen as NonNullable<Database['listen']>)(
        channel,
        (payload) => (broken ? undefined : hear(payload)),
        lost,
      ),
  };
  begin(breaking, { echoMs: 5, patienceMs: 200, pollMs: 5 });
  await until(() => count('all') > 0 && wakes?.hearing() === true);
  broken = true;
  await until(() => wakes?.hearing() === false);
  broken = false;
  await until(() => wakes?.hearing() === true);
});

(withoutPostgrest ? test.skip : test)(
  'through Supabase all are woken from time to time',
  async () => {
    const { ingest, query } = await connectThroughSupabase(place.url);
    expect(ingest.listen).toBeUndefined();
    begin(query, { pollMs: 5 });
    await until(() => count('all') > 2);
    await query.close();
  },
);
