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

const SECOND_MS = 1_000;
const at = (seconds: number) =>
  new Date(rollcall.clock.now().getTime() - 3_600_000 + seconds * SECOND_MS).toISOString();

async function report(execution_id: string, more: object = {}) {
  const body = { execution_id, workflow_id: 'w', status: 'success', started_at: at(0), ...more };
  const answer = await rollcall.post('/api/v1/executions/ingest', body);
  expect([answer.status, answer.body]).toEqual([201, expect.anything()]);
  return answer.body.id as string;
}
const page = async (query: Record<string, string> = {}) =>
  (await rollcall.get('/api/v1/executions', { query })).body;
const found = async (query: Record<string, string>) =>
  (await page(query)).items.map(({ execution_id }: { execution_id: string }) => execution_id);

/** Every execution that a filter leaves, page by page. */
async function walk(query: Record<string, string>): Promise<string[]> {
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { items, next_cursor } = await page({ ...query, ...(cursor ? { cursor } : {}) });
    seen.push(...items.map(({ execution_id }: { execution_id: string }) => execution_id));
    cursor = next_cursor;
  }
  return seen;
}

const filters: [string, string, () => object][] = [
  ['workflow_id', `o'one "two" % _ \\`, () => ({ workflow_id: `o'one "two" % _ \\` })],
  ['status', 'error', () => ({ status: 'error' })],
  ['mode', 'webhook', () => ({ mode: 'webhook' })],
  ['instance_id', 'main', () => ({ instance_id: 'main' })],
  ['parent_execution_id', '17', () => ({ parent_execution_id: '17' })],
  ['trace_id', 'a'.repeat(32), () => ({ trace_id: 'a'.repeat(32) })],
  ['session_id', 'one session', () => ({ session_id: 'one session' })],
  ['min_duration_ms', '500', () => ({ completed_at: at(0.5) })],
  [
    'error_type',
    'Timeout',
    () => ({ status: 'error', error: { type: 'Timeout', message: 'late' } }),
  ],
  ['text', '100%', () => ({ workflow_name: 'All of 100% of it' })],
  ['text', 'IS_LATE', () => ({ status: 'error', error: { message: 'it is_late again' } })],
  ['text', 'rders', () => ({ workflow_id: 'orders' })],
];

test.each(filters)(
  '%s=%s finds the execution that has it and no other',
  async (field, value, more) => {
    await report('before', { started_at: at(-1), completed_at: at(-0.9) });
    await report('wanted', more());
    await report('after', { started_at: at(1), completed_at: at(1.1) });
    expect(await found({ [field]: value })).toEqual(['wanted']);
  },
);

test('an execution is found by a part of either of its ids', async () => {
  const id = await report('run-4711');
  await report('other');
  expect(await found({ text: 'N-47' })).toEqual(['run-4711']);
  expect(await found({ text: id.slice(0, 13).toUpperCase() })).toEqual(['run-4711']);
});

test('a project has its own', async () => {
  await rollcall.sql('insert into rollcall.projects values ($1, $2, $2)', [
    rollcall.tenant,
    'side',
  ]);
  await report('elsewhere');
  await report('aside', { project_id: 'side' });
  expect(await found({ project_id: 'side' })).toEqual(['aside']);
});

test('several statuses are one list, newest first', async () => {
  const statuses = ['success', 'error', 'cancelled', 'running', 'waiting', 'error', 'success'];
  for (const [index, status] of statuses.entries()) {
    await report(`${index}`, { status, started_at: at(index) });
  }
  expect(await found({ status: 'error,waiting,cancelled' })).toEqual(['5', '4', '2', '1']);
  expect(await found({ status: 'success,error' })).toEqual(['6', '5', '1', '0']);
  expect(await walk({ status: 'error,waiting,cancelled,success', limit: '1' })).toEqual([
    '6',
    '5',
    '4',
    '2',
    '1',
    '0',
  ]);
  expect(await found({})).toEqual(['6', '5', '4', '3', '2', '1', '0']);
});

test('filters join, and a time range holds its start and not its end', async () => {
  for (const seconds of [0, 1, 2, 3]) {
    await report(`${seconds}`, {
      started_at: at(seconds),
      mode: seconds === 2 ? 'manual' : 'webhook',
    });
  }
  expect(await found({ from: at(1), to: at(3) })).toEqual(['2', '1']);
  expect(await found({ from: at(1), to: at(3), mode: 'webhook' })).toEqual(['1']);
  await report('short', { completed_at: at(0.2) });
  await report('long', { completed_at: at(2) });
  expect(await found({ min_duration_ms: '200', max_duration_ms: '200.5' })).toEqual(['short']);
});

test.each(['1', '3', '11', '12', '13'])(
  'pages of %s show each execution once, also those that began together',
  async (limit) => {
    const wanted: string[] = [];
    for (let index = 0; index < 12; index++) {
      const started_at = at(Math.floor(index / 4));
      await report(`${index}`, { started_at, status: index % 2 ? 'error' : 'success' });
      wanted.unshift(`${index}`);
    }
    const third = (id: string) => -Math.floor(Number(id) / 4);
    const queries: Record<string, string>[] = [
      {},
      { status: 'error,success' },
      { mode: 'none' },
      { text: 'w' },
    ];
    for (const query of queries) {
      const seen = await walk({ ...query, limit });
      expect(seen.map(third)).toEqual(seen.map(third).toSorted((a, b) => a - b));
      expect(seen.toSorted()).toEqual('mode' in query ? [] : wanted.toSorted());
    }
  },
);

test('a search that would look through everything stops half-way and goes on with the cursor', async () => {
  await report('needle', { started_at: at(-10), workflow_name: 'Needle' });
  await rollcall.sql(
    `insert into rollcall.executions (tenant_id, id, project_id, workflow_id, execution_id, status, status_at, began, started_at, sources, said)
     select $1, gen_random_uuid(), 'default', 'hay', 'hay-' || n, case when n % 100 = 0 then 'error' else 'success' end, now(),
            $2::timestamptz + n * interval '1 millisecond', $2, '{hooks}', '{}' from generate_series(1, 45000) n`,
    [rollcall.tenant, at(0)],
  );
  const first = await page({ text: 'needle' });
  expect(first).toEqual({ items: [], next_cursor: expect.any(String) });
  expect(await walk({ text: 'needle' })).toEqual(['needle']);
  // Errors are few: all of them are looked through at once, and hold nothing back.
  expect(await page({ text: 'needle', status: 'error' })).toEqual({ items: [], next_cursor: null });
  expect(await walk({ text: 'needle', status: 'error,success' })).toEqual(['needle']);
  const hay = await walk({ text: 'hay-11', status: 'error,success', limit: '500' });
  const all = Array.from({ length: 45_000 }, (_, index) => `hay-${index + 1}`);
  expect(hay).toEqual(all.filter((id) => id.startsWith('hay-11')).reverse());
});

test.each([
  ['status', 'fine'],
  ['status', 'error,,success'],
  ['status', ''],
  ['limit', '0'],
  ['from', 'yesterday'],
  ['min_duration_ms', '-1'],
  ['max_duration_ms', 'long'],
  ['trace_id', 'xyz'],
  ['text', ''],
  ['text', 'a\u0000b'],
  ['workflow', 'w'],
  ['cursor', Buffer.from('["2026-01-01T00:00:00Z","x"]').toString('base64url')],
])('%s=%j is refused with the path', async (field, value) => {
  const { status, body } = await rollcall.get('/api/v1/executions', { query: { [field]: value } });
  expect(status).toBe(422);
  expect(body.errors[0].path).toMatch(new RegExp(`^query\\.${field}`));
});
