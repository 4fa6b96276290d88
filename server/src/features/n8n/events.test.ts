import { randomUUID } from 'node:crypto';
import { originOf } from '../../../../test/rollcall/n8n-events.ts';
import { n8nEvents } from '../../../../test/rollcall/n8n-examples.ts';
import { exportedBy, type SpanDraft } from '../../../../test/rollcall/otlp.ts';
import { strangers } from '../../../../test/rollcall/settled-tenant.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';
import { connectPostgres } from '../../platform/database/postgres.ts';
import { n8nStore } from './n8n.store.ts';
import { forgetEvents } from './upkeep.ts';

let rollcall: TestRollcall;
let tenant: FreshTenant;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
beforeEach(async () => {
  tenant = await freshTenant(rollcall);
});
afterAll(() => rollcall.stop());

const WEBHOOK = '/api/v1/n8n/webhook';
const ago = (seconds: number) =>
  new Date(rollcall.clock.now().getTime() - seconds * 1000).toISOString();
const counts = async (query: Record<string, string> = {}) =>
  (await tenant.get('/api/v1/n8n/events', { query })).body.items;
const created = (id: string) => ({
  ...originOf({ instance_id: 'prod', occurred_at: ago(5) }),
  kind: 'workflow.created',
  workflow: { id, name: id, active: true },
});

describe('an unknown event', () => {
  test('is kept, counted by name, and shown with its latest samples', async () => {
    const unknown = (n: number) => ({ event: 'acme.happened', n, timestamp: ago(100 - n) });
    const events = Array.from({ length: 8 }, (_, n) => unknown(n));
    const { status, body } = await tenant.post(WEBHOOK, events);
    expect([status, body.accepted, body.rejected]).toEqual([200, 8, 0]);
    const [count] = await counts();
    expect(count).toMatchObject({
      name: 'acme.happened',
      handling: 'unknown',
      events: 8,
      instance_id: null,
    });
    expect([count.first_seen, count.last_seen].map((at) => Date.parse(at))).toEqual(
      [ago(100), ago(93)].map((at) => Date.parse(at)),
    );
    expect(count.samples.map(({ event }: { event: { n: number } }) => event.n)).toEqual([
      7, 6, 5, 4, 3,
    ]);
  });

  test('is shown without secrets, people or what was processed', async () => {
    await tenant.post(WEBHOOK, {
      event: 'acme.happened',
      api_key: 'one-secret',
      note: 'ask jane@example.com',
      _email: 'two-secret',
      userRole: 'editor',
      deep: { _firstName: 'three-secret', body: { order: 'four-secret' }, prompt: 'five-secret' },
      long: 'x'.repeat(10_000),
      nul: 'a\u0000b',
    });
    const [{ samples }] = await counts();
    expect(JSON.stringify(samples)).not.toMatch(/(one|two|three|four|five)-secret|jane@/);
    expect(samples[0].event).toMatchObject({
      userRole: 'editor',
      deep: { body: '[payload]', prompt: '[payload]' },
      nul: 'a b',
    });
    expect(samples[0].event.long.length).toBeLessThan(300);
  });

  test('under more names than anybody reads goes under one', async () => {
    const names = Array.from({ length: 700 }, (_, n) => ({ event: `made up ${n}` }));
    await tenant.post(WEBHOOK, names.slice(0, 300));
    await tenant.post(WEBHOOK, names.slice(300));
    const first = (await tenant.get('/api/v1/n8n/events?limit=500')).body;
    const rest = (await tenant.get(`/api/v1/n8n/events?limit=500&cursor=${first.next_cursor}`))
      .body;
    const all = [...first.items, ...rest.items];
    expect(all).toHaveLength(501);
    expect(all.find(({ name }) => name === '(other)')).toMatchObject({ events: 200 });
  });
});

describe('counting', () => {
  test('goes by name, instance and handling', async () => {
    const login = { eventName: 'n8n.audit.user.login.success', ts: ago(1), payload: {} };
    await tenant.post(WEBHOOK, [created('a'), created('b'), { ...login, id: randomUUID() }]);
    expect(await counts()).toMatchObject([
      { name: 'n8n.audit.user.login.success', handling: 'noted', events: 1, samples: [] },
      { name: 'workflow.created', handling: 'applied', events: 2, instance_id: 'prod' },
    ]);
    expect(await counts({ handling: 'noted' })).toHaveLength(1);
    expect(await counts({ instance_id: 'prod' })).toHaveLength(1);
  });

  test('counts an event once, whoever sends it again and with whom', async () => {
    const event = created('a');
    const results = await Promise.all(
      Array.from({ length: 6 }, () => tenant.post(WEBHOOK, [event, created('b')])),
    );
    const accepted = results.map(({ body }) => body.results[0].status);
    expect(accepted.filter((status) => status === 'accepted')).toHaveLength(1);
    expect(accepted.filter((status) => status === 'duplicate')).toHaveLength(5);
    expect(results.every(({ body }) => body.results[0].event_id === event.id)).toBe(true);
    expect(await counts()).toMatchObject([{ events: 7 }]);
  });

  test('forgets ids after two days, and nothing else', async () => {
    const event = created('a');
    await tenant.post(WEBHOOK, event);
    const database = connectPostgres({
      url: rollcall.databaseUrl,
      connections: 1,
      timeoutMs: 10_000,
      onIdleError: () => undefined,
    });
    const forget = (days: number) =>
      forgetEvents(
        () => Promise.resolve([tenant.tenant]),
        n8nStore(database),
        new Date(rollcall.clock.now().getTime() + days * 86_400_000),
      );
    const remembered = () =>
      rollcall.sql('select from rollcall.n8n_event_ids where tenant_id = $1', [tenant.tenant]);
    await forget(1.9);
    expect(await remembered()).toHaveLength(1);
    await forget(2.1);
    expect(await remembered()).toHaveLength(0);
    await database.close();
    expect((await tenant.get('/api/v1/n8n/workflows')).body.items).toHaveLength(1);
  });
});

