import { dumpTenant } from '../../../../test/rollcall/dump.ts';
import { GAP_CAUSES } from '../../../../test/rollcall/gap-causes.ts';
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

const check = () => rollcall.post('/api/v1/gaps/check');
const fix = (id: string, body?: object) => rollcall.post(`/api/v1/gaps/${id}/fix`, body);
const undo = (id: string) => rollcall.post(`/api/v1/gaps/fixes/${id}/undo`);
const inAnHour = () => new Date(rollcall.clock.now().getTime() + 3_600_000).toISOString();
const home = { entity_type: 'team', entity_id: 'home' };

/** Every row of the tenant. Keys have the time of their last use. */
const everything = async () => ({ ...(await dumpTenant(rollcall, rollcall.tenant)), api_keys: [] });

/** What the registry and the gaps hold, without when it was written: history and record only grow. */
async function state() {
  const { sql, tenant } = rollcall;
  const entities = await sql(
    `select to_jsonb(e) - 'updated_at' as row from rollcall.entities e where tenant_id = $1 order by entity_type, entity_id`,
    [tenant],
  );
  const dependencies = await sql(
    `select to_jsonb(d) as row from rollcall.entity_dependencies d where tenant_id = $1 order by entity_id, target_id`,
    [tenant],
  );
  const gaps = await sql(
    `select kind, entity_type, entity_id, subject, closed_at, muted_until, mute_reason, muted_by from rollcall.gaps
      where tenant_id = $1 and closed_at is null order by 1, 2, 3, 4`,
    [tenant],
  );
  return { entities, dependencies, gaps };
}

async function openGap(name: string) {
  await GAP_CAUSES[name]?.open(rollcall);
  await check();
  const { items } = (await rollcall.get('/api/v1/gaps')).body;
  return items[0];
}

const ways: [cause: string, action: string, more?: object][] = [
  ['unregistered', 'register'],
  ['unregistered', 'register', { entity_type: 'service', entity_name: 'The ghost' }],
  ['silent', 'set_state'],
  ['silent', 'mark_deleted'],
  ['orphaned without a parent', 'reparent', { parent_type: 'team', parent_id: 'home' }],
  ['orphaned below an unknown parent', 'register'],
  ['orphaned below a deleted parent', 'register'],
  ['orphaned below a deleted parent', 'reparent', { parent_type: 'team', parent_id: 'home' }],
  ['orphaned below an unknown parent', 'detach'],
  ['broken dependency on something unknown', 'register'],
  ['broken dependency on something deleted', 'register'],
  ['broken dependency on something deleted', 'drop_dependency'],
  ['broken dependency on something unhealthy', 'set_state'],
  ['stuck', 'set_state', { new_state: 'error' }],
  ['stuck', 'mark_deleted'],
  ['stuck', 'mute', { reason: 'on purpose', until: '2199-01-01T00:00:00Z' }],
];

describe.each(ways)('%s, by %s', (cause, action, more = {}) => {
  beforeEach(async () => {
    await rollcall.post('/api/v1/entities', { ...home, current_state: 'active' });
  });

  test('a dry run says what the fix then does, and writes nothing', async () => {
    const gap = await openGap(cause);
    const before = await everything();
    const dry = await fix(gap.id, { action, ...more, dry_run: true });
    expect(await everything()).toEqual(before);
    expect(dry).toMatchObject({ status: 200, body: { dry_run: true, fix_id: null, status: null } });
    expect(dry.body.changes.length).toBeGreaterThan(0);
    const real = await fix(gap.id, { action, ...more });
    expect(real.body).toMatchObject({ dry_run: false, status: 'done' });
    expect(real.body.changes).toEqual(dry.body.changes);
    expect(real.body.gap.state).toBe(dry.body.gap.state);
  });

  test('an undo gives everything back as it was', async () => {
    const gap = await openGap(cause);
    const before = await state();
    const { body: fixed } = await fix(gap.id, { action, ...more });
    expect(await state()).not.toEqual(before);
    const undone = await undo(fixed.fix_id);
    expect(undone.status).toBe(200);
    expect(undone.body.fix).toMatchObject({ status: 'undone', undone_by: expect.any(String) });
    expect(undone.body.gap).toMatchObject({ id: gap.id, state: 'open' });
    expect(await state()).toEqual(before);
  });
});

