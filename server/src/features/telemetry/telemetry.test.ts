import { randomUUID } from 'node:crypto';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
afterAll(() => rollcall.stop());

const event = (more: object = {}) => ({
  event_id: randomUUID(),
  protocol: 'mcp',
  source_id: 'agent',
  target_id: 'tools',
  status: 'success',
  ...more,
});
const send = (body: unknown, headers: Record<string, string> = {}) =>
  rollcall.post('/api/v1/telemetry', body, { headers });
const ndjson = { 'content-type': 'application/x-ndjson' };
const statuses = ({ body }: { body: { results: { status: string }[] } }) =>
  body.results.map(({ status }) => status);

async function stored(event_id: string): Promise<Record<string, unknown>[]> {
  return rollcall.sql('select * from rollcall.telemetry where event_id = $1', [event_id]);
}

describe('sending', () => {
  test('one event stores it as it was sent', async () => {
    const one = event({
      timestamp: rollcall.clock.now().toISOString(),
      operation: 'search',
      duration_ms: 12.25,
      tokens_used: 300,
      cost_micros: 4500,
      currency: 'EUR',
      model: 'gpt-4o',
      correlation_id: 'c-1',
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      workflow_id: 'w-1',
      execution_id: 'e-1',
      user_id: 'u-1',
      project_id: 'default',
      error_type: 'none',
      error_message: '',
      metadata: { deep: { list: [1, null, 'ü'] } },
    });
    const { status, body } = await send(one);
    expect(status).toBe(200);
    expect(body).toEqual({
      receipt: expect.any(String),
      accepted: 1,
      duplicates: 0,
      rejected: 0,
      results: [{ index: 0, status: 'accepted', event_id: one.event_id }],
    });
    const { body: page } = await rollcall.get('/api/v1/telemetry?correlation_id=c-1');
    expect(page.items).toHaveLength(1);
    const { received_at, timestamp, ...rest } = page.items[0];
    const { timestamp: sent, ...told } = one as typeof one & { timestamp: string };
    expect(rest).toEqual(told);
    expect(Date.parse(timestamp)).toBe(Date.parse(sent));
    expect(received_at).toEqual(expect.any(String));
  });

  test('the least there is gets an id, a time and the project of the key', async () => {
    const { body } = await send(event({ event_id: undefined, operation: 'least' }));
    const [row] = await stored(body.results[0].event_id);
    expect(row).toMatchObject({ project_id: 'default', timestamp: rollcall.clock.now() });
  });

  test('an array answers for each event in its place', async () => {
    const answer = await send([
      event(),
      event({ protocol: 'carrier pigeon' }),
      event({ duration_ms: -1 }),
      'text',
      event({ protocol: undefined }),
      event({ colour: 'red' }),
      event(),
    ]);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ accepted: 2, duplicates: 0, rejected: 5 });
    expect(answer.body.results).toMatchObject([
      { index: 0, status: 'accepted' },
      { index: 1, status: 'rejected', path: 'protocol', code: 'invalid_value' },
      { index: 2, status: 'rejected', path: 'duration_ms', code: 'too_small' },
      { index: 3, status: 'rejected', path: '', code: 'invalid_type' },
      { index: 4, status: 'rejected', path: 'protocol', code: 'required' },
      { index: 5, status: 'rejected', path: 'colour', code: 'unknown_field' },
      { index: 6, status: 'accepted' },
    ]);
    for (const { status, message } of answer.body.results) {
      expect(Boolean(message)).toBe(status === 'rejected');
    }
  });

  test('lines of NDJSON keeps the good ones beside a broken one', async () => {
    const lines = [JSON.stringify(event()), '{"protocol": ', '', JSON.stringify(event())];
    const answer = await send(`${lines.join('\r\n')}\n`, ndjson);
    expect(answer.status).toBe(200);
    expect(answer.body.results).toMatchObject([
      { index: 0, status: 'accepted' },
      {
        index: 1,
        status: 'rejected',
        code: 'invalid_json',
        message: expect.stringMatching(/line/),
      },
      { index: 2, status: 'accepted' },
    ]);
  });

  test('lines under another content type works too', async () => {
    const lines = [event(), event(), event()].map((line) => JSON.stringify(line));
    expect(statuses(await send(lines.join('\n')))).toEqual(['accepted', 'accepted', 'accepted']);
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('a body compressed with %s is read', async (encoding, compress) => {
    const one = event();
    const answer = await send(compress(JSON.stringify([one])), { 'content-encoding': encoding });
    expect(statuses(answer)).toEqual(['accepted']);
    expect(await stored(one.event_id)).toHaveLength(1);
  });

  test('with a key of a project stores it there unless the event says another', async () => {
    await rollcall.sql(`insert into rollcall.projects values ('default', 'lab', 'Lab')`);
    const request = { name: 'lab', scopes: ['telemetry:write'], project_id: 'lab' };
    const { key } = (await rollcall.post('/api/v1/keys', request)).body;
    const events = [event(), event({ project_id: 'default' })];
    await rollcall.post('/api/v1/telemetry', events, { key });
    const projects = await Promise.all(events.map(({ event_id }) => stored(event_id)));
    expect(projects.map(([row]) => row?.project_id)).toEqual(['lab', 'default']);
  });
});

