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

describe('rules', () => {
  const rule = (entity_type: string, more: object = {}) =>
    rollcall.put('/api/v1/gaps/rules', {
      entity_type,
      needs_parent: false,
      silent_after_seconds: 86_400,
      stuck_after_seconds: 1800,
      ...more,
    });

  test('are there from the start, listed and replaced', async () => {
    const { body } = await rollcall.get('/api/v1/gaps/rules');
    expect(body).toEqual({
      next_cursor: null,
      items: [
        {
          entity_type: '*',
          needs_parent: false,
          silent_after_seconds: 86_400,
          stuck_after_seconds: 1800,
          grace_seconds: 300,
        },
        {
          entity_type: 'agent',
          needs_parent: true,
          silent_after_seconds: 86_400,
          stuck_after_seconds: 1800,
          grace_seconds: 300,
        },
      ],
    });
    const changed = await rule('agent', { silent_after_seconds: 5 });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({ entity_type: 'agent', silent_after_seconds: 5 });
    expect((await rollcall.get('/api/v1/gaps/rules')).body.items).toContainEqual(changed.body);
  });

  test('of a type win over the rule for all, and an entity’s own limit over both', async () => {
    await rule('*', { silent_after_seconds: 60 });
    await rule('service', { silent_after_seconds: 600 });
    await register('workflow', 'by-all');
    await register('service', 'by-type');
    await register('service', 'by-itself', { silent_after_seconds: 6000 });
    const silentAfter = async (minutes: number) => {
      rollcall.clock.advance(minutes * MINUTE_MS);
      await check();
      return (await list({ kind: 'silent' }))
        .map((gap: { entity_id: string }) => gap.entity_id)
        .sort();
    };
    expect(await silentAfter(2)).toEqual(['by-all']);
    expect(await silentAfter(10)).toEqual(['by-all', 'by-type']);
    expect(await silentAfter(100)).toEqual(['by-all', 'by-itself', 'by-type']);
  });

  test('that are loosened close what they opened', async () => {
    await rule('workflow', { needs_parent: true });
    await register('workflow', 'lone');
    expect(await check()).toMatchObject({ by_kind: { orphaned: 1 } });
    await rule('workflow');
    expect(await check()).toMatchObject({ closed: 1, open: 0 });
  });

  test.each([
    ['entity_type', 'Not A Word'],
    ['silent_after_seconds', 0],
    ['stuck_after_seconds', 1.5],
    ['needs_parent', 'yes'],
  ])('with a wrong %s are refused with the path', async (path, value) => {
    const { status, body } = await rule('service', { [path]: value });
    expect(status).toBe(422);
    expect(body.errors[0].path).toBe(path);
  });
});
