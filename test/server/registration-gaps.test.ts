import { startTestRollcall, type TestRollcall } from '../rollcall/start.ts';

let rollcall: TestRollcall;
beforeEach(async () => {
  rollcall = await startTestRollcall();
});
afterEach(() => rollcall.stop());

const HOUR_MS = 3_600_000;
const register = (entity_type: string, entity_id: string, more: object = {}) =>
  rollcall.post('/api/v1/entities', { entity_type, entity_id, ...more });
const check = async () => (await rollcall.post('/api/v1/gaps/check')).body;
const listed = async () => {
  const rows = await rollcall.sql<{ gap_kind: string; entity_id: string }>(
    'select * from check_registration_gaps()',
  );
  return rows.map(({ gap_kind, entity_id }) => `${gap_kind} ${entity_id}`);
};
const gapId = async (query: Record<string, string>) =>
  (await rollcall.get('/api/v1/gaps', { query })).body.items[0].id as string;

describe('check_registration_gaps()', () => {
  test('lists what is missing right now, with how sure it is', async () => {
    await register('agent', 'lone');
    expect(await rollcall.sql('select * from check_registration_gaps()')).toMatchObject([
      {
        gap_kind: 'orphaned',
        entity_type: 'agent',
        entity_id: 'lone',
        severity: 'warning',
        summary: 'lone has no parent, and every agent needs one.',
        evidence: { needs_parent: true },
        grade: 'certain',
      },
    ]);
  });

  test('leaves out what cannot be told', async () => {
    await register('workflow', 'orders');
    const started_at = new Date(Date.now() - 2 * HOUR_MS).toISOString();
    const run = { workflow_id: 'orders', execution_id: '1', status: 'running', started_at };
    await rollcall.post('/api/v1/executions/ingest', run);
    expect(await check()).toMatchObject({ open: 0, cannot_tell: 1 });
    expect(await listed()).toEqual([]);
    for (let n = 2; n < 10; n++) {
      await rollcall.post('/api/v1/executions/ingest', {
        ...{ ...run, execution_id: String(n), status: 'success' },
        completed_at: new Date(Date.parse(started_at) + 1000).toISOString(),
      });
    }
    expect(await listed()).toEqual(['stuck orders']);
  });

  test('leaves out what is muted, until it no longer is', async () => {
    await register('agent', 'lone');
    await check();
    const id = await gapId({ kind: 'orphaned' });
    const until = new Date(Date.now() + HOUR_MS).toISOString();
    await rollcall.post(`/api/v1/gaps/${id}/mute`, { reason: 'known', until });
    expect(await listed()).toEqual([]);
    await rollcall.call('DELETE', `/api/v1/gaps/${id}/mute`);
    expect(await listed()).toEqual(['orphaned lone']);
  });

  test('leaves out what another gap explains', async () => {
    const silent = { current_state: 'active', silent_after_seconds: 60 };
    await register('team', 'home', silent);
    await register('workflow', 'orders', {
      ...silent,
      parent: { entity_type: 'team', entity_id: 'home' },
    });
    await rollcall.sql(`update rollcall.entities set state_since = now() - interval '1 hour'`);
    expect(await listed()).toEqual(['silent home', 'silent orders']);
    await check();
    expect(await listed()).toEqual(['silent home']);
  });
});