describe('the record of a fix', () => {
  test('says who did what, when, and what it changed', async () => {
    const gap = await openGap('stuck');
    const key = await rollcall.keyFor(rollcall.tenant, ['gaps:write']);
    const { body } = await rollcall.post(`/api/v1/gaps/${gap.id}/fix`, {}, { key });
    const { items } = (await rollcall.get('/api/v1/gaps/fixes')).body;
    expect(items).toEqual([
      {
        id: body.fix_id,
        gap_id: gap.id,
        kind: 'stuck',
        entity_type: 'workflow',
        entity_id: 'orders',
        action: 'set_state',
        summary: 'Mark orders active.',
        arguments: { new_state: 'active' },
        actor: `${rollcall.tenant} gaps:write`,
        at: expect.any(String),
        status: 'done',
        error: null,
        changes: [
          {
            entity: { entity_type: 'workflow', entity_id: 'orders' },
            field: 'current_state',
            from: 'deploying',
            to: 'active',
          },
        ],
        finished_at: expect.any(String),
        undone_at: null,
        undone_by: null,
      },
    ]);
    expect(Date.parse(items[0].at)).toBe(rollcall.clock.now().getTime());
    expect((await rollcall.get(`/api/v1/gaps/fixes/${body.fix_id}`)).body).toEqual(items[0]);
  });

  test('is kept of a mute by its own route, and undoes it', async () => {
    const gap = await openGap('stuck');
    await rollcall.post(`/api/v1/gaps/${gap.id}/mute`, { reason: 'one', until: inAnHour() });
    await rollcall.post(`/api/v1/gaps/${gap.id}/mute`, { reason: 'two', until: inAnHour() });
    const [second, first] = (await rollcall.get('/api/v1/gaps/fixes')).body.items;
    const newest = second.arguments.reason === 'two' ? second : first;
    const oldest = newest === second ? first : second;
    expect((await undo(newest.id)).body.gap).toMatchObject({ state: 'muted', mute_reason: 'one' });
    expect((await undo(oldest.id)).body.gap).toMatchObject({ state: 'open', mute_reason: null });
  });

  test('can be listed by what it was about, page by page', async () => {
    const gap = await openGap('stuck');
    const { fix_id } = (await fix(gap.id)).body;
    rollcall.clock.advance(1000);
    await undo(fix_id);
    await fix(gap.id, { action: 'mark_deleted' });
    const list = async (query: Record<string, string>) =>
      (await rollcall.get('/api/v1/gaps/fixes', { query })).body;
    const page = await list({ limit: '1' });
    expect(page.items).toMatchObject([{ action: 'mark_deleted', status: 'done' }]);
    const rest = await list({ cursor: page.next_cursor });
    expect([rest.items.length, rest.next_cursor]).toEqual([1, null]);
    expect(rest.items).toMatchObject([{ action: 'set_state', status: 'undone' }]);
    for (const [query, found] of [
      [{ gap_id: gap.id }, 2],
      [{ status: 'undone' }, 1],
      [{ action: 'mark_deleted' }, 1],
      [{ kind: 'silent' }, 0],
      [{ entity_type: 'workflow', entity_id: 'orders' }, 2],
      [{ from: rollcall.clock.now().toISOString() }, 1],
      [{ to: rollcall.clock.now().toISOString() }, 1],
    ] as const) {
      expect([query, (await list(query)).items.length]).toEqual([query, found]);
    }
  });
});

