import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
afterAll(() => rollcall.stop());

const register = (entity: object) => rollcall.post('/api/v1/entities', entity);
const service = (entity_id: string) => ({ entity_type: 'service', entity_id });
const at = (entity_id: string, rest = '') => `/api/v1/entities/service/${entity_id}${rest}`;

describe('registering', () => {
  test('twice is a success: created once, then updated', async () => {
    const first = await register({ ...service('orders'), tags: ['shop'] });
    const second = await register({ ...service('orders'), entity_name: 'Orders' });
    expect([first.status, first.body.outcome]).toEqual([201, 'created']);
    expect([second.status, second.body.outcome]).toEqual([200, 'updated']);
    expect(second.body.entity).toMatchObject({ entity_name: 'Orders', tags: ['shop'] });
  });

  test('with nothing but its identity gives an entity with every field', async () => {
    const { body } = await register(service('bare'));
    expect(body).toEqual({
      outcome: 'created',
      refused_dependencies: [],
      entity: {
        ...service('bare'),
        entity_name: 'bare',
        description: null,
        registered_by: 'default admin',
        capabilities: [],
        tags: [],
        endpoint_url: null,
        parent: null,
        project_id: 'default',
        version: null,
        definition_hash: null,
        metadata: {},
        silent_after_seconds: null,
        current_state: 'created',
        health_status: 'unknown',
        last_activity: null,
        created_at: expect.any(String),
        updated_at: expect.any(String),
      },
    });
  });

  test('again keeps each field that is left out and changes each that is named', async () => {
    const full = {
      ...service('full'),
      entity_name: 'Full',
      description: 'Everything is said',
      registered_by: 'factory',
      capabilities: ['a', 'b'],
      tags: ['x'],
      endpoint_url: 'https://example.com/full',
      parent: { entity_type: 'team', entity_id: 'core' },
      version: '1',
      definition_hash: 'sha256:1',
      metadata: { region: 'eu' },
      silent_after_seconds: 60,
      current_state: 'active',
      health_status: 'healthy',
    };
    await register(full);
    const { body: same } = await register(service('full'));
    expect(same.entity).toMatchObject(full);

    const changes = {
      entity_name: 'Fuller',
      description: 'Said again',
      registered_by: 'operator',
      capabilities: [],
      tags: ['y', 'z'],
      endpoint_url: 'https://example.com/fuller',
      parent: null,
      version: '2',
      definition_hash: 'sha256:2',
      metadata: {},
      silent_after_seconds: 61,
      current_state: 'inactive',
      health_status: 'degraded',
    };
    for (const [field, value] of Object.entries(changes)) {
      const { body } = await register({ ...service('full'), [field]: value });
      expect(body.entity[field]).toEqual(value);
    }
    const { body: now } = await rollcall.get(at('full'));
    expect(now).toMatchObject(changes);
  });

  test('in a project that nobody made is refused with the path', async () => {
    const { status, body } = await register({ ...service('lost'), project_id: 'nowhere' });
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'unknown_project', errors: [{ path: 'project_id' }] });
    expect((await rollcall.get(at('lost'))).status).toBe(404);
  });

  test('one entity from many sides at once creates it exactly once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        register({ ...service('crowded'), tags: [`from ${index}`] }),
      ),
    );
    const outcomes = answers.map(({ body }) => body.outcome);
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'updated')).toHaveLength(11);
    const { body } = await rollcall.get(at('crowded', '/state'));
    expect(body.items).toHaveLength(1);
  });

  test.each([
    ['javascript:alert(1)', 'unsafe_url'],
    ['data:text/html,x', 'unsafe_url'],
    ['https://user:sesame@example.com', 'secret_in_url'],
    ['https://example.com/\u0000', 'unstorable_text'],
    ['example', 'invalid_format'],
  ])('with the endpoint %j is refused at its path', async (endpoint_url, code) => {
    const { status, body } = await register({ ...service('linked'), endpoint_url });
    expect(status).toBe(422);
    expect(body.errors).toMatchObject([{ path: 'endpoint_url', code }]);
    expect((await rollcall.get(at('linked'))).status).toBe(404);
  });

  test('hides secrets in metadata', async () => {
    const { body } = await register({
      ...service('secretive'),
      metadata: { api_key: 'abc', note: 'write to jane@example.com', count: 3 },
    });
    expect(body.entity.metadata).toEqual({
      api_key: '[redacted]',
      note: 'write to [redacted]',
      count: 3,
    });
  });
});

