import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
afterAll(() => rollcall.stop());

const at = (seconds: number) =>
  new Date(rollcall.clock.now().getTime() - 60_000 + seconds * 1000).toISOString();
const told = (entity: object, more: object = {}) => ({
  event_id: randomUUID(),
  factory: 'team-factory',
  operation: 'create_team',
  phase: 'started',
  entity,
  ...more,
});
const send = (body: unknown) => rollcall.post('/api/v1/factories/events', body);
const entity = async (type: string, id: string) =>
  (await rollcall.get(`/api/v1/entities/${type}/${id}`)).body;

test('a team is created, deployed and active, with what the factory knows of it', async () => {
  const team = {
    entity_id: 'support',
    entity_name: 'Support',
    framework: 'crewai',
    llm_provider: 'anthropic',
    agent_count: 4,
    tags: ['eu'],
  };
  const parent = { entity_type: 'team', entity_id: 'operations' };
  const steps = [
    told(team, { timestamp: at(1), parent }),
    told({ entity_id: 'support' }, { timestamp: at(2), phase: 'step', step: 'write agents' }),
    told({ entity_id: 'support' }, { timestamp: at(3), phase: 'succeeded', duration_ms: 2000 }),
  ];
  const states = [];
  for (const step of steps) {
    const { status, body } = await send(step);
    expect([status, body.accepted]).toEqual([200, 1]);
    states.push((await entity('team', 'support')).current_state);
  }
  expect(states).toEqual(['created', 'deploying', 'active']);
  expect(await entity('team', 'support')).toMatchObject({
    entity_name: 'Support',
    registered_by: 'team_factory',
    tags: ['eu'],
    parent,
    metadata: {
      factory: {
        name: 'team-factory',
        framework: 'crewai',
        llm_provider: 'anthropic',
        agent_count: 4,
      },
    },
  });
  const { body } = await rollcall.get('/api/v1/telemetry?workflow_id=team-factory&limit=1');
  expect(body.items[0]).toMatchObject({
    protocol: 'factory',
    source_id: 'team-factory',
    target_id: 'support',
    operation: 'create_team',
    status: 'success',
    duration_ms: 2000,
  });
});

test('an MCP server that fails to deploy is in error, with its tools and why', async () => {
  const server = { entity_id: 'crm', tools: ['find', 'save'], resources: ['contacts'] };
  const failure = { phase: 'failed', error_type: 'BuildError', error_message: 'no image' };
  await send(told(server, { factory: 'mcp-factory', operation: 'deploy_server', ...failure }));
  expect(await entity('mcp_server', 'crm')).toMatchObject({
    registered_by: 'mcp_server_factory',
    current_state: 'error',
    capabilities: ['tool:find', 'tool:save', 'resource:contacts'],
  });
  const { body } = await rollcall.get('/api/v1/telemetry?target_id=crm');
  expect(body.items[0]).toMatchObject({
    status: 'error',
    error_type: 'BuildError',
    error_message: 'no image',
  });
});

test('a workflow says of itself what it can', async () => {
  const workflow = {
    name: 'Slack monitor',
    nodes: [{ name: 'Hook', type: 'n8n-nodes-base.webhook', parameters: { path: 'slack' } }],
    connections: {},
  };
  const made = { entity_id: 'w1', workflow, patterns: ['ai-responder'] };
  await send(told(made, { factory: 'n8n-factory-v3', phase: 'succeeded' }));
  const stored = await entity('workflow', 'w1');
  expect(stored).toMatchObject({
    entity_name: 'Slack monitor',
    registered_by: 'n8n_workflow_factory_v3',
    current_state: 'active',
  });
  expect(stored.capabilities).toEqual(
    expect.arrayContaining(['pattern:ai-responder', 'trigger:webhook']),
  );
});

test('the order of arrival does not matter', async () => {
  const phases = ['started', 'step', 'succeeded'];
  const orders = fc.shuffledSubarray([0, 1, 2], { minLength: 3 });
  await fc.assert(
    fc.asyncProperty(orders, fc.uuid(), async (order, id) => {
      for (const index of order) {
        const more = { phase: phases[index], timestamp: at(index) };
        expect((await send(told({ entity_id: id }, more))).status).toBe(200);
      }
      expect((await entity('team', id)).current_state).toBe('active');
    }),
    { numRuns: 12 },
  );
});

test('the same event counts once', async () => {
  const one = told({ entity_id: 'twice' }, { phase: 'succeeded' });
  await send(one);
  await rollcall.put('/api/v1/entities/team/twice/state', { new_state: 'inactive' });
  const { body } = await send(one);
  expect([body.accepted, body.duplicates]).toEqual([0, 1]);
  expect((await entity('team', 'twice')).current_state).toBe('inactive');
});

test('making something again does not undo that it was there', async () => {
  await send(told({ entity_id: 'again' }, { phase: 'succeeded', timestamp: at(1) }));
  await send(told({ entity_id: 'again' }, { timestamp: at(2) }));
  expect((await entity('team', 'again')).current_state).toBe('deploying');
});

test('a factory of one’s own registers under its name, and says what it makes', async () => {
  const own = told({ entity_id: 'x', entity_type: 'service' }, { factory: 'my-factory' });
  expect((await send(own)).status).toBe(200);
  expect((await entity('service', 'x')).registered_by).toBe('my_factory');
  const { status, body } = await send(told({ entity_id: 'y' }, { factory: 'my-factory' }));
  expect(status).toBe(422);
  expect(body.results[0]).toMatchObject({ code: 'required', path: 'entity.entity_type' });
});

test('good events beside bad ones are kept, and nothing is half-written', async () => {
  const child = { entity_type: 'team', entity_id: 'child' };
  await send(told({ entity_id: 'child' }, { parent: { entity_type: 'team', entity_id: 'top' } }));
  const cyclic = told({ entity_id: 'top' }, { parent: child });
  const { status, body } = await send([
    told({ entity_id: 'good' }),
    told({}),
    cyclic,
    told({ entity_id: 'lost' }, { project_id: 'nowhere' }),
    told({ entity_id: 'odd', workflow: { nodes: 7 } }),
    'rubbish',
  ]);
  expect(status).toBe(200);
  expect(body.results.map((one: { code?: string; path?: string }) => [one.code, one.path])).toEqual(
    [
      [undefined, undefined],
      ['required', 'entity.entity_id'],
      ['cycle', 'parent'],
      ['unknown_project', 'project_id'],
      [expect.any(String), expect.stringContaining('nodes')],
      ['invalid_type', ''],
    ],
  );
  const { body: page } = await rollcall.get('/api/v1/telemetry?target_id=top');
  expect(page.items).toEqual([]);
  expect((await rollcall.get('/api/v1/entities/team/top')).status).toBe(404);
});
