import type { LiveTelemetry } from '@rollcall/client/contract';
import { readEvents, type EventReader } from '../../../../test/rollcall/stream.ts';
import { startSecondRollcall, type SecondRollcall } from '../../../../test/rollcall/second.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';

let shared: TestRollcall;
let second: SecondRollcall;
let tenant: FreshTenant;
let readers: EventReader[] = [];
beforeAll(async () => {
  shared = await startTestRollcall();
  second = await startSecondRollcall(shared);
});
afterAll(async () => {
  await second.stop();
  await shared.stop();
});
beforeEach(async () => {
  tenant = await freshTenant(shared);
});
afterEach(() => {
  for (const reader of readers) reader.close();
  readers = [];
});

async function watch(
  query = '',
  options: { url?: string; key?: string; lastEventId?: string | undefined } = {},
): Promise<EventReader> {
  const { url = shared.url, key = tenant.key, lastEventId } = options;
  const reader = await readEvents(url, `/api/v1/live${query}`, { key, lastEventId });
  readers.push(reader);
  await reader.next('ready');
  return reader;
}

const register = (entity_id: string, more = {}) =>
  tenant.post('/api/v1/entities', { entity_type: 'service', entity_id, ...more });
const event = { protocol: 'mcp', source_id: 'a', target_id: 'b', status: 'success' };
const registered = (reader: EventReader): string[] =>
  reader.heard.filter((each) => each.event === 'registry').map(({ data }) => data.entity_id);