describe('an event that is sent again', () => {
  test('in one batch, in another request, or in capital letters counts once', async () => {
    const one = event({ operation: 'again' });
    const inBatch = await send([one, one, { ...one, event_id: one.event_id.toUpperCase() }]);
    expect(statuses(inBatch)).toEqual(['accepted', 'duplicate', 'duplicate']);
    const later = await send([event(), one]);
    expect(statuses(later)).toEqual(['accepted', 'duplicate']);
    expect(later.body).toMatchObject({ accepted: 1, duplicates: 1, rejected: 0 });
    expect(await stored(one.event_id)).toHaveLength(1);
  });

  test('alone is a success: nothing was lost', async () => {
    const one = event();
    await send(one);
    const again = await send(one);
    expect(again.status).toBe(200);
    expect(statuses(again)).toEqual(['duplicate']);
  });

  test('from many sides at once is accepted exactly once and rolled up once', async () => {
    const events = Array.from({ length: 20 }, () => event({ source_id: 'storm' }));
    const answers = await Promise.all(Array.from({ length: 15 }, () => send(events)));
    expect(answers.map(({ status }) => status)).toEqual(Array(15).fill(200));
    for (const index of events.keys()) {
      const fates = answers.map((answer) => statuses(answer)[index]);
      expect(fates.filter((fate) => fate === 'accepted')).toHaveLength(1);
    }
    const [rolledUp] = await rollcall.sql(
      `select sum(calls)::int as calls from rollcall.telemetry_pairs where source_id = 'storm'`,
    );
    expect(rolledUp).toEqual({ calls: 20 });
  });

  test('on the other side of midnight counts once', async () => {
    const midnight = new Date(rollcall.clock.now());
    midnight.setUTCHours(0, 0, 0, 0);
    const one = event({ timestamp: new Date(midnight.getTime() - 1).toISOString() });
    await send(one);
    expect(statuses(await send({ ...one, timestamp: midnight.toISOString() }))).toEqual([
      'duplicate',
    ]);
  });

  test('of another tenant is that tenant’s own', async () => {
    const one = event();
    await send(one);
    const key = await rollcall.keyFor('twin', ['telemetry:write']);
    const answer = await rollcall.post('/api/v1/telemetry', one, { key });
    expect(statuses(answer)).toEqual(['accepted']);
    expect(await stored(one.event_id)).toHaveLength(2);
  });

  test('after a mistake in the first one is accepted', async () => {
    const one = event();
    const answer = await send([{ ...one, status: 'fine' }, one]);
    expect(statuses(answer)).toEqual(['rejected', 'accepted']);
  });
});

