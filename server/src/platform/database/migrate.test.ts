import pg from 'pg';
import { createDatabase, type TestDatabase } from '../../../../test/cluster/database.ts';
import { ask, makeScratch } from '../../../../test/cluster/scratch.ts';
import { migrate, migrationScript } from './migrate.ts';
import { connectPostgres } from './postgres.ts';
import { readSchema } from './schema.ts';

/** Every test has a database of its own. */
let database: TestDatabase;
beforeEach(async () => void (database = await createDatabase()));
afterEach(() => database.drop());

const sql = (text: string) => ask(database.url, text);

async function everything(): Promise<string[]> {
  const { migrations, disposable } = await readSchema();
  return [...migrations, disposable].map(({ name }) => name);
}

describe('a migration', () => {
  test('of a new database applies everything, and then there is nothing left to do', async () => {
    expect(await migrate(database.url)).toEqual({ applied: await everything() });
    expect(await migrate(database.url)).toEqual({ applied: [] });
    expect(await sql('select tenant_id from rollcall.tenants')).toEqual([{ tenant_id: 'default' }]);
  });

  test('rebuilds the functions and views, and nothing else, when their text has changed', async () => {
    await migrate(database.url);
    await sql(`
      select public.register_entity('orders', 'service', 'Orders');
      create function rollcall_api.of_an_older_server() returns int language sql return 1;
      drop view public.communication_patterns cascade;
      update rollcall.schema_migrations set checksum = 'older' where name = 'disposable'`);
    expect(await migrate(database.url)).toEqual({ applied: ['disposable'] });
    await expect(sql('select rollcall_api.of_an_older_server()')).rejects.toThrow('does not exist');
    expect(await sql('select * from public.communication_patterns')).toEqual([]);
    expect(await sql('select entity_id from public.unified_registry')).toEqual([
      { entity_id: 'orders' },
    ]);
  });

  test('leaves what others put into public alone', async () => {
    await sql(`create table public.theirs as select 1 as one;
               create view public.their_view as select * from public.theirs;
               create function public.their_function() returns int language sql return 1`);
    await migrate(database.url);
    await sql(`update rollcall.schema_migrations set checksum = 'older' where name = 'disposable'`);
    await migrate(database.url);
    expect(await sql('select public.their_function() as one from public.their_view')).toEqual([
      { one: 1 },
    ]);
  });

  test('whose text was changed after it was applied is refused', async () => {
    await migrate(database.url);
    await sql(`update rollcall.schema_migrations set checksum = 'x' where name like '0002%'`);
    await expect(migrate(database.url)).rejects.toThrow(
      'Migration 0002_registry.sql was changed after it was applied',
    );
  });

  test('of a database that is newer than the server is refused', async () => {
    await migrate(database.url);
    await sql(`insert into rollcall.schema_migrations values ('0099_later.sql', 'x')`);
    await expect(migrate(database.url)).rejects.toThrow(
      'The database has 0099_later.sql, which this server does not know. Start a newer Rollcall.',
    );
  });

  test('drops nothing that others have built on a view, but says what is in the way', async () => {
    await migrate(database.url);
    await sql(`create view public.dashboard as select entity_id from public.unified_registry;
               update rollcall.schema_migrations set checksum = 'older' where name = 'disposable'`);
    await expect(migrate(database.url)).rejects.toThrow(
      'view dashboard depends on view unified_registry. Drop those, start Rollcall, and create them again.',
    );
    expect(await sql('select * from public.dashboard')).toEqual([]);
  });

  test('that fails leaves nothing behind', async () => {
    await sql('create table public.unified_registry (is_in_the_way int)');
    await expect(migrate(database.url)).rejects.toThrow('"unified_registry" already exists');
    expect(await sql(`select from pg_namespace where nspname like 'rollcall%'`)).toEqual([]);
  });

  test('is no business of a role that may only serve', async () => {
    await migrate(database.url);
    const role = `serves_${process.pid}`;
    await sql(`create role ${role} login in role rollcall_server`);
    const url = new URL(database.url);
    url.username = role;
    expect(await migrate(url.href)).toEqual({ applied: [] });
    await sql(`drop role ${role}`);
  });
});

