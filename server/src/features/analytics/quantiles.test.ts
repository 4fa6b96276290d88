import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';

let server: TestRollcall;
let rollcall: FreshTenant;
beforeAll(async () => {
  server = await startTestRollcall();
});
afterAll(() => server.stop());
beforeEach(async () => {
  rollcall = await freshTenant(server);
});

const ago = (milliseconds: number) =>
  new Date(rollcall.clock.now().getTime() - milliseconds).toISOString();
const send = async (events: object[]) => {
  const { body } = await rollcall.post('/api/v1/telemetry', events);
  expect(body.accepted).toBe(events.length);
};
const event = (more: object = {}) => ({
  protocol: 'mcp',
  source_id: 'a',
  target_id: 'b',
  status: 'success',
  ...more,
});
const overview = async () => (await rollcall.get('/api/v1/overview')).body;
const patterns = async () => (await rollcall.get('/api/v1/patterns')).body;
const pairs = async () => (await rollcall.get('/api/v1/pairs')).body;

/** The true quantile by nearest rank. */
function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.ceil(sorted.length * share) - 1] as number;
}

/** Numbers that are the same in every run, from 0 to 1. */
function sequence(count: number): number[] {
  let state = 42;
  return Array.from(
    { length: count },
    () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647,
  );
}

const distributions: [string, number[]][] = [
  ['one value', [123.456]],
  ['two values', [10, 20]],
  ['1 to 1000', Array.from({ length: 1000 }, (_, index) => index + 1)],
  ['values around a bucket’s edge', sequence(500).map((x) => 1.04 ** 100 * (0.999 + x / 500))],
  ['a long tail', sequence(3000).map((x) => Math.exp(x * 14 - 2))],
  ['fractions of a millisecond', sequence(1000).map((x) => 0.001 + x / 10)],
  ['two heaps far apart', sequence(1000).map((x) => (x < 0.5 ? 1 + x : 100_000 + x))],
  ['hours', sequence(200).map((x) => x * 1e8)],
];

test.each(distributions)('quantiles of %s are within 2 %', async (_, durations) => {
  await send(
    durations.map((duration_ms) => event({ duration_ms, timestamp: ago(durations.length) })),
  );
  const answers = [
    (await overview()).totals,
    (await overview()).protocols[0],
    (await patterns()).items[0],
    (await pairs()).items[0],
  ];
  for (const answer of answers) {
    for (const percent of [50, 95, 99]) {
      const exact = quantile(durations, percent / 100);
      expect(Math.abs(answer[`p${percent}_ms`] - exact)).toBeLessThanOrEqual(exact * 0.02 + 0.0006);
    }
    expect(answer.max_ms).toBe(Math.max(...durations));
  }
});

test('quantiles hold over many small batches, which share their rows', async () => {
  const durations = sequence(600).map((x) => Math.exp(x * 10));
  for (let start = 0; start < 600; start += 20) {
    await send(durations.slice(start, start + 20).map((duration_ms) => event({ duration_ms })));
  }
  const { totals } = await overview();
  for (const percent of [50, 95, 99]) {
    const exact = quantile(durations, percent / 100);
    expect(Math.abs(totals[`p${percent}_ms`] / exact - 1)).toBeLessThanOrEqual(0.02);
  }
  expect(totals.calls).toBe(600);
});

test('a duration of zero is zero', async () => {
  await send([event({ duration_ms: 0 }), event({ duration_ms: 0 })]);
  expect((await overview()).totals).toMatchObject({ avg_ms: 0, p50_ms: 0, p99_ms: 0, max_ms: 0 });
});
