import type { AuditSummary } from '@rollcall/client/contract';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';
import { connectPostgres } from '../../platform/database/postgres.ts';
import { auditReportStore } from './audit-report.store.ts';
import { keepWeeklyAudits } from './audit-report.ts';

let server: TestRollcall;
let rollcall: FreshTenant;
let database: ReturnType<typeof connectPostgres>;
beforeAll(async () => {
  server = await startTestRollcall();
  database = connectPostgres({
    url: server.databaseUrl,
    connections: 4,
    timeoutMs: 30_000,
    onIdleError: () => undefined,
  });
});
afterAll(async () => {
  await database.close();
  await server.stop();
});
beforeEach(async () => {
  rollcall = await freshTenant(server);
});

const DAY = 86_400_000;
const week = (days: number) => rollcall.clock.advance(days * DAY);
const keep = () =>
  keepWeeklyAudits(
    () => Promise.resolve([rollcall.tenant]),
    auditReportStore(database),
    rollcall.clock.now,
  );
const kept = async () => (await rollcall.get('/api/v1/audits')).body.items as AuditSummary[];
const register = (entity_id: string) =>
  rollcall.post('/api/v1/entities', { entity_type: 'agent', entity_id, current_state: 'inactive' });

test('the first week of a tenant is not over yet', async () => {
  await keep();
  expect(await kept()).toEqual([]);
});

test('a week is kept once, by however many servers, when it is over', async () => {
  await register('lone');
  week(7);
  await Promise.all([keep(), keep(), keep()]);
  await keep();
  const [only, ...more] = await kept();
  expect(more).toEqual([]);
  expect(only?.totals).toMatchObject({ appeared: 1, vanished: 0 });
  const [from, to] = [only?.period_from ?? '', only?.period_to ?? ''].map((time) => new Date(time));
  // Monday, midnight, UTC.
  expect([to?.getUTCDay(), to?.toISOString().slice(11)]).toEqual([1, '00:00:00.000Z']);
  expect((to?.getTime() ?? 0) - (from?.getTime() ?? 0)).toBe(7 * DAY);
  expect(rollcall.clock.now().getTime() - (to?.getTime() ?? 0)).toBeLessThan(7 * DAY);
});

test('the next one begins where the last one ended, also after weeks without a server', async () => {
  week(7);
  await keep();
  week(21);
  await register('lone');
  await rollcall.post('/api/v1/gaps/check');
  week(7);
  await keep();
  const [latest, first] = await kept();
  expect(latest?.period_from).toBe(first?.period_to);
  expect(latest?.totals.other).toBe(1);
  expect(latest?.open_gaps).toBe(1);
});

test('a kept report is read in every format, and stays as it was', async () => {
  await register('lone');
  week(7);
  await keep();
  const [{ id } = { id: '' }] = await kept();
  const path = `/api/v1/audits/${id}`;
  const { body } = await rollcall.get(path);
  expect(body.report.sections.appeared.items).toMatchObject([
    { entity_id: 'lone', link: '/api/v1/entities/agent/lone' },
  ]);
  await rollcall.call('DELETE', '/api/v1/entities/agent/lone');
  expect((await rollcall.get(path)).body).toEqual(body);
  expect((await rollcall.get(path, { query: { format: 'md' } })).body).toMatch(/^# Rollcall audit/);
  expect((await rollcall.get(path, { query: { format: 'html' } })).body).toMatch(
    /^<!doctype html>/,
  );
});

test('pages through the weeks, latest first', async () => {
  for (let made = 0; made < 3; made++) {
    week(7);
    await keep();
  }
  const all = await kept();
  const seen: unknown[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { body } = await rollcall.get('/api/v1/audits', {
      query: { limit: '1', ...(cursor ? { cursor } : {}) },
    });
    seen.push(...body.items);
    cursor = body.next_cursor;
  }
  expect(seen).toEqual(all);
  expect(all.map(({ period_to }) => period_to)).toEqual(
    all
      .map(({ period_to }) => period_to)
      .toSorted()
      .toReversed(),
  );
  expect(all).toHaveLength(3);
});

test('a report that is not there is a 404', async () => {
  const { status, body } = await rollcall.get(
    '/api/v1/audits/0af76519-16cd-43dd-8448-eb211c80319c',
  );
  expect([status, body.code]).toEqual([404, 'not_found']);
});
