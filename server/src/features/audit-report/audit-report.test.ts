import type { AuditItem, AuditReport, AuditSectionName } from '@rollcall/client/contract';
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

const MINUTE = 60_000;
const DAY = 86_400_000;
const register = (entity_id: string, more: object = {}) =>
  rollcall.post('/api/v1/entities', { entity_type: 'workflow', entity_id, ...more });
const check = () => rollcall.post('/api/v1/gaps/check');

/** As it is a minute later. */
async function audit(query: Record<string, string> = {}): Promise<AuditReport> {
  rollcall.clock.advance(MINUTE);
  return (await rollcall.get('/api/v1/audit', { query })).body as AuditReport;
}

const ids = (report: AuditReport, name: AuditSectionName): string[] =>
  report.sections[name].items.map(({ entity_id }) => entity_id);
const totals = ({ sections }: AuditReport) =>
  Object.fromEntries(Object.entries(sections).map(([name, { total }]) => [name, total]));

describe('a report', () => {
  test('of a fleet without any is empty, and says so everywhere', async () => {
    const report = await audit();
    const nothing = { appeared: 0, vanished: 0, drifted: 0, silent: 0, other: 0, fixed: 0 };
    expect(totals(report)).toEqual(nothing);
    expect(report.fleet).toEqual({ entities: 0, by_type: {}, by_state: {} });
    expect(report.open).toEqual({ total: 0, muted: 0, by_kind: {}, by_severity: {} });
    const { body } = await rollcall.get('/api/v1/audit', { query: { format: 'md' } });
    expect(body).toContain('Nothing happened; 0 gaps open in a fleet of 0 entities.');
  });

  test('names what appeared, who registered it, and what nobody registered', async () => {
    await register('orders', { entity_name: 'Orders', registered_by: 'team_factory' });
    await GAP_CAUSES.unregistered?.open(rollcall);
    await check();
    const report = await audit();
    expect(ids(report, 'appeared').sort()).toEqual(['ghost', 'known', 'orders']);
    const item = (id: string) =>
      report.sections.appeared.items.find(({ entity_id }) => entity_id === id) as AuditItem;
    expect(item('orders')).toMatchObject({
      entity_name: 'Orders',
      what: 'Registered.',
      by: 'team_factory',
      kind: null,
      current_state: 'created',
      link: '/api/v1/entities/workflow/orders',
    });
    const ghost = item('ghost');
    expect(ghost).toMatchObject({ kind: 'unregistered', by: null, current_state: null });
    expect((await rollcall.get(ghost.link)).body).toMatchObject({ id: ghost.gap_id });
  });

  test('names what vanished, and of what came and went the last word', async () => {
    for (const id of ['a', 'b', 'c']) await register(id);
    await rollcall.call('DELETE', '/api/v1/entities/workflow/a');
    await rollcall.call('DELETE', '/api/v1/entities/workflow/b');
    await register('b');
    const report = await audit();
    expect(ids(report, 'vanished')).toEqual(['a']);
    expect(ids(report, 'appeared').sort()).toEqual(['b', 'c']);
    expect(report.fleet).toMatchObject({ entities: 2, by_type: { workflow: 2 } });
  });

  test('names what fell silent, and what was fixed, and both of one that came back', async () => {
    await GAP_CAUSES.silent?.open(rollcall);
    await register('lone', { entity_type: 'agent' });
    await check();
    await GAP_CAUSES.silent?.cure(rollcall);
    await check();
    const report = await audit();
    expect(report.sections.silent.items).toMatchObject([
      { entity_id: 'orders', kind: 'silent', severity: 'critical', closed: true },
    ]);
    expect(ids(report, 'fixed')).toEqual(['orders']);
    expect(report.sections.other.items).toMatchObject([
      { entity_id: 'lone', kind: 'orphaned', closed: false },
    ]);
    expect(report.open).toEqual({
      total: 1,
      muted: 0,
      by_kind: { orphaned: 1 },
      by_severity: { warning: 1 },
    });
  });

  test('names who fixed a gap, and how', async () => {
    await GAP_CAUSES.silent?.open(rollcall);
    await check();
    const [gap] = (await rollcall.get('/api/v1/gaps')).body.items;
    const { body } = await rollcall.post(`/api/v1/gaps/${gap.id}/fix`);
    expect((await audit()).sections.fixed.items).toMatchObject([
      {
        entity_id: 'orders',
        gap_id: gap.id,
        by: `${rollcall.tenant} admin`,
        what: `${gap.summary} ${body.summary}`,
      },
    ]);
  });

  test('leaves out what another gap explains', async () => {
    await register('home', {
      entity_type: 'team',
      current_state: 'active',
      silent_after_seconds: 60,
    });
    const parent = { entity_type: 'team', entity_id: 'home' };
    await register('orders', { current_state: 'active', silent_after_seconds: 60, parent });
    rollcall.clock.advance(DAY / 2);
    await check();
    const report = await audit();
    expect(ids(report, 'silent')).toEqual(['home']);
    expect(report.open).toMatchObject({ total: 1, by_kind: { silent: 1 } });
  });

  test('leaves out what happened before', async () => {
    await register('lone', { entity_type: 'agent' });
    await check();
    rollcall.clock.advance(2 * DAY);
    const report = await audit({ since: '1d' });
    expect(totals(report)).toMatchObject({ appeared: 0, other: 0 });
    expect(report.open.total).toBe(1);
    expect(totals(await audit({ since: '3d' }))).toMatchObject({ appeared: 1, other: 1 });
  });

  test('counts muted gaps apart', async () => {
    await register('lone', { entity_type: 'agent' });
    await check();
    const [gap] = (await rollcall.get('/api/v1/gaps')).body.items;
    const until = new Date(rollcall.clock.now().getTime() + DAY).toISOString();
    await rollcall.post(`/api/v1/gaps/${gap.id}/mute`, { reason: 'known', until });
    expect((await audit()).open).toMatchObject({ total: 0, muted: 1, by_kind: {} });
  });

  test('lists 500 of a section and counts all', async () => {
    await rollcall.sql(
      `select rollcall_api.register_entity($1, jsonb_build_object('entity_type', 'service', 'entity_id', 's' || n), 'test')
         from generate_series(1, 501) n`,
      [rollcall.tenant],
    );
    const { appeared } = (await audit()).sections;
    expect([appeared.total, appeared.items.length]).toEqual([501, 500]);
    const { body } = await rollcall.get('/api/v1/audit', { query: { format: 'md' } });
    expect(body).toContain('The latest 500 of 501 are listed.');
  });
});

