import pg from 'pg';
import { readEvents } from '../../../../test/rollcall/stream.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';

let shared: TestRollcall;
let tenant: FreshTenant;
beforeAll(async () => {
  shared = await startTestRollcall();
});
afterAll(() => shared.stop());
beforeEach(async () => {
  tenant = await freshTenant(shared);
});

const register = (entity_id: string) =>
  tenant.post('/api/v1/entities', { entity_type: 'service', entity_id });

const rows = async () =>
  (
    await tenant.sql<{ name: string }>(
      `select body->>'entity_id' as name from rollcall.live_events
        where tenant_id = $1 order by xact, id`,
      [tenant.tenant],
    )
  ).map(({ name }) => name);

async function trim(hoursLater: number, keepRows = 50_000): Promise<number> {
  const [answer] = await tenant.sql<{ trimmed: { removed: number } }>(
    `select rollcall_api.trim_live($1, now() + make_interval(hours => $2), 3600, $3) as trimmed`,
    [tenant.tenant, hoursLater, keepRows],
  );
  return answer?.trimmed.removed ?? -1;
}

/** What is stored after an event id, by event name. */
async function stored(lastEventId?: string) {
  const path = '/api/v1/live?topics=registry&follow=false';
  const reader = await readEvents(shared.url, path, { key: tenant.key, lastEventId });
  await reader.ended;
  return {
    id: reader.lastId() as string,
    heard: reader.heard.map(({ event, data }) =>
      event === 'registry' ? (data.entity_id as string) : event,
    ),
  };
}

test('announcements go after their time, and whoever has not heard them is told to begin anew', async () => {
  const before = await stored();
  await register('one');
  await register('two');
  const after = await stored(before.id);
  expect(after.heard).toEqual(['ready', 'one', 'two']);
  expect(await trim(0)).toBe(0);
  expect(await trim(2)).toBe(2);
  expect(await rows()).toEqual([]);

  await register('three');
  expect((await stored(after.id)).heard).toEqual(['ready', 'three']);
  const anew = await stored(before.id);
  expect(anew.heard).toEqual(['ready', 'reset']);
  await register('four');
  expect((await stored(anew.id)).heard).toEqual(['ready', 'four']);
});

test('the newest rows stay, as many as may', async () => {
  for (const name of ['one', 'two', 'three', 'four']) await register(name);
  expect(await trim(0, 3)).toBe(1);
  expect(await rows()).toEqual(['two', 'three', 'four']);
  expect(await trim(0, 3)).toBe(0);
});

test('what a transaction under way was overtaken by stays, so that nobody is told to begin anew for it', async () => {
  const slow = new pg.Client(shared.databaseUrl);
  await slow.connect();
  await register('old');
  await slow.query('begin; create temporary table busy ()');
  await register('new');
  const { id } = await stored();
  expect(await trim(2)).toBe(1);
  expect(await rows()).toEqual(['new']);
  await register('newer');
  expect((await stored(id)).heard).toEqual(['ready', 'newer']);
  await slow.query('commit');
  await slow.end();
  expect(await trim(2)).toBe(2);
});

test('another tenant’s rows and readers are left alone', async () => {
  const other = await freshTenant(shared);
  const { id } = await stored();
  await register('one');
  await other.post('/api/v1/entities', { entity_type: 'service', entity_id: 'theirs' });
  await tenant.sql(`select rollcall_api.trim_live($1, now() + interval '2 hours', 3600, 50000)`, [
    other.tenant,
  ]);
  expect((await stored(id)).heard).toEqual(['ready', 'one']);
});
