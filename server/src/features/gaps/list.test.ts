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

const MINUTE_MS = 60_000;
const check = async () => (await rollcall.post('/api/v1/gaps/check')).body;
const list = async (query: Record<string, string> = {}) =>
  (await rollcall.get('/api/v1/gaps', { query })).body.items;
const register = (entity_type: string, entity_id: string, more: object = {}) =>
  rollcall.post('/api/v1/entities', { entity_type, entity_id, current_state: 'active', ...more });
const report = (source_id: string, target_id: string, protocol = 'http') =>
  rollcall.post('/api/v1/telemetry', { source_id, target_id, protocol, status: 'success' });

describe('the list', () => {
  test('is filtered by kind, severity, type, id and state', async () => {
    await register('agent', 'lone');
    await report('ghost', 'lone');
    await register('service', 'user', {
      dependencies: [{ entity_type: 'service', entity_id: 'none' }],
    });
    await check();
    const ids = async (query: Record<string, string>) =>
      (await list(query)).map((gap: { entity_id: string }) => gap.entity_id).sort();
    expect(await ids({})).toEqual(['ghost', 'lone', 'user']);
    expect(await ids({ kind: 'orphaned' })).toEqual(['lone']);
    expect(await ids({ severity: 'critical' })).toEqual(['user']);
    expect(await ids({ entity_type: 'service', severity: 'warning' })).toEqual(['ghost']);
    expect(await ids({ entity_id: 'user' })).toEqual(['user']);
    expect(await ids({ state: 'closed' })).toEqual([]);
    await register('service', 'ghost');
    await check();
    expect(await ids({ state: 'closed' })).toEqual(['ghost']);
    expect(await ids({ state: 'open' })).toEqual(['lone', 'user']);
  });

  test.each([1, 4, 12, 13])(
    '%i at a time shows each gap once, longest open first',
    async (limit) => {
      const early = Array.from({ length: 6 }, (_, index) => `early-${index}`);
      const late = Array.from({ length: 6 }, (_, index) => `late-${index}`);
      for (const id of early) await report(id, id);
      await check();
      rollcall.clock.advance(MINUTE_MS);
      for (const id of late) await report(id, id);
      await check();
      const seen: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const query = { limit: String(limit), ...(cursor ? { cursor } : {}) };
        const page = (await rollcall.get('/api/v1/gaps', { query })).body;
        seen.push(...page.items.map((gap: { entity_id: string }) => gap.entity_id));
        cursor = page.next_cursor as string | null;
      }
      expect([seen.slice(0, 6).sort(), seen.slice(6).sort()]).toEqual([early, late]);
    },
  );

  test.each([
    ['kind', 'lost'],
    ['state', 'ajar'],
    ['severity', 'awful'],
    ['cursor', Buffer.from('["2026-01-01T00:00:00Z","x"]').toString('base64url')],
    ['cursor', Buffer.from('["1","0af76519-16cd-43dd-8448-eb211c80319c"]').toString('base64url')],
  ])('with %s=%s is refused with the path', async (field, value) => {
    const { status, body } = await rollcall.get('/api/v1/gaps', { query: { [field]: value } });
    expect(status).toBe(422);
    expect(body.errors).toMatchObject([{ path: `query.${field}` }]);
  });
});