describe('a report’s text', () => {
  const HOSTILE = `<img src=x onerror=alert(1)> | [a](javascript:b) *c* "d" \u202e`;
  const text = async (format: string) => {
    rollcall.clock.advance(MINUTE);
    return rollcall.get('/api/v1/audit', { query: { format } });
  };

  test('is Markdown that no name can break', async () => {
    await register('orders', { entity_name: HOSTILE });
    const { headers, body } = await text('md');
    expect(headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(body).toContain('## Appeared (1)');
    expect(body).toContain('](/api/v1/entities/workflow/orders)');
    for (const part of ['<img', '](javascript', '*c*', '\u202e']) expect(body).not.toContain(part);
    const row = body.split('\n').find((line: string) => line.includes('onerror'));
    expect(row.split('|')).toHaveLength(6);
  });

  test('is one page of HTML that needs nothing else, and that no name can break', async () => {
    await register('orders', { entity_name: HOSTILE });
    await GAP_CAUSES.silent?.open(rollcall);
    await check();
    const { headers, body } = await text('html');
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(body).toMatch(/^<!doctype html>/);
    expect(body).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(body).not.toMatch(/<img|<script|\u202e| (src|on\w+)="|https?:/);
    expect(body).toContain('prefers-color-scheme:dark');
    expect(body).toContain('<a href="/api/v1/entities/workflow/orders">');
    expect(body).toContain('<h2>Went silent <span class="number">1</span></h2>');
  });
});

test.each([
  ['since', 'yesterday', 'invalid_format'],
  ['since', '2199-01-01T00:00:00Z', 'not_in_past'],
  ['since', '0d', 'not_in_past'],
  ['format', 'pdf', 'invalid_value'],
])('%s=%s is refused', async (field, value, code) => {
  const { status, body } = await rollcall.get('/api/v1/audit', { query: { [field]: value } });
  expect(status).toBe(422);
  expect(body.errors).toMatchObject([{ path: `query.${field}`, code }]);
});

test('a key that may not read the registry is refused', async () => {
  const key = await rollcall.keyFor(rollcall.tenant, ['gaps:read']);
  const { status, body } = await rollcall.get('/api/v1/audit', { key });
  expect([status, body.code]).toEqual([403, 'missing_scope']);
  expect(body.detail).toContain('registry:read');
});
