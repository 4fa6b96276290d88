import { CONNECTIONS, idle, syncAgain } from '../../rollcall/connected.ts';
import {
  n8nExecution,
  n8nWorkflow,
  startN8nServer,
  type N8nServer,
  type N8nServerWorkflow,
} from '../../rollcall/n8n-server.ts';
import { ownId } from './recording.ts';
import { at, START, type Stage } from './stage.ts';

const FLEET = 'fleet';

/** The same on every backend, its ids and versions included. */
function workflow(id: string, number: number, more: object = {}): N8nServerWorkflow {
  return n8nWorkflow(id, {
    versionId: ownId(number),
    activeVersionId: ownId(number),
    nodes: [
      {
        id: ownId(number + 1),
        name: 'Webhook',
        type: 'n8n-nodes-base.webhook',
        typeVersion: 2,
        position: [0, 0],
        parameters: { path: id },
      },
    ],
    connections: {},
    ...more,
  });
}

/** An n8n is connected, and what is missing is found and fixed, here and there: by a tenant of its own. */
export function inventorySteps(stage: Stage): void {
  let n8n: N8nServer;
  let key: string;
  let connection: string;
  beforeAll(async () => {
    n8n = await startN8nServer([workflow('orders', 500), workflow('stock', 510)]);
    n8n.executions = [
      n8nExecution(2, 'orders', { startedAt: at(1), stoppedAt: at(0), status: 'error' }),
      n8nExecution(1, 'orders', { startedAt: at(3), stoppedAt: at(2) }),
    ];
    stage.rollcall.clock.advance(START - stage.rollcall.clock.now().getTime());
    key = await stage.rollcall.keyFor(FLEET);
  });
  afterAll(() => n8n.stop());

  const asFleet = {
    get: (path: string) => stage.rollcall.get(path, { key }),
    post: (path: string, body?: unknown) => stage.rollcall.post(path, body, { key }),
  };
  const get = (path: string) => stage.api.get(path, { key });
  const post = (path: string, body?: unknown) => stage.api.post(path, body, { key });
  /** Which inventory is seen under way is chance: only what it came to is written down. */
  async function inventory(): Promise<void> {
    stage.rollcall.clock.advance(1000);
    await syncAgain(asFleet, connection);
    expect((await get(`n8n/connections/${connection}`)).body.last_error).toBeNull();
  }
  const gap = async (kind: string) => {
    await post('gaps/check');
    const { items } = (await get(`gaps?kind=${kind}`)).body;
    expect(items).toHaveLength(1);
    return items[0];
  };
  const fixed = async (kind: string, body: object = {}) => {
    const { id } = await gap(kind);
    await post(`gaps/${id}/fix`, { ...body, dry_run: true });
    const answer = await post(`gaps/${id}/fix`, body);
    expect(answer.body).toMatchObject({ status: 'done', gap: { state: 'closed' } });
    return answer.body;
  };

  test('an n8n is connected, and its workflows and executions are read', async () => {
    const body = { base_url: n8n.url, api_key: n8n.key, name: 'Prod', labels: ['eu'] };
    const made = await asFleet.post(CONNECTIONS, body);
    expect(made.status).toBe(201);
    connection = made.body.id;
    await idle(asFleet, connection);
    expect((await get(`n8n/connections/${connection}`)).body).toMatchObject({
      last_result: { kind: 'full', workflows: 2, executions: 2 },
      workflows: { total: 2, active: 2 },
    });
    expect((await get('n8n/workflows')).body.items).toHaveLength(2);
    expect((await get('n8n/instances')).body.items).toHaveLength(1);
    expect((await get('executions')).body.items).toMatchObject([
      { execution_id: '2', status: 'error' },
      { execution_id: '1', status: 'success' },
    ]);
    const again = await post('n8n/connections', body);
    expect(again.status).toBe(409);
    expect((await post('n8n/connections', { ...body, api_key: 'wrong' })).body.code).toBe(
      'n8n_key_refused',
    );
  });

  test('what it has and the registry lacks is registered, in one go', async () => {
    expect((await post('gaps/check')).body).toMatchObject({ by_kind: { unreported: 2 } });
    const filter = { kind: 'unreported' };
    const dry = { action: 'register', filter, dry_run: true };
    expect((await post('gaps/fix', dry)).body.items).toHaveLength(2);
    expect((await post('gaps/fix', { action: 'register', filter })).body).toMatchObject({
      fixed: 2,
      check: { by_kind: {} },
    });
    expect((await get('entities/workflow/orders')).body).toMatchObject({
      entity_name: 'Workflow orders',
      current_state: 'active',
    });
  });

  test('what somebody edits there has drifted, until that is accepted', async () => {
    const [orders] = n8n.workflows as [N8nServerWorkflow];
    const edited = orders.nodes.map((node) => ({ ...node, name: 'Renamed' }));
    Object.assign(orders, { nodes: edited, versionId: ownId(520), updatedAt: at(-1) });
    await inventory();
    await fixed('drifted', { action: 'accept_drift' });
  });

  test('what was switched off there and should run is silent, is switched on, and off again by the undo', async () => {
    const [orders] = n8n.workflows as [N8nServerWorkflow];
    Object.assign(orders, { active: false, activeVersionId: null, updatedAt: at(-2) });
    await inventory();
    const body = { current_state: 'active', silent_after_seconds: 60 };
    await post('entities', { entity_type: 'workflow', entity_id: 'orders', ...body });
    stage.rollcall.clock.advance(600_000);
    const { id, fixes } = await gap('silent');
    expect(fixes[0]).toMatchObject({ action: 'reactivate' });
    const done = await post(`gaps/${id}/fix`, { action: 'reactivate' });
    expect([done.body.status, orders.active]).toEqual(['done', true]);
    const undone = await post(`gaps/fixes/${done.body.fix_id}/undo`);
    expect([undone.body.fix?.status, orders.active]).toEqual(['undone', false]);
    expect((await post(`gaps/fixes/${done.body.fix_id}/undo`)).status).toBe(409);
    await post('entities/workflow/orders/heartbeat');
  });

  test('what is gone there is missing, and marked as deleted', async () => {
    n8n.workflows.pop();
    await inventory();
    await fixed('missing', { action: 'mark_deleted' });
    expect((await get('entities/workflow/stock')).body.current_state).toBe('deleted');
    expect((await get('gaps/fixes')).body.items).toHaveLength(5);
  });

  test('an n8n that refuses its key is told of, and falls silent', async () => {
    n8n.fail(/workflows/, { status: 401, body: '{}' });
    await syncAgain(asFleet, connection);
    expect((await get(`n8n/connections/${connection}`)).body.last_error.code).toBe(
      'n8n_key_refused',
    );
    stage.rollcall.clock.advance(3_600_000);
    expect((await gap('silent')).entity_type).toBe('n8n_instance');
    expect(
      (await stage.rollcall.call('DELETE', `${CONNECTIONS}/${connection}`, undefined, { key }))
        .status,
    ).toBe(200);
    expect((await get('n8n/connections')).body.items).toEqual([]);
  });
}
