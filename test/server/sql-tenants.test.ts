import { createClient } from '@supabase/supabase-js';
import pg from 'pg';
import { describeWithPostgrest, startSupabase, type TestSupabase } from '../postgrest/start.ts';
import { startTestRollcall, type TestRollcall } from '../rollcall/start.ts';
import { makeEvent } from './events.ts';

/** Two tenants whose every row tells whose it is. No mark is made of hexadecimal digits alone, as a random id may hold those. */
const TENANTS = {
  alpha: { protocol: 'mcp', calls: 1, mark: /alpha|mcp/ },
  beta: { protocol: 'http', calls: 2, mark: /beta|http/ },
} as const;
type Tenant = keyof typeof TENANTS;
const other = (tenant: Tenant): Tenant => (tenant === 'alpha' ? 'beta' : 'alpha');

const role = (name: string) => `sql_${name}_${process.pid}`;
const ROLES = ['alpha', 'beta', 'unmapped'].map(role);

let rollcall: TestRollcall;
let views: string[];
const connections: pg.Client[] = [];

async function connectAs(user: string): Promise<pg.Client> {
  const url = new URL(rollcall.databaseUrl);
  url.username = user;
  const client = new pg.Client(url.href);
  connections.push(client);
  await client.connect();
  return client;
}

async function fill(tenant: Tenant): Promise<void> {
  const key = await rollcall.keyFor(tenant);
  const { protocol, calls } = TENANTS[tenant];
  const entity = { entity_type: `${tenant}-service`, entity_id: `${tenant} one` };
  await rollcall.post('/api/v1/entities', entity, { key });
  const event = { protocol, source_id: `${tenant} one`, target_id: `${tenant} unknown` };
  const events = Array.from({ length: calls }, () => makeEvent(event));
  await rollcall.post('/api/v1/telemetry', events, { key });
}

