import { randomUUID } from 'node:crypto';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
let start: number;
beforeAll(async () => {
  rollcall = await startTestRollcall();
  start = rollcall.clock.now().getTime();
});
afterAll(() => rollcall.stop());

const ago = (minutes: number) => new Date(start - minutes * 60_000).toISOString();
const event = (more: object = {}) => ({
  event_id: randomUUID(),
  protocol: 'n8n',
  source_id: 'listed',
  target_id: 'other',
  status: 'success',
  ...more,
});
const send = (events: object[]) => rollcall.post('/api/v1/telemetry', events);
const list = (query: Record<string, string>) => rollcall.get('/api/v1/telemetry', { query });
const ids = (items: { event_id: string }[]) => items.map(({ event_id }) => event_id);

const filters = {
  correlation_id: `a'b "c" % _ \\`,
  source_id: 'only source',
  target_id: 'only target',
  protocol: 'codegen',
  status: 'timeout',
  workflow_id: 'only-workflow',
  execution_id: '4711',
  trace_id: 'a'.repeat(32),
};

test.each(Object.entries(filters))(
  '%s finds the events that have it and no other',
  async (field, value) => {
    const wanted = event({ [field]: value });
    await send([event(), wanted, event()]);
    const { body } = await list({ [field]: value });
    expect(ids(body.items)).toEqual([wanted.event_id]);
  },
);

test('filters join: all of them have to fit', async () => {
  const both = event({ source_id: 'joined', operation: 'x', protocol: 'job' });
  await send([both, event({ source_id: 'joined' }), event({ protocol: 'job' })]);
  expect(ids((await list({ source_id: 'joined', protocol: 'job' })).body.items)).toEqual([
    both.event_id,
  ]);
});

test('a time range holds its start and not its end', async () => {
  const events = [9, 8, 7, 6].map((minutes) =>
    event({ source_id: 'timed', timestamp: ago(minutes) }),
  );
  await send(events);
  const { body } = await list({ source_id: 'timed', from: ago(8), to: ago(6) });
  expect(ids(body.items)).toEqual([events[2]?.event_id, events[1]?.event_id]);
});

test('received_from follows what was stored since, whatever time it tells', async () => {
  const first = event({ source_id: 'followed' });
  await send([first]);
  const [{ received_at }] = (await list({ source_id: 'followed' })).body.items;
  const late = event({ source_id: 'followed', timestamp: ago(600) });
  await send([late]);
  const { body } = await list({ source_id: 'followed', received_from: received_at });
  expect(ids(body.items).sort()).toEqual([first.event_id, late.event_id].sort());
  const [{ received_at: lastReceived }] = (await list({ source_id: 'followed', to: ago(1) })).body
    .items;
  const rest = await list({ source_id: 'followed', received_from: lastReceived });
  expect(ids(rest.body.items)).toEqual([late.event_id]);
});

test.each([1, 3, 24, 25, 26])(
  'pages of %i show each event once, newest first, over days and equal times',
  async (limit) => {
    const source_id = `paged-${limit}`;
    const events = Array.from({ length: 25 }, (_, index) =>
      event({ source_id, timestamp: ago(Math.floor(index / 3) * 700) }),
    );
    await send(events);
    const seen: { event_id: string; timestamp: string }[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: { items: typeof seen; next_cursor: string | null } = (
        await list({ source_id, limit: String(limit), ...(cursor ? { cursor } : {}) })
      ).body;
      expect(page.items.length).toBeLessThanOrEqual(limit);
      seen.push(...page.items);
      cursor = page.next_cursor;
    }
    expect(ids(seen).sort()).toEqual(ids(events).sort());
    const times = seen.map(({ timestamp }) => Date.parse(timestamp));
    expect(times).toEqual([...times].sort((left, right) => right - left));
  },
);

test('an event that comes while pages are walked moves none of the rest', async () => {
  const events = [1, 2, 3, 4].map((minutes) =>
    event({ source_id: 'moving', timestamp: ago(minutes) }),
  );
  await send(events);
  const first = (await list({ source_id: 'moving', limit: '2' })).body;
  await send([event({ source_id: 'moving' })]);
  const second = (await list({ source_id: 'moving', limit: '2', cursor: first.next_cursor })).body;
  expect(ids([...first.items, ...second.items])).toEqual(ids(events));
});

test.each([
  ['limit', '0'],
  ['limit', '501'],
  ['limit', 'many'],
  ['from', 'yesterday'],
  ['from', '0000-01-01T00:00:00Z'],
  ['to', '2026-01-01T00:00:00+20:00'],
  ['received_from', '9999-12-31T23:59:59-10:00'],
  ['protocol', 'smtp'],
  ['status', 'fine'],
  ['trace_id', 'xyz'],
  ['source_id', ''],
  ['source_id', 'a\u0000b'],
  ['sorce_id', 'listed'],
  ['cursor', Buffer.from('["2026-01-01T00:00:00Z","not-a-uuid"]').toString('base64url')],
  [
    'cursor',
    Buffer.from('["infinity","0af76519-16cd-43dd-8448-eb211c80319c"]').toString('base64url'),
  ],
])('%s=%j is refused with the path', async (field, value) => {
  const { status, body } = await list({ [field]: value });
  expect(status).toBe(422);
  expect(body).toMatchObject({ code: 'invalid_request', errors: [{ path: `query.${field}` }] });
});
