import fc from 'fast-check';
import pg from 'pg';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';
import type { Database } from '../../platform/database/port.ts';
import { connectPostgres } from '../../platform/database/postgres.ts';
import { foldAllTenants } from './fold.ts';
import { telemetryStore } from './telemetry.store.ts';

let server: TestRollcall;
let rollcall: FreshTenant;
let database: Database;
beforeAll(async () => {
  server = await startTestRollcall();
  database = connectPostgres({
    url: server.databaseUrl,
    connections: 4,
    timeoutMs: 30_000,
    onIdleError: () => undefined,
  });
});
afterAll(async () => {
  await database.close();
  await server.stop();
});
beforeEach(async () => {
  rollcall = await freshTenant(server);
});

const HOUR_MS = 3_600_000;
const fold = () =>
  foldAllTenants(
    () => Promise.resolve([rollcall.tenant]),
    telemetryStore(database, database),
    rollcall.clock.now,
  );
const foldedHours = async () =>
  (
    await rollcall.sql<{ hour: Date }>(
      'select hour from rollcall.telemetry_folded where tenant_id = $1 and holds order by hour',
      [rollcall.tenant],
    )
  ).map(({ hour }) => hour.getTime());
const hourOf = (time: number) => time - (time % HOUR_MS);
const ago = (hours: number) => rollcall.clock.now().getTime() - hours * HOUR_MS;
const event = (hoursAgo: number, more: object = {}) => ({
  timestamp: new Date(ago(hoursAgo)).toISOString(),
  protocol: 'mcp',
  source_id: 'a',
  target_id: 'b',
  status: 'success',
  ...more,
});
const send = async (events: object[]) => {
  const { body } = await rollcall.post('/api/v1/telemetry', events);
  expect(body.accepted).toBe(events.length);
};
const dashboards = async (hours: number) => {
  const query = { window_seconds: String(hours * 3600), limit: '100' };
  const [overview, pairs, patterns] = await Promise.all(
    ['overview', 'pairs', 'patterns'].map((name) =>
      rollcall.get(`/api/v1/${name}`, {
        query: name === 'overview' ? { window_seconds: query.window_seconds } : query,
      }),
    ),
  );
  const { totals, protocols } = overview?.body ?? {};
  return { totals, protocols, pairs: pairs?.body.items, patterns: patterns?.body.items };
};

test('folds every hour with telemetry that is over, and not the one that runs', async () => {
  await send([event(0), event(5), event(9), event(400)]);
  await fold();
  expect(await foldedHours()).toEqual([400, 9, 5].map((hours) => hourOf(ago(hours))));
});

test('waits two minutes for what is under way when an hour ends', async () => {
  await send([event(0)]);
  const began = hourOf(ago(0));
  const until = (milliseconds: number) =>
    rollcall.clock.advance(began + HOUR_MS + milliseconds - ago(0));
  until(119_999);
  await fold();
  expect(await foldedHours()).toEqual([]);
  until(120_000);
  await fold();
  expect(await foldedHours()).toEqual([began]);
});

test.each([0, 1, 40])(
  'changes nothing of what dashboards show in minute %i, latencies included, also half-way through a backlog',
  async (minute) => {
    const { clock } = rollcall;
    clock.advance(hourOf(ago(0)) + HOUR_MS + minute * 60_000 + 7_000 - ago(0));
    const events = Array.from({ length: 900 }, (_, index) =>
      event(index % 60, {
        source_id: `s${index % 7}`,
        protocol: ['mcp', 'n8n', 'http'][index % 3],
        status: index % 11 === 0 ? 'error' : 'success',
        duration_ms: 1.7 ** (index % 23),
        tokens_used: index,
      }),
    );
    await send(events);
    const windows = [1, 20, 24, 25, 48, 59, 70];
    const before = await Promise.all(windows.map(dashboards));
    expect(before.at(-1)?.totals).toMatchObject({ calls: 900, tokens_used: (899 * 900) / 2 });
    await fold();
    expect(await foldedHours()).toHaveLength(48);
    expect(await Promise.all(windows.map(dashboards))).toEqual(before);
    await fold();
    expect((await foldedHours()).length).toBeGreaterThanOrEqual(58);
    expect(await Promise.all(windows.map(dashboards))).toEqual(before);
  },
);

test('an hour is folded again after a late event, which shows at once', async () => {
  await send([event(3), event(4)]);
  await fold();
  const folded = await foldedHours();
  await send([event(3, { duration_ms: 10 })]);
  expect((await dashboards(6)).totals).toMatchObject({ calls: 3, max_ms: 10 });
  expect((await dashboards(6)).pairs).toMatchObject([{ calls: 3 }]);
  expect(await foldedHours()).toEqual(folded.filter((hour) => hour !== hourOf(ago(3))));
  await fold();
  expect(await foldedHours()).toEqual(folded);
  expect((await dashboards(6)).pairs).toMatchObject([{ calls: 3 }]);
});

test('a day of one pair adds up in whatever order its hours are folded', async () => {
  for (const hoursAgo of [30, 28, 33, 29, 28, 41, 30]) {
    await send([event(hoursAgo), event(hoursAgo)]);
    await fold();
  }
  const days = await rollcall.sql<{ upto: number[] }>(
    'select upto from rollcall.telemetry_pair_days where tenant_id = $1 order by day',
    [rollcall.tenant],
  );
  expect(days.reduce((sum, { upto }) => sum + (upto[23] ?? NaN), 0)).toBe(14);
  for (const { upto } of days) expect(upto).toEqual(upto.toSorted((x, y) => x - y));
  expect((await dashboards(45)).pairs).toMatchObject([{ calls: 14 }]);
});

