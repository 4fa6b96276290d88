import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';

let server: TestRollcall;
let rollcall: FreshTenant;
beforeAll(async () => {
  server = await startTestRollcall();
  rollcall = await freshTenant(server);
  await rollcall.post('/api/v1/telemetry', [
    // What was busy lately is where the search for the busiest begins.
    ...calls(1, 'lately', 60),
    ...calls(1, 'lately-too', 50),
    ...calls(1, 'lately-as-well', 45),
    ...calls(0, 'lately', 1),
    ...calls(20, 'at-night', 100),
    ...calls(9, 'two-ways', 40, 'mcp'),
    ...calls(14, 'two-ways', 41, 'n8n'),
    ...hours(1, 23).flatMap((hour) => calls(hour, 'steadily', 4)),
    ...hours(1, 23).flatMap((hour) => calls(hour, `once-${hour}`, 1)),
  ]);
});
afterAll(() => server.stop());

const hours = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

const calls = (hoursAgo: number, source_id: string, count: number, protocol = 'mcp') =>
  Array.from({ length: count }, () => ({
    timestamp: new Date(rollcall.clock.now().getTime() - hoursAgo * 3_600_000).toISOString(),
    protocol,
    source_id,
    target_id: 'b',
    status: 'success',
  }));

const busiest = async (path: string, limit: number): Promise<[string, number][]> => {
  const { body } = await rollcall.get(path, { query: { limit: String(limit) } });
  return body.items.map((item: { source_id: string; calls: number }) => [
    item.source_id,
    item.calls,
  ]);
};

test.each([1, 2, 3])(
  'the %i busiest pairs of a day are found, whenever in it they were busy',
  async (limit) => {
    const all = await busiest('/api/v1/pairs', 100);
    expect(all.slice(0, 4)).toEqual([
      ['at-night', 100],
      ['steadily', 92],
      ['two-ways', 81],
      ['lately', 61],
    ]);
    expect(await busiest('/api/v1/pairs', limit)).toEqual(all.slice(0, limit));
  },
);

test.each([1, 2])('the first %i patterns of a day are those of the whole list', async (limit) => {
  const all = await busiest('/api/v1/patterns', 100);
  expect(all.slice(0, 3)).toEqual([
    ['at-night', 100],
    ['steadily', 92],
    ['lately', 61],
  ]);
  expect(await busiest('/api/v1/patterns', limit)).toEqual(all.slice(0, limit));
});
