import { createClient } from '@supabase/supabase-js';
import pg from 'pg';
import { describeWithPostgrest, startSupabase, type TestSupabase } from '../postgrest/start.ts';
import { startTestRollcall, type TestRollcall } from '../rollcall/start.ts';
import { makeEvent } from './events.ts';
import { PRINTED_STATEMENTS } from './printed-statements.ts';

const READER = `grafana_${process.pid}`;

let rollcall: TestRollcall;
const connections = new Map<string, pg.Client>();

beforeAll(async () => {
  rollcall = await startTestRollcall();
  await fill();
  await rollcall.sql(`create role ${READER} login in role rollcall_reader`);
  await rollcall.sql(`insert into rollcall.sql_access values ('${READER}', 'default')`);
  const url = new URL(rollcall.databaseUrl);
  connections.set('the owner of the database', new pg.Client(url.href));
  url.username = READER;
  connections.set('a dashboard', new pg.Client(url.href));
  for (const client of connections.values()) await client.connect();
});
afterAll(async () => {
  for (const client of connections.values()) await client.end();
  await rollcall.sql(`drop role ${READER}`);
  await rollcall.stop();
});

async function fill(): Promise<void> {
  const entities = [
    {
      entity_id: 'sales-team',
      entity_type: 'team',
      entity_name: 'Sales',
      registered_by: 'team_factory',
      capabilities: ['selling'],
      current_state: 'active',
      health_status: 'healthy',
    },
    {
      entity_id: 'follow-up',
      entity_type: 'workflow',
      registered_by: 'n8n_workflow_factory_v3',
      parent: { entity_type: 'team', entity_id: 'sales-team' },
    },
    { entity_id: 'files', entity_type: 'mcp_server', registered_by: 'mcp_server_factory' },
  ];
  for (const entity of entities) {
    expect((await rollcall.post('/api/v1/entities', entity)).status).toBe(201);
  }
  const call = { protocol: 'a2a', source_id: 'sales-team', target_id: 'crm' } as const;
  const { body } = await rollcall.post('/api/v1/telemetry', [
    makeEvent({ ...call, duration_ms: 100 }),
    makeEvent({ ...call, duration_ms: 200 }),
    makeEvent({ ...call, duration_ms: 300, status: 'error', error_message: 'It was away.' }),
    ...['team-factory', 'mcp-factory', 'n8n-factory-v3'].map((workflow_id) =>
      makeEvent({ protocol: 'factory', workflow_id, tokens_used: 12 }),
    ),
  ]);
  expect(body.accepted).toBe(6);
}

describe.each(['the owner of the database', 'a dashboard'])('for %s', (who) => {
  test.each(PRINTED_STATEMENTS)('$document: $title, as printed', async ({ text, columns, row }) => {
    const { rows } = (await connections.get(who)?.query(text)) as pg.QueryResult<object>;
    expect(rows).not.toEqual([]);
    for (const each of rows) expect(Object.keys(each)).toEqual(expect.arrayContaining(columns));
    expect(rows).toContainEqual(expect.objectContaining(row));
  });
});

describeWithPostgrest('the calls that the Telemetry and Registry Guide prints', () => {
  let supabase: TestSupabase;
  beforeAll(async () => {
    supabase = await startSupabase(rollcall.databaseUrl);
  });
  afterAll(() => supabase.stop());

  const client = async (role: 'anon' | 'authenticated' | 'service_role') =>
    createClient(supabase.url, await supabase.token(role), { auth: { persistSession: false } });

  test('register an entity and move its state, through Supabase, as the service role', async () => {
    const service = await client('service_role');
    const registered = await service.rpc('register_entity', {
      p_entity_id: 'my-service-001',
      p_entity_type: 'service',
      p_entity_name: 'My Custom Service',
      p_registered_by: 'manual',
      p_capabilities: ['data-processing', 'api-access'],
      p_endpoint_url: 'http://my-service:8080',
    });
    expect(registered).toMatchObject({ error: null, data: { outcome: 'created' } });
    const moved = await service.rpc('update_entity_state', {
      p_entity_id: 'my-service-001',
      p_entity_type: 'service',
      p_new_state: 'active',
      p_health_status: 'healthy',
    });
    expect(moved).toMatchObject({ error: null, data: { current_state: 'active' } });
    const { body } = await rollcall.get('/api/v1/entities/service/my-service-001');
    expect(body).toMatchObject({
      entity_name: 'My Custom Service',
      registered_by: 'manual',
      capabilities: ['data-processing', 'api-access'],
      endpoint_url: 'http://my-service:8080',
      current_state: 'active',
      health_status: 'healthy',
    });
  });

  test('keep what is stored where a second registration is silent', async () => {
    const service = await client('service_role');
    const call = { p_entity_id: 'twice', p_entity_type: 'service' };
    await service.rpc('register_entity', {
      ...call,
      p_entity_name: 'Twice',
      p_registered_by: 'me',
      p_capabilities: ['a'],
      p_tags: ['t'],
      p_parent_type: 'team',
      p_parent_id: 'sales-team',
      p_metadata: { kept: { nothing: null } },
    });
    const { data } = await service.rpc('register_entity', { ...call, p_version: '2' });
    expect(data).toMatchObject({
      outcome: 'updated',
      entity: {
        entity_name: 'Twice',
        registered_by: 'me',
        capabilities: ['a'],
        tags: ['t'],
        parent: { entity_type: 'team', entity_id: 'sales-team' },
        metadata: { kept: { nothing: null } },
        version: '2',
      },
    });
  });

  test('read the views as the service role', async () => {
    const service = await client('service_role');
    const { data } = await service
      .from('communication_telemetry')
      .select('source_id, status, tokens_used')
      .eq('workflow_id', 'mcp-factory');
    expect(data).toEqual([{ source_id: 'orders', status: 'success', tokens_used: 12 }]);
    const gaps = await service.rpc('check_registration_gaps');
    expect(gaps.data).toContainEqual(expect.objectContaining({ entity_id: 'crm' }));
  });

  test.each(['anon', 'authenticated'] as const)('are refused to %s', async (role) => {
    const stranger = await client(role);
    for (const [name, rest] of [
      ['register_entity', { p_entity_name: 'Mine' }],
      ['update_entity_state', { p_new_state: 'deleted' }],
    ] as const) {
      const { error } = await stranger.rpc(name, {
        p_entity_id: 'sales-team',
        p_entity_type: 'team',
        ...rest,
      });
      expect(error?.code).toBe('42501');
    }
  });
});