describe('an undo', () => {
  test('is refused when the thing was changed since, and names what', async () => {
    const gap = await openGap('stuck');
    const { fix_id } = (await fix(gap.id)).body;
    await rollcall.put('/api/v1/entities/workflow/orders/state', { new_state: 'inactive' });
    const before = await state();
    const { status, body } = await undo(fix_id);
    expect([status, body.code]).toEqual([409, 'changed_since']);
    expect(body.errors).toMatchObject([{ path: 'current_state' }]);
    expect(body.detail).toContain('current_state');
    expect(await state()).toEqual(before);
  });

  test('is not held up by what the fix did not touch', async () => {
    const gap = await openGap('stuck');
    const { fix_id } = (await fix(gap.id)).body;
    const orders = { entity_type: 'workflow', entity_id: 'orders', entity_name: 'Orders, renamed' };
    await rollcall.post('/api/v1/entities', orders);
    await rollcall.post('/api/v1/entities/workflow/orders/heartbeat');
    expect((await undo(fix_id)).status).toBe(200);
    const { body } = await rollcall.get('/api/v1/entities/workflow/orders');
    expect(body).toMatchObject({ entity_name: 'Orders, renamed', current_state: 'deploying' });
  });

  test.each([
    ['renamed', { entity_name: 'Somebody’s' }, 'entity_name'],
    ['tagged', { tags: ['kept'] }, 'tags'],
    [
      'given dependencies',
      { dependencies: [{ entity_type: 'service', entity_id: 'x' }] },
      'depends_on',
    ],
  ])('takes nobody’s work away: an entity that was %s stays', async (_how, more, path) => {
    const gap = await openGap('unregistered');
    const { fix_id } = (await fix(gap.id)).body;
    const ghost = { entity_type: 'mcp_server', entity_id: 'ghost' };
    await rollcall.post('/api/v1/entities', { ...ghost, ...more });
    const { status, body } = await undo(fix_id);
    expect([status, body.code, body.errors[0].path]).toEqual([409, 'changed_since', path]);
    expect((await rollcall.get('/api/v1/entities/mcp_server/ghost')).status).toBe(200);
  });

  test('that would close a cycle is refused', async () => {
    const gap = await openGap('broken dependency on something inactive');
    const { fix_id } = (await fix(gap.id, { action: 'drop_dependency' })).body;
    await rollcall.post('/api/v1/entities', {
      entity_type: 'service',
      entity_id: 'stock',
      dependencies: [{ entity_type: 'workflow', entity_id: 'orders' }],
    });
    const { status, body } = await undo(fix_id);
    expect([status, body.code]).toEqual([409, 'cycle']);
  });

  test('of an undone fix, and of one that is not there, is refused', async () => {
    const gap = await openGap('stuck');
    const { fix_id } = (await fix(gap.id)).body;
    await undo(fix_id);
    expect((await undo(fix_id)).body).toMatchObject({ status: 409, code: 'already_undone' });
    const missing = await undo('0af76519-16cd-43dd-8448-eb211c80319c');
    expect([missing.status, missing.body.code]).toEqual([404, 'not_found']);
    expect((await undo('nothing')).body.errors).toMatchObject([{ path: 'path.id' }]);
  });

  test('happens once, however often it is asked for at the same time', async () => {
    const gap = await openGap('unregistered');
    const { fix_id } = (await fix(gap.id)).body;
    const answers = await Promise.all([1, 2, 3, 4].map(() => undo(fix_id)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
  });
});

test('a retry is for pending fixes', async () => {
  const gap = await openGap('stuck');
  const { fix_id } = (await fix(gap.id)).body;
  const { status, body } = await rollcall.post(`/api/v1/gaps/fixes/${fix_id}/retry`);
  expect([status, body.code]).toEqual([409, 'not_pending']);
});

test('of many fixes of one gap at the same time one is done', async () => {
  const gap = await openGap('stuck');
  const answers = await Promise.all([1, 2, 3, 4].map(() => fix(gap.id)));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
  expect((await rollcall.get('/api/v1/gaps/fixes')).body.items).toHaveLength(1);
});
