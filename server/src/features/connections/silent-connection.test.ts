import { NOBODY } from '../../../../test/rollcall/command.ts';
import { connectN8n, CONNECTIONS, syncAgain } from '../../../../test/rollcall/connected.ts';
import { originOf } from '../../../../test/rollcall/n8n-events.ts';
import {
  n8nWorkflow,
  startN8nServer,
  type N8nServer,
} from '../../../../test/rollcall/n8n-server.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';

let server: TestRollcall;
let rollcall: FreshTenant;
let n8n: N8nServer;
beforeAll(async () => {
  server = await startTestRollcall();
});
beforeEach(async () => {
  rollcall = await freshTenant(server);
  n8n = await startN8nServer([n8nWorkflow('orders'), n8nWorkflow('stock')]);
});
afterEach(() => n8n.stop());
afterAll(() => server.stop());

const MINUTE_MS = 60_000;
const REFUSED = { status: 401, body: '{"message":"unauthorized"}' };
const register = (entity_id: string) =>
  rollcall.post('/api/v1/entities', {
    ...{ entity_type: 'workflow', entity_id, current_state: 'active' },
    silent_after_seconds: 600,
  });
const check = async () => (await rollcall.post('/api/v1/gaps/check')).body;
const gaps = async (query: Record<string, string> = {}) =>
  (await rollcall.get('/api/v1/gaps', { query })).body.items;

/** A connection that worked, with two workflows that spoke just then. */
async function connected(more: object = {}) {
  const connection = await connectN8n(rollcall, n8n, { name: 'Prod', ...more });
  for (const id of ['orders', 'stock']) {
    await register(id);
    await rollcall.post(`/api/v1/entities/workflow/${id}/heartbeat`);
  }
  expect(await check()).toMatchObject({ open: 0 });
  return connection;
}

test('one that cannot be reached any more is one gap with its name, and the silence of its workflows stands below it', async () => {
  const { id, instance_id } = await connected({ interval_seconds: 300 });
  await n8n.stop();
  rollcall.clock.advance(14 * MINUTE_MS);
  const { last_error } = await syncAgain(rollcall, id);
  expect(last_error).toMatchObject({ code: 'n8n_unreachable' });
  // Three inventories have to be missed; until then its workflows speak for themselves.
  await check();
  expect(await gaps({ entity_type: 'n8n_instance' })).toEqual([]);
  rollcall.clock.advance(2 * MINUTE_MS);
  expect(await check()).toMatchObject({ open: 1, inhibited: 2, by_kind: { silent: 1 } });
  const [gap] = await gaps();
  expect(gap).toMatchObject({
    kind: 'silent',
    entity_type: 'n8n_instance',
    entity_id: instance_id,
    entity_name: 'Prod',
    severity: 'critical',
    grade: 'certain',
    inhibits: 2,
    evidence: {
      connection_id: id,
      connection: 'Prod',
      base_url: n8n.url,
      interval_seconds: 300,
      last_error: { code: 'n8n_unreachable' },
      workflows: 2,
    },
  });
  expect(gap.summary).toMatch(
    /^Nothing has been heard of the n8n Prod \(http:.*\) for 16 minutes\. .* does not answer/,
  );
  const below = await gaps({ state: 'inhibited', inhibited_by: gap.id });
  expect(below.map(({ entity_id }: { entity_id: string }) => entity_id).sort()).toEqual([
    'orders',
    'stock',
  ]);
});

test('one that answers again closes the gap, and gives back what is silent still', async () => {
  const { id } = await connected();
  n8n.fail(/workflows/, REFUSED);
  rollcall.clock.advance(20 * MINUTE_MS);
  await syncAgain(rollcall, id);
  expect(await check()).toMatchObject({ open: 1, inhibited: 2 });
  expect((await gaps())[0].summary).toMatch(/does not know this API key/);
  await syncAgain(rollcall, id);
  await rollcall.post('/api/v1/entities/workflow/orders/heartbeat');
  expect(await check()).toMatchObject({ open: 1, inhibited: 0, opened: 0, closed: 1 });
  expect(await gaps()).toMatchObject([{ entity_id: 'stock', inhibited_by: null }]);
});

test('one whose inventory failed once shouts nothing, not even about workflows that have never run', async () => {
  const { id } = await connectN8n(rollcall, n8n);
  await register('orders');
  await register('stock');
  n8n.fail(/workflows/, REFUSED);
  rollcall.clock.advance(5 * MINUTE_MS);
  expect((await syncAgain(rollcall, id)).last_error).toMatchObject({ code: 'n8n_key_refused' });
  expect(await check()).toMatchObject({ open: 0, inhibited: 0 });
});

test.each([
  [60, 14, 16],
  [3600, 179, 181],
])(
  'of %i seconds is silent after three of them, a quarter of an hour at least',
  async (interval_seconds, quiet, silent) => {
    await connected({ interval_seconds });
    rollcall.clock.advance(quiet * MINUTE_MS);
    await check();
    expect(await gaps({ entity_type: 'n8n_instance' })).toEqual([]);
    rollcall.clock.advance((silent - quiet) * MINUTE_MS);
    await check();
    expect(await gaps({ entity_type: 'n8n_instance' })).toMatchObject([{ entity_name: 'Prod' }]);
  },
);

test('one that is paused is expected nothing of', async () => {
  const { id } = await connected();
  await rollcall.call('PATCH', `${CONNECTIONS}/${id}`, { paused: true });
  rollcall.clock.advance(60 * MINUTE_MS);
  await check();
  expect(await gaps({ entity_type: 'n8n_instance' })).toEqual([]);
});

test('one of an instance whose hooks report is not silent: n8n is there', async () => {
  const { instance_id } = await connected();
  rollcall.clock.advance(60 * MINUTE_MS);
  const occurred_at = rollcall.clock.now().toISOString();
  await rollcall.post('/api/v1/n8n/webhook', {
    ...originOf({ instance_id, occurred_at }),
    kind: 'hooks.status',
    hooks: {
      ...{ when: 'periodic', started_at: occurred_at, accepted: 1, rejected: 0, dropped: 0 },
      ...{ queued: 0, queued_bytes: 0, failed_requests: 0, errors: 0 },
    },
  });
  await check();
  expect(await gaps({ entity_type: 'n8n_instance' })).toEqual([]);
});

test('one that is deleted takes its gap along', async () => {
  const { id } = await connected();
  rollcall.clock.advance(60 * MINUTE_MS);
  expect(await check()).toMatchObject({ open: 1, inhibited: 2 });
  await rollcall.call('DELETE', `${CONNECTIONS}/${id}`);
  expect(await check()).toMatchObject({ inhibited: 0, by_kind: { silent: 2 } });
  expect(await gaps({ entity_type: 'n8n_instance' })).toEqual([]);
});

test('one that has never answered is silent, too', async () => {
  const unasked = { base_url: NOBODY, api_key: 'any', name: 'New', check: false, paused: true };
  const { body } = await rollcall.post(CONNECTIONS, unasked);
  await rollcall.call('PATCH', `${CONNECTIONS}/${body.id}`, { paused: false });
  rollcall.clock.advance(14 * MINUTE_MS);
  expect(await check()).toMatchObject({ open: 0 });
  rollcall.clock.advance(2 * MINUTE_MS);
  expect(await check()).toMatchObject({ open: 1 });
  expect(await gaps()).toMatchObject([
    { entity_name: 'New', evidence: { connection_id: body.id, base_url: NOBODY, workflows: 0 } },
  ]);
});