describe('state', () => {
  test('keeps a history of who changed what, from what, and why', async () => {
    await register({ ...service('moved'), current_state: 'deploying' });
    await rollcall.put(at('moved', '/state'), { new_state: 'active', reason: 'rolled out' });
    await rollcall.put(at('moved', '/state'), { health_status: 'unhealthy' });
    const key = await rollcall.keyFor('default', ['registry:write']);
    await rollcall.put(at('moved', '/state'), { new_state: 'error', reason: 'crash' }, { key });

    const { body } = await rollcall.get(at('moved', '/state'));
    expect(
      body.items.map(({ id: _, changed_at: __, ...change }: Record<string, unknown>) => change),
    ).toEqual([
      change('active', 'error', 'unhealthy', 'unhealthy', 'crash', 'default registry:write'),
      change('active', 'active', 'unknown', 'unhealthy', null, 'default admin'),
      change('deploying', 'active', 'unknown', 'unknown', 'rolled out', 'default admin'),
      change(null, 'deploying', null, 'unknown', 'registered', 'default admin'),
    ]);
    const times = body.items.map((item: { changed_at: string }) => item.changed_at);
    expect(times).toEqual([...times].sort().reverse());
  });

  test('that does not change adds nothing to the history', async () => {
    await register({ ...service('steady'), current_state: 'active' });
    await rollcall.put(at('steady', '/state'), { new_state: 'active' });
    await register({ ...service('steady'), current_state: 'active' });
    expect((await rollcall.get(at('steady', '/state'))).body.items).toHaveLength(1);
  });

  test('is walked page by page', async () => {
    await register(service('walked'));
    const states = ['active', 'inactive', 'active', 'error'];
    for (const new_state of states) await rollcall.put(at('walked', '/state'), { new_state });
    const first = (await rollcall.get(at('walked', '/state?limit=3'))).body;
    const rest = await rollcall.get(at('walked', `/state?limit=3&cursor=${first.next_cursor}`));
    expect([...first.items, ...rest.body.items].map(({ to_state }) => to_state)).toEqual([
      ...states.reverse(),
      'created',
    ]);
    expect(rest.body.next_cursor).toBeNull();
  });

  test('deleted is left only by a new registration', async () => {
    await register({ ...service('gone'), entity_name: 'Gone', current_state: 'active' });
    const deleted = await rollcall.call('DELETE', at('gone'));
    expect(deleted.body).toMatchObject({ current_state: 'deleted', entity_name: 'Gone' });

    const moved = await rollcall.put(at('gone', '/state'), { new_state: 'active' });
    const beat = await rollcall.post(at('gone', '/heartbeat'), {});
    for (const { status, body } of [moved, beat]) {
      expect(status).toBe(409);
      expect(body).toMatchObject({
        code: 'entity_deleted',
        detail: expect.stringMatching(/again/),
      });
    }
    const again = await register(service('gone'));
    expect(again.status).toBe(201);
    expect(again.body).toMatchObject({
      outcome: 'created',
      entity: { current_state: 'created', entity_name: 'Gone' },
    });
    const { body } = await rollcall.get(at('gone', '/state'));
    expect(body.items[0]).toMatchObject({ from_state: 'deleted', reason: 'registered again' });
  });

  test('of an entity that is not there is a 404 that says how to register', async () => {
    for (const answer of [
      await rollcall.get(at('nobody')),
      await rollcall.get(at('nobody', '/state')),
      await rollcall.put(at('nobody', '/state'), { new_state: 'active' }),
      await rollcall.post(at('nobody', '/heartbeat'), {}),
      await rollcall.call('DELETE', at('nobody')),
    ]) {
      expect(answer.status).toBe(404);
      expect(answer.body).toMatchObject({ code: 'not_found' });
      expect(answer.body.detail).toContain('POST /api/v1/entities');
    }
  });

  test('and health that are both left out are refused', async () => {
    await register(service('unmoved'));
    const { status, body } = await rollcall.put(at('unmoved', '/state'), { reason: 'none' });
    expect(status).toBe(422);
    expect(body.errors).toEqual([
      { path: 'new_state', code: 'required', message: 'give new_state, health_status or both' },
    ]);
  });
});

describe('last activity', () => {
  test('moves with a heartbeat, which may tell the health', async () => {
    await register(service('beating'));
    rollcall.clock.advance(60_000);
    const quiet = await rollcall.post(at('beating', '/heartbeat'));
    const { body } = await rollcall.post(at('beating', '/heartbeat'), { health_status: 'healthy' });
    expect(Date.parse(quiet.body.last_activity)).toBe(rollcall.clock.now().getTime());
    expect(quiet.body.health_status).toBe('unknown');
    expect(body.health_status).toBe('healthy');
    expect((await rollcall.get(at('beating', '/state'))).body.items[0]).toMatchObject({
      from_health: 'unknown',
      to_health: 'healthy',
      reason: 'heartbeat',
    });
  });

  test.each(['source_id', 'target_id', 'workflow_id'])(
    'moves with telemetry whose %s it is',
    async (field) => {
      const id = `active-${field}`;
      await register(service(id));
      const event = { protocol: 'mcp', status: 'success', source_id: 'one', target_id: 'other' };
      await rollcall.post('/api/v1/telemetry', { ...event, [field]: id });
      const { body } = await rollcall.get(at(id));
      expect(Date.parse(body.last_activity)).toBe(rollcall.clock.now().getTime());
    },
  );

  test('never moves back, in whatever order reports come', async () => {
    await register(service('unordered'));
    const now = rollcall.clock.now().getTime();
    const report = (minutesAgo: number) =>
      rollcall.post('/api/v1/telemetry', {
        timestamp: new Date(now - minutesAgo * 60_000).toISOString(),
        protocol: 'http',
        status: 'success',
        source_id: 'unordered',
        target_id: 'other',
      });
    await report(5);
    await report(50);
    const { body } = await rollcall.get(at('unordered'));
    expect(Date.parse(body.last_activity)).toBe(now - 5 * 60_000);
  });
});

const change = (
  from_state: string | null,
  to_state: string,
  from_health: string | null,
  to_health: string,
  reason: string | null,
  changed_by: string,
) => ({ from_state, to_state, from_health, to_health, reason, changed_by });
