import { createClient } from '@supabase/supabase-js';
import type { Config } from '../../server/src/config.ts';
import { readConfig } from '../../server/src/config.ts';
import { migrate } from '../../server/src/platform/database/migrate.ts';
import { openDatabase, type OpenDatabase } from '../../server/src/platform/database/open.ts';
import { createLog } from '../../server/src/platform/log.ts';
import type { TestDatabase } from '../cluster/database.ts';
import { ask } from '../cluster/scratch.ts';
import { describeWithPostgrest, startSupabase, type TestSupabase } from '../postgrest/start.ts';
import { createRollcallDatabase } from '../rollcall/start.ts';

const REBUILD = `delete from rollcall.schema_migrations where name = 'disposable'`;

describeWithPostgrest('a server that has Supabase for its database', () => {
  let database: TestDatabase;
  let supabase: TestSupabase;
  let serviceRoleKey: string;
  beforeEach(async () => {
    database = await createRollcallDatabase();
    supabase = await startSupabase(database.url);
    serviceRoleKey = await supabase.token('service_role');
  });
  afterEach(async () => {
    await supabase.stop();
    await database.drop();
  });

  function open(migrateUrl?: string): Promise<OpenDatabase> {
    const { url } = supabase;
    const settings: Config['database'] = { kind: 'supabase', url, serviceRoleKey, migrateUrl };
    return openDatabase({ ...readConfig({}), database: settings }, createLog('silent'));
  }

  test('starts on the schema that it knows', async () => {
    const opened = await open();
    expect(opened.migrated).toEqual({ applied: [] });
    expect(await opened.query.call('list_tenants', {})).toEqual(['default']);
    await opened.close();
  });

  test('refuses one of another version, and migrates it when it is given the database', async () => {
    await ask(database.url, REBUILD);
    await expect(open()).rejects.toMatchObject({
      code: 'schema_outdated',
      message: expect.stringContaining('disposable must be applied. Set DATABASE_URL'),
    });
    const opened = await open(database.url);
    expect(opened.migrated).toEqual({ applied: ['disposable'] });
    await opened.close();
  });

  test('refuses a newer one', async () => {
    await ask(
      database.url,
      `insert into rollcall.schema_migrations values ('0099_later.sql', 'x')`,
    );
    await expect(open()).rejects.toThrow('Start a newer Rollcall');
  });

  test('says what to do where there is no schema', async () => {
    await ask(database.url, 'drop schema rollcall_api cascade');
    await expect(open()).rejects.toMatchObject({
      code: 'schema_outdated',
      message: expect.stringContaining('rollcall migrate --print'),
    });
  });

  test('refuses a key that is not Supabase’s', async () => {
    serviceRoleKey = `${serviceRoleKey.slice(0, -4)}AAAA`;
    await expect(open()).rejects.toMatchObject({ code: 'database_unauthorised' });
  });

  test('needs no restart of PostgREST after a migration: that tells it to look again', async () => {
    const client = createClient(supabase.url, serviceRoleKey, { auth: { persistSession: false } });
    const code = async () => (await client.rpc('added')).error?.code;
    await ask(database.url, `create function public.added() returns int language sql return 1`);
    expect(await code()).toBe('PGRST202');
    await ask(database.url, REBUILD);
    await migrate(database.url);
    while ((await code()) === 'PGRST202');
    expect(await code()).toBeUndefined();
  });
});
