import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { originOf } from '../../../../test/rollcall/n8n-events.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';

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

describe('a request', () => {
  test('may be one event, an array, NDJSON, and compressed', async () => {
    const lines = [created('c'), { nobody: 'knows' }].map((event) => JSON.stringify(event));
    const ndjson = { headers: { 'content-type': 'application/x-ndjson' } };
    const gzip = { headers: { 'content-encoding': 'gzip' } };
    for (const [body, options] of [
      [created('a'), {}],
      [[created('b')], {}],
      [`${lines.join('\n')}\n`, ndjson],
      [gzipSync(JSON.stringify([created('d')])), gzip],
    ] as const) {
      expect((await tenant.post(WEBHOOK, body, options)).status).toBe(200);
    }
    const { items } = (await tenant.get('/api/v1/n8n/workflows')).body;
    expect(items.map(({ workflow_id }: { workflow_id: string }) => workflow_id)).toEqual([
      'a',
      'b',
      'c',
      'd',
    ]);
  });

  test('keeps the good lines beside a broken one', async () => {
    const body = `${JSON.stringify(created('a'))}\n{"event":\n`;
    const options = { headers: { 'content-type': 'application/x-ndjson' } };
    const answer = await tenant.post(WEBHOOK, body, options);
    expect([answer.status, answer.body.accepted, answer.body.rejected]).toEqual([200, 1, 1]);
    expect(answer.body.results[1]).toMatchObject({ index: 1, code: 'invalid_json' });
  });

  test.each([
    ['an empty batch', [], 422, 'empty_batch'],
    ['nothing but what is no event', [1, null], 422, 'nothing_kept'],
    ['too many', Array.from({ length: 10_001 }, () => ({})), 413, 'too_many_items'],
  ])('of %s is refused', async (_, body, status, code) => {
    const answer = await tenant.post(WEBHOOK, body);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(await counts()).toEqual([]);
  });

  test('names what is wrong in an event of the hooks', async () => {
    const { workflow, ...bare } = created('a');
    const answers = await tenant.post(WEBHOOK, [
      { ...bare, workflow: { ...workflow, active: 'yes' } },
      { ...bare, workflow, colour: 'red' },
      { ...bare },
      { ...bare, workflow, occurred_at: '2999-01-01T00:00:00Z' },
    ]);
    expect(
      answers.body.results.map(({ path, code }: { path: string; code: string }) => [path, code]),
    ).toEqual([
      ['workflow.active', 'invalid_type'],
      ['colour', 'unknown_field'],
      ['workflow', 'required'],
      ['occurred_at', 'timestamp_in_future'],
    ]);
  });

  test('may name the instance for events that do not know theirs', async () => {
    const event = {
      id: randomUUID(),
      eventName: 'n8n.audit.workflow.activated',
      ts: ago(1),
      payload: { workflowId: 'w', workflowName: 'W' },
    };
    await tenant.post(`${WEBHOOK}?instance_id=staging`, event);
    expect((await tenant.get('/api/v1/n8n/workflows')).body.items).toMatchObject([
      { instance_id: 'staging', workflow_id: 'w', active: true, registered: true },
    ]);
  });
});

describe('who does not know the instance', () => {
  const unplaced = (change: string, seconds: number) => ({
    id: randomUUID(),
    eventName: `n8n.audit.workflow.${change}`,
    ts: ago(seconds),
    payload: { workflowId: 'w', workflowName: 'W' },
  });
  const on = (instance_id: string, active: boolean) => ({
    ...created('w'),
    instance_id,
    occurred_at: ago(50),
    workflow: { id: 'w', active },
  });
  const listed = async () =>
    (await tenant.get('/api/v1/n8n/workflows')).body.items.map(
      ({ instance_id, state }: { instance_id: string | null; state: string }) => [
        instance_id,
        state,
      ],
    );

  test('is taken to mean the one that has the workflow', async () => {
    await tenant.post(WEBHOOK, unplaced('deactivated', 5));
    expect(await listed()).toEqual([[null, 'inactive']]);
    await tenant.post(WEBHOOK, on('prod', true));
    expect(await listed()).toEqual([['prod', 'inactive']]);
  });

  test('is not believed where several have it', async () => {
    await tenant.post(WEBHOOK, [on('prod', true), on('staging', true), unplaced('deleted', 5)]);
    expect(await listed()).toEqual([
      ['prod', 'active'],
      ['staging', 'active'],
    ]);
    expect((await tenant.get('/api/v1/entities/workflow/w')).body.current_state).toBe('active');
  });
});
