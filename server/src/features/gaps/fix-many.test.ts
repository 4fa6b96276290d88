import { dumpTenant } from '../../../../test/rollcall/dump.ts';
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

const fixMany = (body: object) => rollcall.post('/api/v1/gaps/fix', body);
const everything = async () => ({ ...(await dumpTenant(rollcall, rollcall.tenant)), api_keys: [] });
const open = async () =>
  (await rollcall.get('/api/v1/gaps', { query: { limit: '500' } })).body.items;
const unregistered = { kind: 'unregistered' };

/** So many names in telemetry that nobody has registered. */
async function ghosts(count: number) {
  const known = { entity_type: 'service', entity_id: 'known', current_state: 'active' };
  await rollcall.post('/api/v1/entities', known);
  const events = Array.from({ length: count }, (_, index) => ({
    protocol: 'mcp',
    source_id: 'known',
    target_id: `ghost-${index}`,
    status: 'success',
  }));
  await rollcall.post('/api/v1/telemetry', events);
  await rollcall.post('/api/v1/gaps/check');
}

const orphan = (entity_id: string) =>
  rollcall.post('/api/v1/entities', { entity_type: 'agent', entity_id });

test('fixes every gap that fits, and leaves the others alone', async () => {
  await orphan('lone');
  await ghosts(3);
  const { status, body } = await fixMany({ filter: unregistered, action: 'register' });
  expect(status).toBe(200);
  expect(body).toMatchObject({ dry_run: false, fixed: 3, refused: 0, next_cursor: null });
  expect(body.check).toMatchObject({ closed: 3, open: 1 });
  expect(body.items.map(({ entity_id }: { entity_id: string }) => entity_id).sort()).toEqual([
    'ghost-0',
    'ghost-1',
    'ghost-2',
  ]);
  expect(await open()).toMatchObject([{ kind: 'orphaned' }]);
});

test('a dry run says the same and writes nothing', async () => {
  await ghosts(3);
  const before = await everything();
  const dry = await fixMany({ filter: unregistered, dry_run: true });
  expect(await everything()).toEqual(before);
  expect(dry.body).toMatchObject({ dry_run: true, fixed: 3, check: { closed: 3, open: 0 } });
  const real = await fixMany({ filter: unregistered });
  const changes = ({ body }: typeof real) =>
    body.items.map((item: { changes: object[] }) => item.changes);
  expect(changes(dry)).toEqual(changes(real));
  expect(dry.body.items[0].fix_id).toBeNull();
});

test('each fix has its own record, and can be undone by itself', async () => {
  await ghosts(3);
  const { items } = (await fixMany({ filter: unregistered })).body;
  const undone = await rollcall.post(`/api/v1/gaps/fixes/${items[1].fix_id}/undo`);
  expect(undone.body.gap).toMatchObject({ state: 'open', entity_id: items[1].entity_id });
  expect(await open()).toMatchObject([{ entity_id: items[1].entity_id }]);
  const record = (await rollcall.get('/api/v1/gaps/fixes')).body.items;
  expect(record.map(({ status }: { status: string }) => status).sort()).toEqual([
    'done',
    'done',
    'undone',
  ]);
});

test('what cannot be fixed is told with the reason and holds nothing up', async () => {
  for (const id of ['one', 'two', 'three']) await orphan(id);
  await rollcall.post('/api/v1/entities', {
    entity_type: 'team',
    entity_id: 'below',
    parent: { entity_type: 'agent', entity_id: 'two' },
    current_state: 'active',
  });
  await rollcall.post('/api/v1/gaps/check');
  const { body } = await fixMany({
    filter: { kind: 'orphaned' },
    action: 'reparent',
    parent_type: 'team',
    parent_id: 'below',
  });
  expect(body).toMatchObject({ fixed: 2, refused: 1 });
  const refused = body.items.find(({ status }: { status: string }) => status === 'refused');
  expect(refused).toMatchObject({ entity_id: 'two', code: 'cycle', fix_id: null, changes: [] });
  expect(refused.message).toContain('cannot be below');
  const two = (await rollcall.get('/api/v1/entities/agent/two')).body;
  expect(two.parent).toBeNull();
});

test('takes as many as it is told, and goes on from there', async () => {
  await ghosts(5);
  const first = (await fixMany({ filter: unregistered, limit: 2 })).body;
  expect(first.fixed).toBe(2);
  const second = (await fixMany({ filter: unregistered, limit: 2, cursor: first.next_cursor }))
    .body;
  const third = (await fixMany({ filter: unregistered, limit: 2, cursor: second.next_cursor }))
    .body;
  expect([second.fixed, third.fixed, third.next_cursor]).toEqual([2, 1, null]);
  expect(await open()).toEqual([]);
});

test('two at the same time do each gap once', async () => {
  await ghosts(20);
  const answers = await Promise.all([1, 2, 3].map(() => fixMany({ filter: unregistered })));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  const fixed = answers.map(({ body }) => body.fixed).sort((one, other) => one - other);
  expect(fixed).toEqual([0, 0, 20]);
});

test('mutes many with one reason', async () => {
  await ghosts(3);
  const until = '2199-01-01T00:00:00Z';
  const { body } = await fixMany({ filter: {}, action: 'mute', reason: 'migration', until });
  expect(body).toMatchObject({ fixed: 3, check: { open: 0, muted: 3 } });
});

test('fixes in n8n are refused one by one where no n8n is connected', async () => {
  await ghosts(2);
  const { status, body } = await fixMany({ filter: unregistered, action: 'instrument' });
  expect(status).toBe(200);
  expect(body).toMatchObject({ fixed: 0, refused: 2 });
  expect(body.items[0]).toMatchObject({ code: 'not_applicable' });
});

test.each([
  [{}, 'filter', 'required'],
  [{ filter: { kind: 'nothing' } }, 'filter.kind', 'invalid_value'],
  [{ filter: { limit: 3 } }, 'filter.limit', 'unknown_field'],
  [{ filter: {}, action: 'explode' }, 'action', 'invalid_value'],
  [{ filter: {}, limit: 0 }, 'limit', 'too_small'],
  [{ filter: {}, limit: 1001 }, 'limit', 'too_big'],
  [{ filter: {}, cursor: 'x' }, 'cursor', 'invalid_cursor'],
  [{ filter: {}, dry_run: 'yes' }, 'dry_run', 'invalid_type'],
  [{ filter: {}, until: 'soon' }, 'until', 'invalid_format'],
])('%j is refused at %s and changes nothing', async (body, path, code) => {
  await ghosts(1);
  const before = await everything();
  const answer = await fixMany(body);
  expect(answer.status).toBe(422);
  expect(answer.body.errors).toMatchObject([{ path, code }]);
  expect(await everything()).toEqual(before);
});