describe('a batch of which nothing is kept', () => {
  test('is a 422 problem that carries the answer to each event', async () => {
    const { status, headers, body } = await send([event({ status: 'ok' }), 7]);
    expect(status).toBe(422);
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(body).toMatchObject({
      status: 422,
      code: 'nothing_kept',
      receipt: expect.any(String),
      accepted: 0,
      duplicates: 0,
      rejected: 2,
      results: [
        { index: 0, status: 'rejected', path: 'status' },
        { index: 1, status: 'rejected', path: '' },
      ],
      errors: [{ path: '0.status' }, { path: '1' }],
    });
    expect(body.detail).toContain('0.status');
  });

  test.each([
    ['an empty array', [], {}],
    ['an empty body', '', {}],
    ['empty NDJSON', '\n\n', ndjson],
  ])('because it is %s says so', async (_, body, headers) => {
    const answer = await send(body, headers);
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ code: 'empty_batch' });
  });

  test('because it holds more than 10,000 events says how many are allowed', async () => {
    const { status, body } = await send('{}\n'.repeat(10_001), ndjson);
    expect(status).toBe(413);
    expect(body).toMatchObject({ code: 'too_many_items' });
    expect(body.detail).toContain('10000');
  });
});

test('sums beyond what a whole number of the database holds are kept', async () => {
  const most = 1e12;
  const one = event({ source_id: 'greedy', tokens_used: most, cost_micros: most, currency: 'EUR' });
  await send(one);
  for (const table of ['telemetry_minutes', 'telemetry_pairs']) {
    await rollcall.sql(
      `update rollcall.${table} set tokens_used = 9223372036854775807, cost_micros = 9223372036854775807`,
    );
  }
  const { body } = await send({ ...one, event_id: randomUUID() });
  expect(statuses({ body })).toEqual(['accepted']);
  const { status, body: overview } = await rollcall.get('/api/v1/overview');
  expect(status).toBe(200);
  expect(overview.totals.tokens_used).toBeGreaterThanOrEqual(2 ** 63);
  const tooMany = await send(event({ tokens_used: most + 1 }));
  expect(tooMany.body.results).toMatchObject([{ path: 'tokens_used', code: 'too_big' }]);
});

describe('time', () => {
  const hour = 3_600_000;
  const day = 24 * hour;
  test.each([
    ['an hour ahead', hour, 'accepted'],
    ['more than an hour ahead', hour + 1, 'timestamp_in_future'],
    ['29 days old', -29 * day, 'accepted'],
    ['older than 29 days', -29 * day - 1, 'timestamp_too_old'],
  ])('%s is as it should be', async (_, offset, fate) => {
    const timestamp = new Date(rollcall.clock.now().getTime() + offset).toISOString();
    const { body } = await send([event(), event({ timestamp })]);
    const [, result] = body.results;
    expect(result.code ?? result.status).toBe(fate);
    if (fate !== 'accepted') expect(result.path).toBe('timestamp');
  });

  test.each([
    '0001-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
    '2026-02-30T00:00:00Z',
    '2026-01-01',
    '2026-01-01T00:00:00',
    '1767225600',
    'yesterday',
    1767225600,
  ])('%s is refused with the path', async (timestamp) => {
    const { status, body } = await send(event({ timestamp }));
    expect(status).toBe(422);
    expect(body.results[0]).toMatchObject({ status: 'rejected', path: 'timestamp' });
  });

  test('with an offset is the same moment', async () => {
    const now = rollcall.clock.now();
    const local = new Date(now.getTime() + 5.5 * hour).toISOString().replace('Z', '+05:30');
    const one = event({ timestamp: local });
    await send(one);
    expect((await stored(one.event_id))[0]).toMatchObject({ timestamp: now });
  });
});
