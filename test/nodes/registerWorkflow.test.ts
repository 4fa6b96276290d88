import { HTML, problem, rollcall, type Received } from './rollcall.ts';
import { registerWorkflow, runWorkflow, type Step } from './workflow.ts';

const ROUTE = 'POST /api/v1/entities';

const register = (parameters: Step['parameters'], settings?: Step['settings']): Step => ({
  name: 'Register',
  does: registerWorkflow,
  parameters,
  settings,
});

const registered = ({ body: { entity_id, entity_type } }: Received) => ({
  body: {
    outcome: 'created',
    entity: { entity_id, entity_type, current_state: 'active' },
    refused_dependencies: [],
  },
});

let received: Received[];
beforeEach(async () => {
  received = await rollcall({ [ROUTE]: registered });
});

describe('this workflow', () => {
  it('is registered once per run, with its state and what Rollcall reads from its definition', async () => {
    const secretNode: Step = {
      name: 'Send mail',
      does: () => undefined,
      parameters: { subject: 'Hello' },
      settings: {
        credentials: { smtp: { id: 'secret-id', name: 'Boss mailbox' } },
        notes: 'private',
        webhookId: 'hook-1',
      },
    };
    const { output } = await runWorkflow([secretNode, register({})], [{ json: {} }, { json: {} }]);
    expect(received).toHaveLength(1);
    expect(received[0]?.body).toMatchObject({
      entity_id: 'wf-1',
      entity_type: 'workflow',
      entity_name: 'Nightly sync',
      registered_by: 'n8n',
      current_state: 'active',
      workflow: {
        id: 'wf-1',
        name: 'Nightly sync',
        connections: { 'Send mail': { main: [[{ node: 'Register', type: 'main', index: 0 }]] } },
        settings: { executionOrder: 'v1' },
      },
    });
    expect(received[0]?.body.workflow.nodes).toContainEqual({
      id: 'node-0',
      name: 'Send mail',
      type: 'test.Send mail',
      typeVersion: 1,
      parameters: { subject: 'Hello' },
      webhookId: 'hook-1',
      credentials: { smtp: {} },
    });
    expect(JSON.stringify(received[0]?.body)).not.toMatch(/Boss mailbox|secret-id|private|pinData/);
    expect(output('Register')).toEqual([
      {
        json: {
          entity_id: 'wf-1',
          entity_type: 'workflow',
          current_state: 'active',
          outcome: 'created',
          refused_dependencies: [],
        },
        pairedItem: { item: 0 },
      },
    ]);
  });

  it('may keep its state and its definition to itself', async () => {
    await runWorkflow([register({ setState: false, sendDefinition: false })]);
    expect(received[0]?.body).not.toHaveProperty('current_state');
    expect(received[0]?.body).not.toHaveProperty('workflow');
  });

  it.each([
    ['trigger', true, 'active'],
    ['webhook', false, 'inactive'],
    // n8n calls every workflow inactive in a manual run.
    ['manual', false, undefined],
  ] as const)('in mode %s with active %s has state %s', async (mode, active, state) => {
    await runWorkflow([register({})], undefined, { mode, active });
    expect(received[0]?.body.current_state).toBe(state);
  });

  it('is described further by the additional fields', async () => {
    const additionalFields = {
      tags: 'sales, nightly ,',
      capabilities: '={{ ["email", "crm"] }}',
      description: 'Copies leads',
      metadata: '{"owner":"ops"}',
      silent_after_seconds: 900,
      version: '',
      parent: { reference: { entity_type: 'team', entity_id: 'sales' } },
      dependencies: { reference: [{ entity_type: 'mcp_server', entity_id: 'crm-mcp' }] },
    };
    await runWorkflow([register({ additionalFields })]);
    expect(received[0]?.body).toMatchObject({
      tags: ['sales', 'nightly'],
      capabilities: ['email', 'crm'],
      description: 'Copies leads',
      metadata: { owner: 'ops' },
      silent_after_seconds: 900,
      parent: { entity_type: 'team', entity_id: 'sales' },
      dependencies: [{ entity_type: 'mcp_server', entity_id: 'crm-mcp' }],
    });
    expect(received[0]?.body).not.toHaveProperty('version');
  });
});

