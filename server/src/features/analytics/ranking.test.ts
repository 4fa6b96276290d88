import fc from 'fast-check';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';

let server: TestRollcall;
beforeAll(async () => {
  server = await startTestRollcall();
});
afterAll(() => server.stop());

const HOUR_MS = 3_600_000;
const PROTOCOLS = ['mcp', 'a2a', 'http'];

/** So many calls of one pair, over one protocol, in one hour. */
interface Heap {
  pair: number;
  protocol: string;
  hoursAgo: number;
  calls: number;
}

const heap: fc.Arbitrary<Heap> = fc.record({
  pair: fc.nat({ max: 25 }),
  protocol: fc.constantFrom(...PROTOCOLS),
  hoursAgo: fc.oneof(fc.nat({ max: 4 }), fc.nat({ max: 30 })),
  calls: fc.oneof(fc.constantFrom(1, 2), fc.integer({ min: 1, max: 40 })),
});

/** Sums of calls by name, most first, then by name. */
function ranked(heaps: Heap[], nameOf: (heap: Heap) => string): [string, number][] {
  const sums = new Map<string, number>();
  for (const each of heaps) sums.set(nameOf(each), (sums.get(nameOf(each)) ?? 0) + each.calls);
  return [...sums].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
}

const ends = (pair: number) => ({
  source_id: `source-${String(Math.floor(pair / 5)).padStart(2, '0')}`,
  target_id: `target-${String(pair % 5).padStart(2, '0')}`,
});
const pairName = ({ pair }: Heap) => Object.values(ends(pair)).join(' ');
const patternName = (each: Heap) => `${pairName(each)} ${each.protocol}`;

async function fill(tenant: FreshTenant, heaps: Heap[]): Promise<void> {
  const now = tenant.clock.now().getTime();
  const events = heaps.flatMap(({ pair, protocol, hoursAgo, calls }) =>
    Array.from({ length: calls }, () => ({
      ...ends(pair),
      protocol,
      status: 'success',
      timestamp: new Date(now - hoursAgo * HOUR_MS).toISOString(),
    })),
  );
  const { body } = await tenant.post('/api/v1/telemetry', events);
  expect(body.accepted).toBe(events.length);
}

interface Row {
  source_id: string;
  target_id: string;
  protocol?: string;
  calls: number;
}
const shown = (items: Row[]): [string, number][] =>
  items.map(({ source_id, target_id, protocol, calls }) => [
    [source_id, target_id, protocol].filter(Boolean).join(' '),
    calls,
  ]);

test('the busiest pairs and patterns are those that the events add up to, whatever is asked for', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(heap, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 30 }),
      fc.constantFrom(1, 5, 24, 40),
      async (heaps, limit, hours) => {
        const tenant = await freshTenant(server);
        await fill(tenant, heaps);
        const query = { window_seconds: String(hours * 3600), limit: String(limit) };
        // Whole hours, the one that the window begins in included.
        const within = heaps.filter(({ hoursAgo }) => hoursAgo <= hours);

        const pairs = (await tenant.get('/api/v1/pairs', { query })).body.items;
        expect(shown(pairs)).toEqual(ranked(within, pairName).slice(0, limit));

        const seen: Row[] = [];
        for (let cursor: string | null = ''; cursor !== null;) {
          const more: Record<string, string> = cursor ? { cursor } : {};
          const page = (await tenant.get('/api/v1/patterns', { query: { ...query, ...more } }))
            .body;
          seen.push(...page.items);
          cursor = page.next_cursor as string | null;
        }
        expect(shown(seen)).toEqual(ranked(within, patternName));
      },
    ),
    { numRuns: 60 },
  );
}, 120_000);
