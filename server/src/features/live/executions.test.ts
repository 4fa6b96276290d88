import type { ExecutionReport } from '@rollcall/client/contract';
import { readEvents, type EventReader } from '../../../../test/rollcall/stream.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';

let shared: TestRollcall;
let tenant: FreshTenant;
let readers: EventReader[] = [];
beforeAll(async () => {
  shared = await startTestRollcall();
});
afterAll(() => shared.stop());
beforeEach(async () => {
  tenant = await freshTenant(shared);
});
afterEach(() => {
  for (const reader of readers) reader.close();
  readers = [];
});

async function read(path: string, key = tenant.key): Promise<EventReader> {
  const reader = await readEvents(shared.url, path, { key });
  readers.push(reader);
  return reader;
}

async function report(more: Partial<ExecutionReport>): Promise<string> {
  const started_at = shared.clock.now().toISOString();
  const body = { workflow_id: 'orders', status: 'running', started_at, ...more };
  const answer = await tenant.post('/api/v1/executions/ingest', body);
  if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
  return answer.body.id as string;
}

const node = (node_name: string, status: 'running' | 'success') => ({
  node_name,
  status,
  started_at: shared.clock.now().toISOString(),
});

describe('one execution', () => {
  test('is told whole, then change by change, up to its end', async () => {
    const id = await report({ execution_id: '1', node_executions: [node('Start', 'success')] });
    const reader = await read(`/api/v1/executions/${id}/live`);
    const whole = (await reader.next('execution')).data;
    expect(whole).toEqual((await tenant.get(`/api/v1/executions/${id}`)).body);
    expect(whole.node_executions).toHaveLength(1);

    await report({ execution_id: '1', node_executions: [node('Fetch', 'running')] });
    const change = (await reader.next('change')).data;
    expect(change).toMatchObject({ id, counts: { node_executions: 2 } });
    expect(change.node_executions).toEqual([expect.objectContaining({ node_name: 'Fetch' })]);
    expect(change).not.toHaveProperty('status');

    await report({ execution_id: '1', node_executions: [node('Fetch', 'success')] });
    expect((await reader.next('change')).data.node_executions).toEqual([
      expect.objectContaining({ node_name: 'Fetch', status: 'success' }),
    ]);

    await report({ execution_id: '1', status: 'success', duration_ms: 5 });
    expect((await reader.next('change')).data).toMatchObject({ id, status: 'success' });
    expect((await reader.next('end')).data).toEqual({ id, status: 'success' });
    await reader.ended;
    expect(reader.heard.map(({ event }) => event)).toEqual([
      'execution',
      'change',
      'change',
      'change',
      'end',
    ]);
  });

  test('is told what others say of its nodes when the first has told of its end', async () => {
    const id = await report({ execution_id: '1' });
    const reader = await read(`/api/v1/executions/${id}/live`);
    await reader.next('execution');
    await report({ execution_id: '1', status: 'success' });
    expect((await reader.next('change')).data).toMatchObject({ status: 'success' });
    await report({
      execution_id: '1',
      status: 'success',
      source: 'hooks',
      node_executions: [node('Last', 'success')],
    });
    await reader.next('end');
    expect(reader.heard.at(-2)).toMatchObject({
      event: 'change',
      data: { node_executions: [{ node_name: 'Last' }] },
    });
  });

  test('that has ended is told once, with its end', async () => {
    const id = await report({ execution_id: '1', status: 'error', error: { message: 'no' } });
    const reader = await read(`/api/v1/executions/${id}/live`);
    await reader.ended;
    expect(reader.heard).toEqual([
      { event: 'execution', id: undefined, data: expect.objectContaining({ id, status: 'error' }) },
      { event: 'end', id: undefined, data: { id, status: 'error' } },
    ]);
  });

  test('is found by the id of its own system, within an instance', async () => {
    await report({ execution_id: '7', workflow_id: 'other' });
    const id = await report({ execution_id: '7', instance_id: 'main' });
    const ambiguous = await tenant.get('/api/v1/executions/7/live');
    expect(ambiguous.status).toBe(409);
    const reader = await read('/api/v1/executions/7/live?instance_id=main');
    expect((await reader.next('execution')).data.id).toBe(id);
    await report({ execution_id: '7', instance_id: 'main', status: 'success' });
    expect((await reader.next('end')).data).toEqual({ id, status: 'success' });
  });

  test('is followed into the one that it turns out to be', async () => {
    const started_at = shared.clock.now().toISOString();
    const older = await report({ execution_id: undefined, session_id: 's', started_at });
    const newer = await report({ execution_id: '9' });
    expect(newer).not.toBe(older);
    const reader = await read(`/api/v1/executions/${newer}/live`);
    await reader.next('execution');
    await report({ execution_id: '9', session_id: 's', started_at });
    expect((await reader.next('change')).data).toMatchObject({ id: older, session_id: 's' });
    await report({ execution_id: '9', status: 'cancelled' });
    expect((await reader.next('end')).data).toEqual({ id: older, status: 'cancelled' });
  });

  test('that was given up is told as lost, and followed on', async () => {
    const id = await report({ execution_id: '1' });
    const reader = await read(`/api/v1/executions/${id}/live`);
    await reader.next('execution');
    await tenant.sql(
      `select rollcall_api.mark_lost_executions($1, now() + interval '2 hours', 60)`,
      [tenant.tenant],
    );
    expect((await reader.next('change')).data).toMatchObject({ id, status: 'lost' });
    await report({ execution_id: '1', status: 'success', completed_at: new Date().toISOString() });
    expect((await reader.next('end')).data).toEqual({ id, status: 'success' });
  });

  test('of another tenant, or of nobody, is not found', async () => {
    const id = await report({ execution_id: '1' });
    const other = await freshTenant(shared);
    for (const name of [id, '1', '00000000-0000-4000-8000-000000000000']) {
      const answer = await other.get(`/api/v1/executions/${name}/live`);
      expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
    }
  });
});

test('the fleet is told of every run, a hundred at a time', async () => {
  const reader = await read('/api/v1/live?topics=executions');
  await reader.next('ready');
  const ids = await Promise.all(
    Array.from({ length: 130 }, (_, index) =>
      report({ execution_id: `${index}`, workflow_id: `w${index % 3}`, status: 'success' }),
    ),
  );
  const runs = () =>
    reader.heard.flatMap(({ data }) => (data.executions ?? []) as { id: string }[]);
  await reader.until(() => new Set(runs().map(({ id }) => id)).size === ids.length);
  expect(
    runs()
      .map(({ id }) => id)
      .sort(),
  ).toEqual(ids.sort());
  expect(runs()).toContainEqual({
    id: expect.any(String),
    workflow_id: 'w2',
    status: 'success',
  });
  for (const { data } of reader.heard)
    expect(data.executions?.length ?? 0).toBeLessThanOrEqual(100);
});