test('servers that start together on a new database migrate it once', async () => {
  const results = await Promise.all(Array.from({ length: 6 }, () => migrate(database.url)));
  const applied = results.map((result) => result.applied).filter(({ length }) => length > 0);
  expect(applied).toEqual([await everything()]);
});

describe('in a new cluster', () => {
  const scratch = makeScratch();
  let clusterUrl: string;
  beforeAll(async () => void (clusterUrl = (await scratch.start()).url));
  afterAll(() => scratch.clear());

  const urlOf = (name: string, user?: string) => {
    const url = new URL(clusterUrl);
    url.pathname = name;
    if (user) url.username = user;
    return url.href;
  };

  beforeAll(async () => {
    await ask(clusterUrl, 'create role boss login createrole');
    await ask(clusterUrl, 'create role service_role bypassrls; create role authenticated');
    await ask(clusterUrl, 'grant service_role, authenticated to boss with admin option');
  });

  // First, while the cluster does not have Rollcall's roles.
  test.each(['rollcall', 'boss'])(
    'many databases are migrated at once, by two servers each, as %s',
    async (user) => {
      const names = ['one', 'two', 'three', 'four'];
      for (const name of names) await ask(clusterUrl, `create database ${name} owner ${user}`);
      const results = await Promise.all(
        [...names, ...names].map(async (name) => (await migrate(urlOf(name, user))).applied.length),
      );
      const all = (await everything()).length;
      expect(results.sort((a, b) => a - b)).toEqual([0, 0, 0, 0, all, all, all, all]);
      for (const name of names) await ask(clusterUrl, `drop database ${name}`);
      await ask(clusterUrl, 'drop role rollcall_owner, rollcall_server, rollcall_reader');
    },
  );

  describe('an owner that is no superuser, as on Supabase,', () => {
    beforeAll(async () => {
      for (const name of ['migrated', 'pasted']) {
        await ask(clusterUrl, `create database ${name} owner boss`);
      }
    });

    test('migrates its database, rebuilds it later, and serves from it', async () => {
      const url = urlOf('migrated', 'boss');
      expect(await migrate(url)).toEqual({ applied: await everything() });
      await ask(
        urlOf('migrated'),
        `delete from rollcall.schema_migrations where name = 'disposable'`,
      );
      expect(await migrate(url)).toEqual({ applied: ['disposable'] });
      expect(await migrate(url)).toEqual({ applied: [] });
      await expectToServe(url);
    });

    test('pastes the whole schema as one script, after which nothing is left to migrate', async () => {
      const url = urlOf('pasted', 'boss');
      await ask(url, await migrationScript());
      expect(await migrate(url)).toEqual({ applied: [] });
      await expectToServe(url);
    });

    test('pastes it once: a second time nothing is changed', async () => {
      const url = urlOf('pasted', 'boss');
      await expect(ask(url, await migrationScript())).rejects.toThrow('already exists');
      await expectToServe(url);
    });
  });
});

/** That the roles, the grants and the functions fit together. */
async function expectToServe(url: string): Promise<void> {
  const database = connectPostgres({
    url,
    connections: 1,
    timeoutMs: 10_000,
    onIdleError: () => undefined,
  });
  const entity = { entity_type: 'service', entity_id: 'orders' };
  await database.call('register_entity', { p_tenant: 'default', p_entity: entity, p_actor: 'me' });
  await database.close();
  const client = new pg.Client(url);
  await client.connect();
  const seen = 'select entity_id from public.unified_registry';
  expect((await client.query(seen)).rows).toEqual([{ entity_id: 'orders' }]);
  await client.query('set role service_role');
  expect((await client.query(seen)).rows).toEqual([{ entity_id: 'orders' }]);
  await client.query('set role authenticated');
  expect((await client.query(seen)).rows).toEqual([]);
  await client.end();
}