beforeAll(async () => {
  rollcall = await startTestRollcall();
  await fill('alpha');
  await fill('beta');
  for (const name of ROLES) await rollcall.sql(`create role ${name} login in role rollcall_reader`);
  for (const tenant of Object.keys(TENANTS)) {
    await rollcall.sql('insert into rollcall.sql_access values ($1, $2)', [role(tenant), tenant]);
  }
  const rows = await rollcall.sql<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace
        and relkind = 'v' and relowner = 'rollcall_owner'::regrole order by 1`,
  );
  views = rows.map(({ name }) => name);
});
afterEach(async () => void (await Promise.all(connections.splice(0).map((each) => each.end()))));
afterAll(async () => {
  for (const name of ROLES) await rollcall.sql(`drop role ${name}`);
  await rollcall.stop();
});

const read = async (client: pg.Client, view: string) =>
  (await client.query<object>(`select * from public.${view}`)).rows;

function expectRowsOf(tenant: Tenant, rows: unknown): void {
  expect(rows).not.toEqual([]);
  for (const row of rows as object[]) {
    expect(JSON.stringify(row)).toMatch(TENANTS[tenant].mark);
    expect(JSON.stringify(row)).not.toMatch(TENANTS[other(tenant)].mark);
  }
}

describe.each(['alpha', 'beta'] as const)('a role that is mapped to %s', (tenant) => {
  const sources = () => [...views, 'check_registration_gaps()'];

  test('sees the rows of its tenant and no others', async () => {
    const client = await connectAs(role(tenant));
    for (const source of sources()) expectRowsOf(tenant, await read(client, source));
  });

  test('cannot talk itself into another tenant', async () => {
    const client = await connectAs(role(tenant));
    await client.query(`set rollcall.tenant_id = '${other(tenant)}'`);
    const claims = JSON.stringify({ app_metadata: { tenant_id: other(tenant) } });
    await client.query(`select set_config('request.jwt.claims', $1, false)`, [claims]);
    for (const source of sources()) expectRowsOf(tenant, await read(client, source));
  });

  test.each([
    'select * from rollcall.entities',
    `insert into public.communication_telemetry (source_id) values ('x')`,
    `update rollcall.sql_access set tenant_id = 'beta'`,
    `select rollcall_api.overview('beta', 60, now())`,
    `select public.register_entity('x', 'service')`,
    `select public.update_entity_state('alpha one', 'alpha-service', 'deleted')`,
    'set role rollcall_owner',
    'set role rollcall_server',
  ])('may not %s', async (text) => {
    const client = await connectAs(role(tenant));
    await expect(client.query(text)).rejects.toMatchObject({ code: '42501' });
  });
});

test('a reader without a tenant sees nothing, and neither does who makes itself one', async () => {
  const unmapped = await connectAs(role('unmapped'));
  const anonymous = await connectAs(role('alpha'));
  await anonymous.query('set role rollcall_reader');
  for (const client of [unmapped, anonymous]) {
    await client.query(`set rollcall.tenant_id = 'beta'`);
    for (const view of views) expect(await read(client, view)).toEqual([]);
    await expect(read(client, 'check_registration_gaps()')).rejects.toMatchObject({
      code: 'RC404',
    });
  }
});

test('the server’s role chooses its tenant by a setting, which is default without one', async () => {
  const client = new pg.Client(rollcall.databaseUrl);
  connections.push(client);
  await client.connect();
  await client.query('set role rollcall_server');
  expect(await read(client, 'unified_registry')).toEqual([]);
  for (const tenant of ['alpha', 'beta'] as const) {
    await client.query(`set rollcall.tenant_id = '${tenant}'`);
    for (const view of views) expectRowsOf(tenant, await read(client, view));
  }
});

describeWithPostgrest('through Supabase', () => {
  let supabase: TestSupabase;
  beforeAll(async () => {
    supabase = await startSupabase(rollcall.databaseUrl);
  });
  afterAll(() => supabase.stop());

  const clientFor = async (name: 'anon' | 'authenticated' | 'service_role', claims?: object) =>
    createClient(supabase.url, await supabase.token(name, claims), {
      auth: { persistSession: false },
    });
  const signedIn = (tenant_id: string) =>
    clientFor('authenticated', { app_metadata: { tenant_id } });

  test.each(['alpha', 'beta'] as const)(
    'a user whose token names %s sees its rows and no others',
    async (tenant) => {
      const client = await signedIn(tenant);
      for (const view of views) expectRowsOf(tenant, (await client.from(view).select()).data);
      expectRowsOf(tenant, (await client.rpc('check_registration_gaps')).data);
    },
  );

  test('a user sees nothing by a claim that users can write themselves, or of no tenant', async () => {
    for (const claims of [{}, { user_metadata: { tenant_id: 'alpha' } }, { tenant_id: 'alpha' }]) {
      const client = await clientFor('authenticated', claims);
      for (const view of views) expect((await client.from(view).select()).data).toEqual([]);
    }
    const client = await signedIn('nobody');
    for (const view of views) expect((await client.from(view).select()).data).toEqual([]);
  });

  test.each(['anon', 'authenticated'] as const)(
    '%s may call no function of the server',
    async (name) => {
      const client = await clientFor(name, { app_metadata: { tenant_id: 'alpha' } });
      const { error } = await client.schema('rollcall_api').rpc('list_tenants');
      expect(error?.code).toBe('42501');
      const table = await client.schema('rollcall').from('entities').select();
      expect(table.error?.code).toBe('PGRST106');
    },
  );

  test('anon sees nothing', async () => {
    const client = await clientFor('anon', { app_metadata: { tenant_id: 'alpha' } });
    for (const view of views) {
      expect((await client.from(view).select()).error?.code).toBe('42501');
    }
    expect((await client.rpc('check_registration_gaps')).error?.code).toBe('42501');
  });

  test('nobody writes through a view, not even the service role', async () => {
    for (const client of [await clientFor('service_role'), await signedIn('alpha')]) {
      const { error } = await client.from('communication_telemetry').insert({ source_id: 'x' });
      expect(error?.code).toBe('42501');
    }
  });
});
