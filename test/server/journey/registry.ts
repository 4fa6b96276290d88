import type { Stage } from './stage.ts';

/** Entities, their states and their relations. */
export function registrySteps(stage: Stage): void {
  test('an empty server has nothing to show', async () => {
    expect((await stage.api.get('whoami')).body).toMatchObject({ tenant_id: 'default' });
    for (const list of ['entities', 'telemetry', 'gaps', 'patterns', 'pairs']) {
      expect((await stage.api.get(list)).body).toEqual({ items: [], next_cursor: null });
    }
    expect((await stage.api.get('overview')).body.totals).toMatchObject({ calls: 0, p50_ms: null });
  });

  test('entities are registered, and registered again', async () => {
    const full = {
      entity_name: 'Größe % _ "quoted" \\ 日本',
      description: 'Line one\nline two',
      registered_by: 'factory',
      capabilities: ['b', 'a', 'b'],
      tags: ['shop', 'vip'],
      endpoint_url: 'http://orders:8080/x?y=1',
      version: '1.2.3',
      definition_hash: 'abc',
      metadata: { nested: { list: [1, 2.5, null, true], text: '✓' }, big: 9007199254740991 },
      silent_after_seconds: 90,
      current_state: 'active',
      health_status: 'healthy',
    };
    expect((await stage.register('service', 'orders', full)).status).toBe(201);
    expect((await stage.register('service', 'orders', { version: '2' })).body).toMatchObject({
      outcome: 'updated',
      entity: { ...full, version: '2' },
    });
    expect((await stage.register('service', 'crm')).status).toBe(201);
    expect((await stage.register('service', 'x', { project_id: 'none' })).body).toMatchObject({
      code: 'unknown_project',
    });
    expect((await stage.register('Service', '')).status).toBe(422);
    const workflow = {
      name: 'Nightly',
      nodes: [
        { id: '1', name: 'Go', type: 'n8n-nodes-base.manualTrigger', parameters: {} },
        {
          id: '2',
          name: 'Call',
          type: 'n8n-nodes-base.executeWorkflow',
          typeVersion: 1.2,
          parameters: { workflowId: { __rl: true, mode: 'id', value: 'sub' } },
        },
      ],
      connections: {},
    };
    const { body } = await stage.register('workflow', 'nightly', { workflow });
    expect(body.entity.entity_name).toBe('Nightly');
    const sub = { entity_type: 'workflow', entity_id: 'sub' };
    expect((await stage.api.get('entities/workflow/nightly')).body.depends_on).toEqual([
      { ...sub, origin: 'extracted' },
    ]);
    // What is declared as well does not go with the node that said it first.
    await stage.register('workflow', 'nightly', { dependencies: [sub] });
    const rest = { ...workflow, nodes: workflow.nodes.slice(0, 1) };
    await stage.register('workflow', 'nightly', { workflow: rest });
    expect((await stage.api.get('entities/workflow/nightly')).body.depends_on).toEqual([
      { ...sub, origin: 'declared' },
    ]);
  });

  test('states move, are remembered, and do not come back from deleted by themselves', async () => {
    const crm = 'entities/service/crm';
    await stage.api.put(`${crm}/state`, { new_state: 'active', reason: 'deployed' });
    await stage.api.put(`${crm}/state`, { health_status: 'degraded' });
    await stage.api.post(`${crm}/heartbeat`, { health_status: 'healthy' });
    expect((await stage.api.delete(crm)).body.current_state).toBe('deleted');
    expect((await stage.api.put(`${crm}/state`, { new_state: 'active' })).body).toMatchObject({
      status: 409,
      code: 'entity_deleted',
    });
    expect((await stage.api.post(`${crm}/heartbeat`, {})).status).toBe(409);
    expect((await stage.register('service', 'crm', { current_state: 'active' })).status).toBe(201);
    const history = await stage.pages(`${crm}/state?limit=2`);
    expect(history.flat()).toHaveLength(6);
    expect(history.flat()).toMatchObject([
      { from_state: 'deleted', to_state: 'active' },
      { from_state: 'active', to_state: 'deleted' },
      { from_health: 'degraded', to_health: 'healthy', reason: 'heartbeat' },
      { from_health: 'unknown', to_health: 'degraded' },
      { from_state: 'created', to_state: 'active', reason: 'deployed' },
      { from_state: null, to_state: 'created' },
    ]);
    expect((await stage.api.get('entities/service/nothing')).body.code).toBe('not_found');
    expect((await stage.api.post('entities/service/nothing/heartbeat', {})).status).toBe(404);
  });

  test('parents and dependencies make a graph without circles', async () => {
    const team = (entity_id: string) => ({ entity_type: 'team', entity_id });
    await stage.register('team', 'company');
    await stage.register('team', 'sales', { parent: team('company') });
    await stage.register('agent', 'seller', { parent: team('sales') });
    expect((await stage.register('team', 'company', { parent: team('sales') })).body.code).toBe(
      'cycle',
    );
    expect((await stage.register('team', 'sales', { parent: team('sales') })).status).toBe(409);
    const needs = (entity_id: string) => ({
      dependencies: [{ entity_type: 'service', entity_id }],
    });
    await stage.register('service', 'crm', needs('orders'));
    await stage.register('service', 'orders', needs('mailer'));
    expect((await stage.register('service', 'orders', needs('crm'))).body.code).toBe('cycle');
    expect((await stage.api.get('entities/agent/seller')).body.ancestors).toEqual([
      team('sales'),
      team('company'),
    ]);
    expect((await stage.api.get('entities/team/company')).body.children).toEqual([team('sales')]);
    expect((await stage.api.get('entities/service/orders')).body).toMatchObject({
      depends_on: [{ entity_id: 'mailer', origin: 'declared' }],
      depended_on_by: [{ entity_id: 'crm' }],
    });
  });

  test('entities are found by what they are, page by page, in every order', async () => {
    const ids = async (query: string) =>
      (await stage.api.get(`entities?${query}`)).body.items.map(
        ({ entity_id }: { entity_id: string }) => entity_id,
      );
    expect(await ids('entity_type=team')).toEqual(['company', 'sales']);
    expect(await ids('tag=vip&capability=a&health_status=healthy')).toEqual(['orders']);
    expect(await ids('parent_type=team&parent_id=sales')).toEqual(['seller']);
    expect(await ids('current_state=created&project_id=default')).toHaveLength(4);
    expect(await ids('text=%25%20_')).toEqual(['orders']);
    expect(await ids('text=LINE%20two')).toEqual(['orders']);
    for (const sort of ['entity_name', 'created_at', 'updated_at']) {
      const found = await stage.pages(`entities?limit=2&sort=${sort}`);
      expect(found.map(({ length }) => length)).toEqual([2, 2, 2]);
    }
    expect((await stage.api.get('entities?cursor=bm90aGluZw')).status).toBe(422);
  });
}