describe('the fleet', () => {
  test('is told first that the stream has begun, in a form that no proxy holds back', async () => {
    const reader = await watch();
    expect(reader.heard).toEqual([
      {
        event: 'ready',
        id: expect.stringMatching(/^\d+:\d+:[\d,]*$/),
        data: { topics: ['executions', 'telemetry', 'registry', 'gaps'] },
      },
    ]);
    expect(Object.fromEntries(reader.response.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    expect(reader.response.headers.get('content-encoding')).toBeNull();
  });

  test('tells of registrations and of changes of state and health', async () => {
    const reader = await watch('?topics=registry');
    await register('stock', { current_state: 'active' });
    await register('stock', { description: 'changes no state' });
    await tenant.put('/api/v1/entities/service/stock/state', {
      health_status: 'unhealthy',
      reason: 'disk full',
    });
    expect((await reader.next('registry')).data).toEqual({
      entity_type: 'service',
      entity_id: 'stock',
      from_state: null,
      to_state: 'active',
      from_health: null,
      to_health: 'unknown',
      reason: 'registered',
    });
    expect((await reader.next('registry')).data).toMatchObject({
      from_state: 'active',
      to_state: 'active',
      to_health: 'unhealthy',
      reason: 'disk full',
    });
  });

  test('tells of gaps that a check has opened or closed, a hundred at a time', async () => {
    const reader = await watch('?topics=gaps');
    for (let index = 0; index < 3; index++) await register(`a${index}`);
    const events = Array.from({ length: 120 }, (_, index) => ({
      ...event,
      source_id: `s${index}`,
    }));
    await tenant.post('/api/v1/telemetry', events);
    await tenant.post('/api/v1/gaps/check');
    const gaps = [
      ...(await reader.next('gaps')).data.gaps,
      ...(await reader.next('gaps')).data.gaps,
    ];
    expect(gaps).toHaveLength(121);
    expect(new Set(gaps.map(({ id }) => id as string)).size).toBe(121);
    expect(gaps.find(({ entity_id }) => entity_id === 's7')).toEqual({
      id: expect.any(String),
      change: 'opened',
      kind: 'unregistered',
      severity: 'warning',
      entity_type: 'service',
      entity_id: 's7',
    });
    await register('s7');
    shared.clock.advance(1000);
    await tenant.post('/api/v1/gaps/check');
    expect((await reader.next('gaps')).data.gaps).toEqual([
      expect.objectContaining({ change: 'closed', kind: 'unregistered', entity_id: 's7' }),
    ]);
  });

  test('tells of telemetry in sums that miss nothing and count nothing twice', async () => {
    const reader = await watch('?topics=telemetry');
    const failed = { ...event, protocol: 'n8n', status: 'timeout', event_id: crypto.randomUUID() };
    await tenant.post('/api/v1/telemetry', [event, failed]);
    await tenant.post('/api/v1/telemetry', [failed, event]);
    await tenant.post('/api/v1/telemetry', event);
    const told = () => reader.heard.filter((each) => each.event === 'telemetry');
    const sum = (of: (data: LiveTelemetry) => number | undefined) =>
      told().reduce((total, { data }) => total + (of(data as LiveTelemetry) ?? 0), 0);
    await reader.until(() => sum(({ accepted }) => accepted) >= 4);
    expect({
      accepted: sum(({ accepted }) => accepted),
      errors: sum(({ errors }) => errors),
      mcp: sum(({ by_protocol }) => by_protocol.mcp),
      n8n: sum(({ by_protocol }) => by_protocol.n8n),
    }).toEqual({ accepted: 4, errors: 1, mcp: 3, n8n: 1 });
  });

  test('leaves out what was not asked for', async () => {
    const reader = await watch('?topics=gaps,registry');
    await tenant.post('/api/v1/telemetry', event);
    await register('stock');
    await reader.next('registry');
    expect(new Set(reader.heard.map((each) => each.event))).toEqual(new Set(['ready', 'registry']));
  });
});

describe('coming back with Last-Event-ID', () => {
  test('goes on after that event, after each one alike', async () => {
    const reader = await watch('?topics=registry');
    const names = Array.from({ length: 12 }, (_, index) => `entity-${index}`);
    await Promise.all(names.slice(0, 8).map((name) => register(name)));
    await reader.until(() => registered(reader).length === 8);
    await Promise.all(names.slice(8).map((name) => register(name)));
    await reader.until(() => registered(reader).length === 12);
    expect(registered(reader).sort()).toEqual(names.sort());

    for (const [index, { id }] of reader.heard.entries()) {
      const again = await watch('?topics=registry&follow=false', { lastEventId: id });
      await again.ended;
      const rest = reader.heard.slice(index + 1).map(({ data }) => data.entity_id as string);
      // The table is read in its own order.
      expect(registered(again).sort()).toEqual(rest.sort());
    }
  });

  test('tells what happened meanwhile, on another server too, and then what happens', async () => {
    const reader = await watch();
    reader.close();
    const names = Array.from({ length: 450 }, (_, index) => `entity-${index}`);
    for (let at = 0; at < names.length; at += 50) {
      await Promise.all(names.slice(at, at + 50).map((name) => register(name)));
    }
    const again = await watch('?topics=registry', {
      url: second.url,
      lastEventId: reader.lastId(),
    });
    await register('later');
    await again.until(() => registered(again).includes('later'));
    expect(registered(again).sort()).toEqual([...names, 'later'].sort());
    expect(again.heard.map((each) => each.event)).not.toContain('reset');
  });

  test.each([
    '5',
    'x',
    '1:2',
    '3:2:',
    '0:1:',
    '5:9:9',
    '5:9:7,6',
    '5:9:/5:9:/1',
    '5:9:/5:9:/1.1/1',
    '9'.repeat(9000),
  ])('after something that is no event id (%#) begins anew and says so', async (lastEventId) => {
    const reader = await watch('', { lastEventId });
    expect((await reader.next('reset')).data).toEqual({ reason: 'unknown_id' });
    await register('stock');
    expect((await reader.next('registry')).data).toMatchObject({ entity_id: 'stock' });
  });

  test.each(['9223372036854775807:9223372036854775807:', '5:9223372036854775807:6,7'])(
    'after an event of another database (%s) begins anew and says so',
    async (lastEventId) => {
      const reader = await watch('', { lastEventId });
      expect((await reader.next('reset')).data).toEqual({ reason: 'too_old' });
      await register('stock');
      expect((await reader.next('registry')).data).toMatchObject({ entity_id: 'stock' });
    },
  );
});

describe('between servers', () => {
  test('what one takes in is told by the other', async () => {
    const reader = await watch('', { url: second.url });
    await register('stock');
    expect((await reader.next('registry')).data).toMatchObject({ entity_id: 'stock' });
    await tenant.post('/api/v1/telemetry', event);
    expect((await reader.next('telemetry')).data).toMatchObject({ accepted: 1 });
  });
});

describe('tenants', () => {
  test('never see each other’s events, with any event id', async () => {
    const other = await freshTenant(shared);
    const spy = await watch('', { key: other.key });
    const reader = await watch();
    await register('secret');
    await tenant.post('/api/v1/gaps/check');
    await tenant.post('/api/v1/telemetry', event);
    await reader.next('telemetry');
    for (const { id } of reader.heard) {
      const again = await watch('?follow=false', { key: other.key, lastEventId: id });
      await again.ended;
      expect(again.heard.map((each) => each.event)).toEqual(['ready']);
    }
    await other.post('/api/v1/entities', { entity_type: 'service', entity_id: 'own' });
    await spy.next('registry');
    expect(registered(spy)).toEqual(['own']);
  });

  test('with a key that may not read a topic are told so, or not of it', async () => {
    const key = await shared.keyFor(tenant.tenant, ['telemetry:read']);
    const refused = await tenant.get('/api/v1/live?topics=gaps', { key });
    expect([refused.status, refused.body.code]).toEqual([403, 'missing_scope']);
    const reader = await watch('', { key });
    expect(reader.heard[0]?.data).toEqual({ topics: ['executions', 'telemetry'] });
    await register('stock');
    await tenant.post('/api/v1/telemetry', event);
    await reader.next('telemetry');
    expect(registered(reader)).toEqual([]);
  });
});

describe('a request that asks for something else', () => {
  test.each([
    ['?topics=weather', 422, 'query.topics.0'],
    ['?topics=', 422, 'query.topics.0'],
    ['?follow=true', 422, 'query.follow'],
    ['?key=rc_x', 422, 'query.key'],
  ])('%s is refused', async (query, status, path) => {
    const answer = await tenant.get(`/api/v1/live${query}`);
    expect([answer.status, answer.body.errors[0].path]).toEqual([status, path]);
  });

  test('in another format is refused, and HEAD ends at once', async () => {
    const accept = await tenant.get('/api/v1/live', { headers: { accept: 'application/json' } });
    expect([accept.status, accept.body.code]).toEqual([406, 'not_acceptable']);
    expect((await tenant.call('HEAD', '/api/v1/live')).status).toBe(200);
  });
});
