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
const detail = async (path: string) => (await rollcall.get(`/api/v1/entities/${path}`)).body;
const inAnHour = () => new Date(rollcall.clock.now().getTime() + 3_600_000).toISOString();

/** Opens a gap and answers it. */
async function openGap(name: string) {
  await GAP_CAUSES[name]?.open(rollcall);
  await check();
  const { items } = (await rollcall.get('/api/v1/gaps')).body;
  expect(items).toHaveLength(1);
  return items[0];
}

/** One offer of a gap: what to send, and what an entity is like after it. */
interface Offer {
  action: string;
  more: object;
  entity: string;
  after: object;
}
const offer = (action: string, entity: string, after: object, more: object = {}): Offer => ({
  action,
  more,
  entity,
  after,
});
const home = { entity_type: 'team', entity_id: 'home' };
const reparent = (entity: string) =>
  offer('reparent', entity, { parent: home }, { parent_type: 'team', parent_id: 'home' });
const markDeleted = (entity: string) => offer('mark_deleted', entity, { current_state: 'deleted' });
const registerParent = offer('register', 'team/lost', { current_state: 'active' });
const dropDependency = offer('drop_dependency', 'workflow/orders', { depends_on: [] });
const below = [
  registerParent,
  reparent('workflow/orders'),
  offer('detach', 'workflow/orders', { parent: null }),
  markDeleted('workflow/orders'),
];
const absent = [
  offer('register', 'service/stock', { current_state: 'active', health_status: 'unknown' }),
  dropDependency,
];
const ailing = [
  offer('set_state', 'service/stock', { current_state: 'active', health_status: 'healthy' }),
  dropDependency,
];

/** In order; the first is what a fix does without a word. */
const offers: Record<string, Offer[]> = {
  unregistered: [offer('register', 'mcp_server/ghost', { current_state: 'active' })],
  silent: [
    offer('set_state', 'workflow/orders', { current_state: 'inactive' }),
    markDeleted('workflow/orders'),
  ],
  'orphaned without a parent': [reparent('agent/lone'), markDeleted('agent/lone')],
  'orphaned below an unknown parent': below,
  'orphaned below a deleted parent': below,
  'orphaned, in need of a parent, below an unknown one': [
    registerParent,
    reparent('agent/lone'),
    markDeleted('agent/lone'),
  ],
  'broken dependency on something unknown': absent,
  'broken dependency on something deleted': absent,
  'broken dependency on something inactive': ailing,
  'broken dependency on something unhealthy': ailing,
  stuck: [
    offer('set_state', 'workflow/orders', { current_state: 'active' }),
    markDeleted('workflow/orders'),
  ],
};

test('every cause has its offers below', () => {
  expect(Object.keys(offers)).toEqual(Object.keys(GAP_CAUSES));
});

describe.each(Object.entries(offers))('%s', (name, expected) => {
  test('is offered these fixes, and a mute', async () => {
    const gap = await openGap(name);
    expect(gap.fixes.map(({ action }: { action: string }) => action)).toEqual([
      ...expected.map(({ action }) => action),
      'mute',
    ]);
  });

  test.each(expected)(
    'is closed by $action in one call',
    async ({ action, more, entity, after }) => {
      await rollcall.post('/api/v1/entities', { ...home, current_state: 'active' });
      const gap = await openGap(name);
      const offered = gap.fixes.find((each: { action: string }) => each.action === action);
      expect(offered.needs).toEqual(Object.keys(more));
      const { status, body } = await fix(gap.id, { action, ...more });
      expect(status).toBe(200);
      expect(body).toMatchObject({ action, summary: offered.summary, gap: { state: 'closed' } });
      expect(await detail(entity)).toMatchObject(after);
      expect((await check()).body).toMatchObject({ open: 0 });
    },
  );

  test('is muted by a fix', async () => {
    const gap = await openGap(name);
    const { body } = await fix(gap.id, { action: 'mute', reason: 'on purpose', until: inAnHour() });
    expect(body).toMatchObject({
      action: 'mute',
      gap: { state: 'muted', mute_reason: 'on purpose' },
    });
  });
});

