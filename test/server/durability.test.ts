import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { makeKey } from '../../server/src/features/auth/keys.ts';
import { postmasterPid } from '../../server/src/platform/database/embedded/leftover.ts';
import { makeScratch, type Scratch } from '../cluster/scratch.ts';
import { spawnRollcall, type RunningCommand } from '../rollcall/command.ts';

const KEY = makeKey();
const SENDERS = 6;

let scratch: Scratch;
let running: RunningCommand | undefined;
let url: string;
/** Statuses of the answers that were no success. */
let refusals: Set<number>;
beforeEach(() => {
  refusals = new Set();
  scratch = makeScratch();
});
afterEach(async () => {
  running?.process.kill('SIGKILL');
  await running?.ended;
  await scratch.clear();
});

/** Starts the real program on the test's folder, whatever was left there. */
async function start(): Promise<RunningCommand> {
  running = spawnRollcall(['start'], {
    env: {
      ROLLCALL_PORT: '0',
      ROLLCALL_DATA_DIR: scratch.dataDir,
      ROLLCALL_ADMIN_KEY: KEY,
      ROLLCALL_RATE_LIMIT: '0',
    },
  });
  [, url = ''] = await running.says(/is at (http:\S+)\n/);
  return running;
}

interface Event {
  event_id: string;
}
const makeEvents = (count: number): Event[] =>
  Array.from({ length: count }, (_, index) => ({
    event_id: randomUUID(),
    protocol: 'mcp',
    source_id: `source-${index % 7}`,
    target_id: 'target',
    status: index % 5 ? 'success' : 'error',
    duration_ms: index,
  }));

/** What came of one request: the ids that the server called stored, or nothing that one could rely on. */
async function send(events: Event[]): Promise<string[] | undefined> {
  try {
    const response = await fetch(`${url}/api/v1/telemetry`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(events),
    });
    if (response.status !== 200) return void refusals.add(response.status);
    const { results } = (await response.json()) as {
      results: { event_id: string; status: string }[];
    };
    return results.filter(({ status }) => status !== 'rejected').map(({ event_id }) => event_id);
  } catch {
    return undefined;
  }
}

/** Sends from several sides until nothing is answered any more; calls back after each acknowledgement. */
async function stream(queue: Event[][], onStored: (ids: string[]) => void): Promise<Event[][]> {
  const unanswered: Event[][] = [];
  const sender = async () => {
    for (;;) {
      const batch = queue.shift() ?? makeEvents(1 + Math.floor(Math.random() * 40));
      const stored = await send(batch);
      if (!stored) return void unanswered.push(batch);
      onStored(stored);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  return [...unanswered, ...queue];
}

async function read(path: string) {
  const response = await fetch(`${url}/api/v1/${path}`, {
    headers: { authorization: `Bearer ${KEY}` },
  });
  // What a test reads from an answer is whatever the answer holds.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  return (await response.json()) as any;
}

async function storedIds(): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page = await read(`telemetry?limit=500${cursor ? `&cursor=${cursor}` : ''}`);
    ids.push(...page.items.map(({ event_id }: Event) => event_id));
    cursor = page.next_cursor as string | null;
  }
  return ids;
}

/** Every acknowledged event is there once, and what dashboards count is what is there. */
async function expectKept(acknowledged: Set<string>): Promise<void> {
  const ids = await storedIds();
  const unique = new Set(ids);
  expect(unique.size).toBe(ids.length);
  expect([...acknowledged].filter((id) => !unique.has(id))).toEqual([]);
  const { totals } = await read('overview?window_seconds=86400');
  expect(totals.calls).toBe(ids.length);
  const { items: pairs } = await read('pairs?limit=100');
  expect(pairs.reduce((sum: number, { calls }: { calls: number }) => sum + calls, 0)).toBe(
    ids.length,
  );
}

/** Who is killed, and in which order. */
const KILLS: Record<string, (server: number, database: number) => number[]> = {
  'the server, then its database': (server, database) => [server, database],
  'the database, then its server': (server, database) => [database, server],
  'the server alone, which leaves its database running': (server) => [server],
  'the database alone, without which the server ends by itself': (_, database) => [database],
};

test('what was acknowledged survives kill -9 mid-stream, exactly once, and is counted once', async () => {
  const acknowledged = new Set<string>();
  let again: Event[][] = [];
  for (const victims of Object.values(KILLS)) {
    const server = await start();
    await expectKept(acknowledged);
    const database = postmasterPid(join(scratch.dataDir, 'postgres')) ?? 0;
    expect(database).toBeGreaterThan(0);
    let requests = 0;
    again = await stream(again, (ids) => {
      for (const id of ids) acknowledged.add(id);
      // In the middle of it: the other senders have requests under way.
      if (++requests === 60) {
        for (const pid of victims(server.process.pid ?? 0, database)) process.kill(pid, 'SIGKILL');
      }
    });
    expect(requests).toBeGreaterThanOrEqual(60);
    expect(again.length).toBeGreaterThan(0);
    await server.ended;
  }
  expect([...refusals].filter((status) => status !== 503)).toEqual([]);

  await start();
  await expectKept(acknowledged);
  // Nobody knows what became of the rest: it is sent again, and counts once.
  for (const batch of again) {
    const stored = await send(batch);
    expect(stored).toHaveLength(batch.length);
    for (const id of stored ?? []) acknowledged.add(id);
  }
  await expectKept(acknowledged);
  expect(acknowledged.size).toBeGreaterThan(180);
}, 180_000);

test('told to stop under load, the server ends well and has stored what it acknowledged', async () => {
  const acknowledged = new Set<string>();
  const server = await start();
  let requests = 0;
  const rest = await stream([], (ids) => {
    for (const id of ids) acknowledged.add(id);
    if (++requests === 60) server.process.kill('SIGTERM');
  });
  const { code, stderr } = await server.ended;
  expect([code, stderr.includes('"level":50')]).toEqual([0, false]);
  expect(rest.length).toBeGreaterThanOrEqual(SENDERS);
  expect([...refusals].filter((status) => status !== 503)).toEqual([]);
  expect(postmasterPid(join(scratch.dataDir, 'postgres'))).toBeUndefined();

  await start();
  await expectKept(acknowledged);
}, 120_000);