test('whatever is sent and folded in whatever order, calls and latencies of pairs are those of the events', async () => {
  const heap = fc.record({
    hoursAgo: fc.nat({ max: 50 }),
    pair: fc.nat({ max: 5 }),
    calls: fc.integer({ min: 1, max: 9 }),
    duration_ms: fc.constantFrom(1, 10, 100, 1000),
  });
  const rank = (sorted: number[], percent: number) =>
    sorted[Math.ceil((sorted.length * percent) / 100) - 1];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(heap, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 }),
      fc.constantFrom(1, 7, 24, 30, 60),
      async (batches, hours) => {
        rollcall = await freshTenant(server);
        const expected = new Map<string, number[]>();
        for (const heaps of batches) {
          await send(
            heaps.flatMap(({ hoursAgo, pair, calls, duration_ms }) =>
              Array.from({ length: calls }, () =>
                event(hoursAgo, { source_id: `s${pair}`, duration_ms }),
              ),
            ),
          );
          for (const { hoursAgo, pair, calls, duration_ms } of heaps) {
            if (hoursAgo > hours) continue;
            const known = expected.get(`s${pair}`) ?? [];
            expected.set(`s${pair}`, [...known, ...Array<number>(calls).fill(duration_ms)]);
          }
          await fold();
          const { pairs, totals } = await dashboards(hours);
          const shown = pairs.map((pair: Record<string, number | string>) => [
            pair.source_id,
            pair.calls,
            // Read from buckets, at most 2 % beside it.
            ...['p50_ms', 'p95_ms', 'p99_ms'].map(
              (name) => 10 ** Math.round(Math.log10(Number(pair[name]))),
            ),
          ]);
          const sums = [...expected].map(([source, durations]) => {
            const sorted = durations.toSorted((x, y) => x - y);
            return [
              source,
              sorted.length,
              ...[50, 95, 99].map((one) => rank(sorted, one)),
            ] as const;
          });
          expect(shown).toEqual(sums.sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
          expect(totals.calls).toBe(sums.reduce((sum, [, calls]) => sum + calls, 0));
        }
      },
    ),
    { numRuns: 25 },
  );
}, 120_000);

describe('an hour that is folded while an event of it is being stored', () => {
  const ingest = (client: pg.Client) =>
    client.query('select rollcall_api.ingest_telemetry($1, $2, $3)', [
      rollcall.tenant,
      JSON.stringify([
        {
          ...event(3),
          event_id: 'ffffffff-0000-4000-8000-000000000000',
          project_id: 'default',
        },
      ]),
      JSON.stringify([new Date(ago(3)).toISOString().slice(0, 10)]),
    ]);

  async function withClients(use: (one: pg.Client, other: pg.Client) => Promise<void>) {
    const clients = [1, 2].map(() => new pg.Client({ connectionString: server.databaseUrl }));
    try {
      await Promise.all(clients.map((client) => client.connect()));
      await use(...(clients as [pg.Client, pg.Client]));
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
  }

  async function someoneWaits(wanted = 'advisory'): Promise<void> {
    for (;;) {
      const waiting = await server.sql(
        `select from pg_stat_activity where datname = current_database() and wait_event = $1`,
        [wanted],
      );
      if (waiting.length > 0) return;
    }
  }

  beforeEach(() => send([event(3)]));

  test('waits for it and counts it', () =>
    withClients(async (storing) => {
      await storing.query('begin');
      await ingest(storing);
      const folding = fold();
      await someoneWaits();
      await storing.query('commit');
      await folding;
      expect(await foldedHours()).toContain(hourOf(ago(3)));
      expect((await dashboards(6)).totals.calls).toBe(2);
      expect((await dashboards(6)).pairs).toMatchObject([{ calls: 2 }]);
    }));

  test('neither waits for it nor holds it up when it is only half-way', () =>
    withClients(async (storing, holding) => {
      await send(Array.from({ length: 90 }, (_, index) => event(3, { duration_ms: 1.1 ** index })));
      await holding.query('begin');
      await holding.query(
        `select from rollcall.telemetry_minutes where tenant_id = $1 for update`,
        [rollcall.tenant],
      );
      const stored = ingest(storing);
      await someoneWaits('transactionid');
      await fold();
      await holding.query('commit');
      await stored;
      expect((await dashboards(6)).totals.calls).toBe(92);
      await fold();
      expect((await dashboards(6)).pairs).toMatchObject([{ calls: 92 }]);
    }));

  test('is taken back when the event comes second', () =>
    withClients(async (folding, storing) => {
      await folding.query('begin');
      for (;;) {
        const { rows } = await folding.query<{ fold: { hour: string | null } }>(
          'select rollcall_api.fold_hour($1, $2) as fold',
          [rollcall.tenant, rollcall.clock.now()],
        );
        if (rows[0]?.fold.hour === null) break;
      }
      const stored = ingest(storing);
      await someoneWaits();
      await folding.query('commit');
      await stored;
      expect(await foldedHours()).not.toContain(hourOf(ago(3)));
      expect((await dashboards(6)).totals.calls).toBe(2);
    }));
});