describe('workflows', () => {
  test('are found by instance, state and text, page by page', async () => {
    const made = ['alpha', 'beta', 'gamma'].map((id) => created(id));
    const gone = { ...created('gone'), kind: 'workflow.deleted', workflow: { id: 'gone' } };
    const off = { ...created('off'), workflow: { id: 'off', active: false } };
    const old = { ...created('old'), workflow: { id: 'old', is_archived: true } };
    const other = { ...created('delta'), instance_id: 'staging' };
    await tenant.post(WEBHOOK, [...made, gone, off, old, other]);
    const ids = async (query: Record<string, string>) =>
      (await tenant.get('/api/v1/n8n/workflows', { query })).body.items.map(
        ({ workflow_id }: { workflow_id: string }) => workflow_id,
      );
    expect(await ids({ instance_id: 'staging' })).toEqual(['delta']);
    expect(await ids({ active: 'true' })).toEqual(['alpha', 'beta', 'gamma', 'delta']);
    expect(await ids({ active: 'false' })).toEqual(['off', 'old']);
    expect(await ids({ archived: 'true' })).toEqual(['old']);
    expect(await ids({ deleted: 'true' })).toEqual(['gone']);
    expect(await ids({ text: 'ET' })).toEqual(['beta']);
    expect(await ids({ workflow_id: 'off' })).toEqual(['off']);
    const walked: string[] = [];
    let query = '?limit=2';
    for (;;) {
      const { items, next_cursor } = (await tenant.get(`/api/v1/n8n/workflows${query}`)).body;
      walked.push(...items.map(({ workflow_id }: { workflow_id: string }) => workflow_id));
      if (!next_cursor) break;
      query = `?limit=2&cursor=${next_cursor}`;
    }
    expect(walked).toEqual(['alpha', 'beta', 'gamma', 'off', 'old', 'delta']);
  });
});

test('every answer is what its route declares', async () => {
  const names = { ...strangers('declared'), cursors: {} };
  expect((await tenant.post(WEBHOOK, n8nEvents(names))).status).toBe(200);
  const reads = rollcall.rollcall.routes.filter(
    ({ path, method }) =>
      /^\/api\/v1\/n8n\/(instances|workflows|events)$/.test(path) && method === 'get',
  );
  expect(reads).toHaveLength(3);
  for (const { path, response } of reads) {
    const { body } = await tenant.get(path);
    expect(body.items.length).toBeGreaterThan(0);
    expect(response.parse(body)).toEqual(body);
  }
});

test('what native tracing tells of a workflow is known, and added to what is registered', async () => {
  const span = {
    trace: 7,
    span: 8,
    name: 'workflow.execute',
    startedAt: rollcall.clock.now().getTime() - 60_000,
    attributes: {
      'n8n.workflow.id': 'traced',
      'n8n.workflow.name': 'Traced',
      'n8n.workflow.node_count': 4,
      'n8n.project.id': 'p9',
      'n8n.execution.id': '5',
      'n8n.execution.status': 'success',
    },
    resource: { 'service.name': 'n8n', 'service.version': '2.41.1', 'n8n.instance.id': 'prod' },
  };
  const trace = (spans: SpanDraft[]) =>
    tenant.call('POST', '/v1/traces', exportedBy(spans), {
      headers: { 'content-type': 'application/x-protobuf' },
    });
  expect((await trace([span])).status).toBe(200);
  const known = async () => (await tenant.get('/api/v1/n8n/workflows')).body.items;
  expect(await known()).toMatchObject([
    { instance_id: 'prod', workflow_id: 'traced', name: 'Traced', state: null, registered: false },
  ]);
  await tenant.post(WEBHOOK, { ...created('traced'), workflow: { id: 'traced', active: true } });
  expect((await tenant.get('/api/v1/entities/workflow/traced')).body).toMatchObject({
    entity_name: 'Traced',
    metadata: { n8n: { instance_id: 'prod', node_count: 4, project: { id: 'p9' } } },
  });
  expect((await tenant.get('/api/v1/n8n/instances')).body.items).toMatchObject([
    { instance_id: 'prod', n8n_version: '2.41.1' },
  ]);
  expect(await counts()).toMatchObject([{ name: 'workflow.created', events: 1 }]);
});
