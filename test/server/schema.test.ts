import pg from 'pg';
import { startTestRollcall, type TestRollcall } from '../rollcall/start.ts';
import { makeEvent } from './events.ts';

let rollcall: TestRollcall;
/** Speaks as the server does: with the rights of rollcall_server and no others. */
let server: pg.Client;

beforeAll(async () => {
  rollcall = await startTestRollcall();
  // Makes a partition.
  await rollcall.post('/api/v1/telemetry', makeEvent());
  server = new pg.Client(rollcall.databaseUrl);
  await server.connect();
  await server.query('set role rollcall_server');
});
afterAll(async () => {
  await server.end();
  await rollcall.stop();
});

interface Routine {
  name: string;
  /** By argument name: the type. */
  args: Record<string, string>;
}

/** Functions of rollcall_api that the server may call. */
async function callable(): Promise<Routine[]> {
  return rollcall.sql<Routine>(`
    select p.proname as name,
           coalesce((select jsonb_object_agg(a.name, a.type::regtype)
                       from unnest(p.proargnames, p.proargtypes::oid[]) a(name, type)), '{}') as args
      from pg_proc p
     where p.pronamespace = 'rollcall_api'::regnamespace
       and has_function_privilege('rollcall_server', p.oid, 'execute')
       and not has_function_privilege('public', p.oid, 'execute')
     order by 1`);
}

const failure = (text: string): Promise<pg.DatabaseError> =>
  server.query(text).then(
    () => Promise.reject(new Error(`This was allowed: ${text}`)),
    (error: pg.DatabaseError) => error,
  );

describe('every table', () => {
  test('and partition has row-level security, forced, and at least one policy', async () => {
    const tables = await rollcall.sql<{ name: string; safe: boolean }>(`
      select c.relname as name,
             c.relrowsecurity and c.relforcerowsecurity
               and exists (select from pg_policy p where p.polrelid = c.oid) as safe
        from pg_class c
       where c.relnamespace = 'rollcall'::regnamespace and c.relkind in ('r', 'p')`);
    expect(tables.filter(({ safe }) => !safe)).toEqual([]);
    expect(tables.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'entities',
        'schema_migrations',
        'telemetry',
        expect.stringMatching(/^telemetry_\d{8}$/),
      ]),
    );
  });

  test('is out of reach for the server, which has functions for it', async () => {
    const tables = await rollcall.sql<{ name: string }>(
      `select format('rollcall.%I', relname) as name from pg_class
        where relnamespace = 'rollcall'::regnamespace and relkind in ('r', 'p')`,
    );
    for (const { name } of tables) {
      expect((await failure(`select from ${name}`)).code).toBe('42501');
    }
  });

  test('holds rows of a tenant by its name, or belongs to the owner alone', async () => {
    const others = await rollcall.sql<{ table: string }>(`
      select distinct polrelid::regclass::text as table from pg_policy
       where pg_get_expr(polqual, polrelid) !~ 'tenant_id = \\( SELECT (rollcall\\.)?tenant\\(\\)'
         and pg_get_expr(polqual, polrelid) !~ 'CURRENT_USER = ''rollcall_owner'''`);
    expect(others).toEqual([]);
  });
});

describe('the roles', () => {
  test('cannot log in, and pass no row-level security', async () => {
    const roles = await rollcall.sql(`
      select rolname, rolsuper or rolbypassrls or rolcanlogin or rolcreaterole or rolcreatedb as mighty
        from pg_roles where rolname in ('rollcall_owner', 'rollcall_server', 'rollcall_reader') order by 1`);
    expect(roles).toEqual(
      ['rollcall_owner', 'rollcall_reader', 'rollcall_server'].map((rolname) => ({
        rolname,
        mighty: false,
      })),
    );
  });

  test('own all that is ours: rollcall_owner does', async () => {
    const foreign = await rollcall.sql(`
      select oid::regclass::text as name from pg_class
       where relnamespace in ('rollcall'::regnamespace, 'rollcall_api'::regnamespace)
         and relowner <> 'rollcall_owner'::regrole
      union all
      select oid::regprocedure::text from pg_proc
       where pronamespace in ('rollcall'::regnamespace, 'rollcall_api'::regnamespace)
         and proowner <> 'rollcall_owner'::regrole`);
    expect(foreign).toEqual([]);
  });
});

describe('every function', () => {
  test('that runs with the rights of the owner says where it looks names up', async () => {
    const functions = await rollcall.sql<{ name: string; safe: boolean }>(`
      select p.oid::regprocedure::text as name,
             exists (select from unnest(p.proconfig) c where c ~ '^search_path=rollcall, ?(rollcall_api, ?)?pg_temp$') as safe
        from pg_proc p where p.prosecdef and p.proowner = 'rollcall_owner'::regrole`);
    expect(functions.length).toBeGreaterThan(30);
    expect(functions.filter(({ safe }) => !safe)).toEqual([]);
  });

  test('of rollcall_api is closed to the public, but for the two that views need', async () => {
    const open = await rollcall.sql(`
      select p.proname from pg_proc p
       where p.pronamespace = 'rollcall_api'::regnamespace and has_function_privilege('public', p.oid, 'execute')
       order by 1`);
    expect(open).toEqual([{ proname: 'latency_quantiles' }, { proname: 'latency_value' }]);
    expect(
      await rollcall.sql(`
        select has_schema_privilege('public', 'rollcall_api', 'usage') as api,
               has_schema_privilege('public', 'rollcall', 'usage') as tables,
               has_schema_privilege('rollcall_server', 'rollcall', 'usage') as server`),
    ).toEqual([{ api: false, tables: false, server: false }]);
  });

  test('that the server may call takes a tenant, but for a few that are known', async () => {
    const names = (await callable()).filter(({ args }) => !('p_tenant' in args));
    expect(names.map(({ name }) => name)).toEqual([
      'drop_old_spans',
      'enforce_retention',
      'list_tenants',
      'schema_version',
      'tenants_with_deliveries',
      'verify_key',
      'wake_live',
    ]);
  });

  test('that takes a tenant enters it before anything else', async () => {
    const functions = (await callable()).filter(
      ({ name, args }) => 'p_tenant' in args && name !== 'create_tenant',
    );
    expect(functions.length).toBeGreaterThan(20);
    for (const { name, args } of functions) {
      for (const tenant of [`'nobody'`, 'null']) {
        const said: Record<string, string> = { p_tenant: tenant, p_sort: `'created_at'` };
        const given = Object.entries(args).map(
          ([arg, type]) => `${arg} => ${said[arg] ?? 'null'}::${type}`,
        );
        const error = await failure(`select rollcall_api.${name}(${given.join(', ')})`);
        expect([name, error.code, error.message]).toEqual([
          name,
          'RC404',
          expect.stringContaining('There is no tenant'),
        ]);
      }
    }
  });

  test('that the server may not call is one that enters no tenant', async () => {
    const closed = await rollcall.sql<{ name: string; definer: boolean }>(`
      select p.proname as name, p.prosecdef as definer from pg_proc p
       where p.pronamespace = 'rollcall_api'::regnamespace
         and not has_function_privilege('rollcall_server', p.oid, 'execute')`);
    expect(closed.length).toBeGreaterThan(10);
    expect(closed.filter(({ definer }) => definer)).toEqual([]);
  });
});
