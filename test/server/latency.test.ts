import { randomUUID } from 'node:crypto';
import { PROTOCOLS, type Latency, type TelemetryEvent } from '@rollcall/client/contract';
import fc from 'fast-check';
import { startTestRollcall, type TestRollcall } from '../rollcall/start.ts';
import { makeEvent } from './events.ts';

let rollcall: TestRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
afterAll(() => rollcall.stop());

interface Timed {
  duration_ms: number | undefined;
  minutesAgo: number;
  protocol: TelemetryEvent['protocol'];
}

/** From ten microseconds to eleven days, every order of magnitude as likely, and zero. */
const duration = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: -4.6, max: 20.6, noNaN: true }).map(Math.exp) },
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constant(undefined) },
);

/** Few minutes and protocols, so that most of what comes is merged with what is there. */
const timed: fc.Arbitrary<Timed> = fc.record({
  duration_ms: duration,
  minutesAgo: fc.constantFrom(0, 1, 45),
  protocol: fc.constantFrom(...PROTOCOLS.slice(0, 3)),
});

const batches = fc.array(fc.array(timed, { minLength: 1, maxLength: 250 }), {
  minLength: 1,
  maxLength: 4,
});

test('p50, p95 and p99 are within 2 % of nearest rank, over minutes, batches and protocols', async () => {
  await fc.assert(fc.asyncProperty(batches, holdsFor), { numRuns: 40 });
});

test('rows that are folded again and again stay within 2 %', async () => {
  const spread = Array.from({ length: 2_500 }, (_, index) => Math.exp(-4 + (index % 613) / 25));
  const alike = (duration_ms: number): Timed => ({ duration_ms, minutesAgo: 1, protocol: 'mcp' });
  await holdsFor(
    [0, 500, 1_000, 1_500, 2_000].map((from) => spread.slice(from, from + 500).map(alike)),
  );
});

async function holdsFor(given: Timed[][]): Promise<void> {
  const key = await rollcall.keyFor(`t${randomUUID()}`);
  const now = rollcall.clock.now().getTime();
  for (const batch of given) {
    const events = batch.map(({ minutesAgo, ...event }) =>
      makeEvent({ ...event, timestamp: new Date(now - minutesAgo * 60_000).toISOString() }),
    );
    const { body } = await rollcall.post('/api/v1/telemetry', events, { key });
    expect(body.accepted).toBe(events.length);
  }

  const all = given.flat();
  const read = async (path: string) => (await rollcall.get(`/api/v1/${path}`, { key })).body;
  const overview = await read('overview?window_seconds=3600');
  const recent = await read('overview?window_seconds=120');
  const { items: pairs } = await read('pairs');
  const { items: patterns } = await read('patterns');
  expectTrue(overview.totals, all);
  expectTrue(
    recent.totals,
    all.filter(({ minutesAgo }) => minutesAgo < 45),
  );
  expect(pairs).toHaveLength(1);
  expectTrue(pairs[0], all);
  const protocols = new Set(all.map(({ protocol }) => protocol));
  for (const rows of [overview.protocols, patterns]) {
    expect(rows).toHaveLength(protocols.size);
    for (const row of rows) {
      expectTrue(
        row,
        all.filter(({ protocol }) => protocol === row.protocol),
      );
    }
  }
}

function expectTrue(answer: Latency & { calls: number }, events: Timed[]): void {
  const durations = events
    .map(({ duration_ms }) => duration_ms)
    .filter((value) => value !== undefined)
    .sort((a, b) => a - b);
  expect(answer.calls).toBe(events.length);
  expect(answer.max_ms).toBe(durations.at(-1) ?? null);
  for (const [name, share] of [
    ['p50_ms', 0.5],
    ['p95_ms', 0.95],
    ['p99_ms', 0.99],
  ] as const) {
    const truth = durations[Math.ceil(durations.length * share) - 1];
    if (truth === undefined) expect(answer[name]).toBeNull();
    else expect(Math.abs((answer[name] ?? NaN) - truth)).toBeLessThanOrEqual(truth * 0.02);
  }
  const sum = durations.reduce((total, value) => total + value, 0);
  if (durations.length === 0) expect(answer.avg_ms).toBeNull();
  else {
    const error = Math.abs((answer.avg_ms ?? NaN) - sum / durations.length);
    expect(error).toBeLessThanOrEqual(0.001 + (sum / durations.length) * 1e-9);
  }
}