describe('any entity', () => {
  const entity = { operation: 'entity', entity_type: 'agent', entity_id: '={{ $json.id }}' };
  const items = [{ json: { id: 'a-1' } }, { json: { id: 'a-2' } }];

  it('is registered for each input item, and each answer is linked to its item', async () => {
    const { output } = await runWorkflow([register({ ...entity, entity_name: 'Helper' })], items);
    expect(received.map((request) => request.body)).toEqual([
      { entity_type: 'agent', entity_id: 'a-1', entity_name: 'Helper', registered_by: 'n8n' },
      { entity_type: 'agent', entity_id: 'a-2', entity_name: 'Helper', registered_by: 'n8n' },
    ]);
    expect(output('Register').map((item) => [item.json.entity_id, item.pairedItem])).toEqual([
      ['a-1', { item: 0 }],
      ['a-2', { item: 1 }],
    ]);
  });

  it('may be of a type of its own', async () => {
    await runWorkflow([
      register({ ...entity, entity_type: 'other', other_entity_type: 'data_pipeline' }),
    ]);
    expect(received[0]?.body.entity_type).toBe('data_pipeline');
  });

  it('given as workflow JSON, leaves pinned data, static data and credential names behind', async () => {
    const workflow = {
      id: 'wf-9',
      name: 'Other',
      nodes: [
        { name: 'A', type: 'x.y', credentials: { api: { id: '1', name: 'Mine' } }, notes: 'n' },
      ],
      connections: {},
      pinData: { A: [{ json: { ssn: 1 } }] },
      staticData: { token: 't' },
    };
    await runWorkflow([
      register({ ...entity, additionalFields: { workflow: JSON.stringify(workflow) } }),
    ]);
    expect(received[0]?.body.workflow).toEqual({
      id: 'wf-9',
      name: 'Other',
      nodes: [{ name: 'A', type: 'x.y', credentials: { api: {} } }],
      connections: {},
    });
  });

  it('that the server refuses fails the node with the field and the reason', async () => {
    const refusal = problem(422, 'Invalid entity', 'One field is wrong.');
    const errors = [{ path: 'entity_id', code: 'too_small', message: 'Must not be empty.' }];
    await rollcall({ [ROUTE]: { ...refusal, body: { ...(refusal.body as object), errors } } });
    const { run } = await runWorkflow([register({ ...entity, entity_id: '={{ "" }}' })]);
    expect(run.status).toBe('error');
    expect(run.data.resultData.error).toMatchObject({
      name: 'NodeApiError',
      message: 'Rollcall answered 422: Invalid entity',
      description: 'One field is wrong. entity_id: Must not be empty.',
    });
  });

  it('that is refused among others is one failed item of a node that continues', async () => {
    await rollcall({ [ROUTE]: [problem(409, 'Cycle', 'It would close a cycle.'), registered] });
    const { run, output } = await runWorkflow(
      [register(entity, { onError: 'continueRegularOutput' })],
      items,
    );
    expect(run.status).toBe('success');
    expect(output('Register').map((item) => item.json.error ?? item.json.entity_id)).toEqual([
      'Rollcall answered 409: Cycle',
      'a-2',
    ]);
  });

  it('with JSON that is none fails the node and names the parameter', async () => {
    const { run } = await runWorkflow([
      register({ ...entity, additionalFields: { metadata: '[1]' } }),
    ]);
    expect(run.data.resultData.error?.message).toBe('"Metadata (JSON)" is not a JSON object');
  });
});

it.each([
  ['HTML', HTML, 'Rollcall sent an answer that is not JSON'],
  ['a 401', problem(401, 'Unauthorized', 'No such key.'), 'Rollcall answered 401: Unauthorized'],
  ['a 500', problem(500, 'Broken', 'Look into the log.'), 'Rollcall answered 500: Broken'],
])('%s fails the node and says what to do', async (_, reply, message) => {
  await rollcall({ [ROUTE]: reply });
  const { run } = await runWorkflow([register({})]);
  expect(run.status).toBe('error');
  expect(run.data.resultData.error?.message).toBe(message);
  expect(run.data.resultData.error?.description).toBeTruthy();
});

it('no error shows the API key', async () => {
  await rollcall({ [ROUTE]: problem(401, 'Unauthorized', 'No such key.') });
  const refused = await runWorkflow([register({})]);
  await rollcall({});
  const unreachable = await runWorkflow([register({ options: { timeout: 100 } })]);
  for (const { run } of [refused, unreachable]) {
    expect(run.status).toBe('error');
    expect(JSON.stringify(run.data.resultData)).not.toContain('rc_test');
  }
});
