import { at, MINUTE_MS, NOWHERE, type Stage } from './stage.ts';

/** Gaps, keys and tenants, after the registry and the telemetry of the other steps. */
export function operationSteps(stage: Stage): void {
  test('gaps are found, fixed, muted, and close by themselves', async () => {
    const rule = {
      entity_type: 'team',
      needs_parent: true,
      silent_after_seconds: 60,
      stuck_after_seconds: 3600,
      grace_seconds: 0,
    };
    expect((await stage.api.put('gaps/rules', rule)).body).toEqual(rule);
    expect((await stage.api.get('gaps/rules')).body.items).toHaveLength(3);
    stage.rollcall.clock.advance(50 * MINUTE_MS);
    const { body: check } = await stage.api.post('gaps/check');
    expect(check).toMatchObject({
      by_kind: { unregistered: 1, silent: 1, orphaned: 1, broken_dependency: 2, stuck: 2 },
    });
    const gap = async (kind: string, entity_id: string) => {
      const { body } = await stage.api.get(`gaps?kind=${kind}&entity_id=${entity_id}`);
      return body.items[0].id as string;
    };
    const stranger = await gap('unregistered', 'stranger');
    expect((await stage.api.post(`gaps/${stranger}/fix`)).body).toMatchObject({
      action: 'register',
      gap: { state: 'closed', fixes: [] },
    });
    expect((await stage.api.post(`gaps/${stranger}/fix`, {})).body.code).toBe('gap_closed');
    const orphan = await gap('orphaned', 'company');
    expect((await stage.api.post(`gaps/${orphan}/fix`, {})).body.code).toBe('required');
    expect((await stage.api.post(`gaps/${orphan}/fix`, { action: 'detach' })).body.code).toBe(
      'not_applicable',
    );
    const until = at(-600);
    const mute = { reason: 'It is the company itself.', until };
    expect((await stage.api.post(`gaps/${orphan}/mute`, { ...mute, until: at(1) })).status).toBe(
      422,
    );
    expect((await stage.api.post(`gaps/${orphan}/mute`, mute)).body).toMatchObject({
      state: 'muted',
    });
    expect((await stage.api.get('gaps?state=muted')).body.items).toHaveLength(1);
    expect((await stage.api.delete(`gaps/${orphan}/mute`)).body).toMatchObject({ state: 'open' });
    await stage.api.post(`gaps/${await gap('broken_dependency', 'orders')}/fix`, {
      action: 'drop_dependency',
    });
    await stage.api.post(`gaps/${await gap('stuck', 'nightly')}/fix`, {
      action: 'set_state',
      new_state: 'inactive',
    });
    await stage.api.post('entities/service/orders/heartbeat');
    expect((await stage.api.post('gaps/check')).body).toMatchObject({
      by_kind: { orphaned: 1, stuck: 1 },
    });
    expect((await stage.api.get('gaps?state=closed')).body.items).toHaveLength(5);
    expect((await stage.api.get(`gaps/${orphan}`)).body.fixes).toHaveLength(3);
    expect((await stage.api.get(`gaps/${NOWHERE}`)).status).toBe(404);
    await stage.api.get('overview');
  });

  test('keys are made, shown once, limited and revoked', async () => {
    const request = { name: 'reader', scopes: ['registry:read'], expires_at: at(-120) };
    const { body: made } = await stage.api.post('keys', request);
    const key = made.key as string;
    expect((await stage.api.get('entities?limit=1', { key })).status).toBe(200);
    expect((await stage.api.get('telemetry', { key })).body.code).toBe('missing_scope');
    expect((await stage.api.post('keys', { ...request, project_id: 'none' })).body.code).toBe(
      'unknown_project',
    );
    expect((await stage.pages('keys?limit=1')).flat()).toHaveLength(2);
    await stage.api.delete(`keys/${made.id}`);
    expect((await stage.api.get('entities', { key })).status).toBe(401);
    expect((await stage.api.delete(`keys/${NOWHERE}`)).status).toBe(404);
    const { body: brief } = await stage.api.post('keys', request);
    stage.rollcall.clock.advance(120 * MINUTE_MS);
    expect((await stage.api.get('entities', { key: brief.key })).status).toBe(401);
  });

  test('another tenant starts empty', async () => {
    const key = await stage.rollcall.keyFor('other');
    for (const list of ['entities', 'telemetry', 'gaps', 'patterns', 'pairs']) {
      expect((await stage.api.get(list, { key })).body.items).toEqual([]);
    }
    expect((await stage.api.get('entities/service/orders', { key })).status).toBe(404);
    expect((await stage.rollcall.get('/readyz')).status).toBe(200);
  });
}