describe('a fix', () => {
  test('without a word does the first offer', async () => {
    const gap = await openGap('silent');
    expect((await fix(gap.id)).body).toMatchObject({
      action: 'set_state',
      gap: { state: 'closed' },
    });
    expect(await detail('workflow/orders')).toMatchObject({ current_state: 'inactive' });
  });

  test('stands in the history under the name of the key', async () => {
    const gap = await openGap('stuck');
    const key = await rollcall.keyFor(rollcall.tenant, ['gaps:write']);
    await rollcall.post(`/api/v1/gaps/${gap.id}/fix`, {}, { key });
    const { items } = await detail('workflow/orders/state');
    expect(items[0]).toMatchObject({
      changed_by: `${rollcall.tenant} gaps:write`,
      reason: `fix of gap ${gap.id}`,
    });
  });

  test('registers under the type and name that it is given', async () => {
    const gap = await openGap('unregistered');
    const named = { entity_type: 'service', entity_name: 'The ghost' };
    expect((await fix(gap.id, named)).body).toMatchObject({ gap: { state: 'closed' } });
    expect(await detail('service/ghost')).toMatchObject(named);
  });

  test('of a closed gap is a conflict', async () => {
    const gap = await openGap('unregistered');
    await fix(gap.id);
    const { status, body } = await fix(gap.id);
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'gap_closed' });
  });

  test('that does not help names the ones that do', async () => {
    const gap = await openGap('silent');
    const { status, body } = await fix(gap.id, { action: 'reparent' });
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'not_applicable', errors: [{ path: 'action' }] });
    expect(body.detail).toContain('set_state, mark_deleted, mute');
  });

  test.each([
    ['orphaned without a parent', {}, 'parent_type', 'required'],
    [
      'orphaned without a parent',
      { action: 'reparent', parent_type: 'team' },
      'parent_id',
      'required',
    ],
    [
      'orphaned without a parent',
      { parent_type: 'team', parent_id: 'nowhere' },
      'parent_id',
      'unknown_parent',
    ],
    ['silent', { action: 'mute' }, 'reason', 'required'],
    ['silent', { action: 'mute', reason: 'why' }, 'until', 'required'],
    [
      'silent',
      { action: 'mute', reason: 'why', until: '2001-01-01T00:00:00Z' },
      'until',
      'not_in_future',
    ],
    ['silent', { action: 'ignore' }, 'action', 'invalid_value'],
    ['silent', { new_state: 'deleted' }, 'new_state', 'invalid_value'],
    ['silent', { because: 'x' }, 'because', 'unknown_field'],
  ])('of %s with %j is refused at %s and changes nothing', async (name, body, path, code) => {
    const gap = await openGap(name);
    const answer = await fix(gap.id, body);
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toMatchObject([{ path, code }]);
    expect((await rollcall.get(`/api/v1/gaps/${gap.id}`)).body).toMatchObject(gap);
  });

  test('that would close a cycle is a conflict and changes nothing', async () => {
    const gap = await openGap('orphaned without a parent');
    await rollcall.post('/api/v1/entities', {
      entity_type: 'team',
      entity_id: 'below',
      parent: { entity_type: 'agent', entity_id: 'lone' },
    });
    const { status, body } = await fix(gap.id, { parent_type: 'team', parent_id: 'below' });
    expect([status, body.code]).toEqual([409, 'cycle']);
    expect(await detail('agent/lone')).toMatchObject({ parent: null });
  });

  test('of a gap that is not there is a 404', async () => {
    const { status, body } = await fix('0af76519-16cd-43dd-8448-eb211c80319c');
    expect([status, body.code]).toEqual([404, 'not_found']);
    expect((await fix('no-uuid')).body.errors).toMatchObject([{ path: 'path.id' }]);
  });
});
