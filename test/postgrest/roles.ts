import pg from 'pg';
import { migrate } from '../../server/src/platform/database/migrate.ts';
import { runningCluster } from '../cluster/running.ts';

/** Of the whole cluster, so that suites which run at the same time make them one after another. */
const ROLES = `
begin;
select pg_advisory_xact_lock(hashtext('supabase roles'));
do $$
declare v_role text;
begin
  foreach v_role in array array[
    'anon nologin', 'authenticated nologin', 'service_role nologin bypassrls', 'authenticator login noinherit'
  ] loop
    continue when to_regrole(split_part(v_role, ' ', 1)) is not null;
    execute 'create role ' || v_role;
  end loop;
end $$;
grant anon, authenticated, service_role to authenticator;
commit;`;

/** What Supabase keeps in every project's database, as far as PostgREST and Rollcall meet it. */
const PROJECT = `
grant usage on schema public to anon, authenticated, service_role;
alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public grant all on routines to anon, authenticated, service_role;
create schema auth;
grant usage on schema auth to anon, authenticated, service_role;
create function auth.uid() returns uuid language sql stable
return nullif(current_setting('request.jwt.claims', true)::json ->> 'sub', '')::uuid;`;

/** Makes the database at `url`, which has Rollcall's schema, look like one that Supabase made first. */
export async function addSupabaseRoles(url: string): Promise<void> {
  await run(runningCluster(), ROLES);
  await run(
    { connectionString: url },
    `${PROJECT} delete from rollcall.schema_migrations where name = 'disposable';`,
  );
  // Grants to Supabase's roles are given at every migrate that has something to do.
  await migrate(url);
}

async function run(connection: pg.ClientConfig, text: string): Promise<void> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
