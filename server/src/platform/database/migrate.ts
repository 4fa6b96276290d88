import pg from 'pg';
import { readSchema, type Schema, type SchemaText } from './schema.ts';

export interface MigrateResult {
  /** Names of what was applied now; empty when the database was up to date. */
  applied: string[];
}

const LOCK = 7655_001;
const ATTEMPTS = 6;
/** Roles belong to the whole cluster: two databases that migrate at once may trip over each other. */
const CLUSTER_RACE = /tuple concurrently (updated|deleted)|pg_authid_rolname_index|pg_auth_members/;

/**
 * Brings the database at `url` up to this server's schema, in one transaction behind an advisory lock: of
 * servers that start together, one migrates and the others wait and find it done.
 *
 * @throws Error when an applied migration was changed, the database is newer than this server, or somebody's
 * views are built on Rollcall's
 */
export async function migrate(url: string): Promise<MigrateResult> {
  const schema = await readSchema();
  const client = new pg.Client({ connectionString: url, application_name: 'rollcall migrate' });
  await client.connect();
  try {
    const { version, tenants } = await installed(client);
    if (pending(schema, version).length === 0 && tenants.includes(FIRST_TENANT))
      return { applied: [] };
    for (let attempt = 1; ; attempt++) {
      try {
        return await apply(client, schema);
      } catch (error) {
        await client.query('rollback');
        if (attempt >= ATTEMPTS || !CLUSTER_RACE.test((error as Error).message)) {
          throw builtUpon(error as pg.DatabaseError);
        }
      }
    }
  } finally {
    await client.end();
  }
}

/** Somebody's view on one of ours would have to go with it, which is theirs to decide. */
function builtUpon(error: pg.DatabaseError): Error {
  if (error.code !== '2BP01') return error;
  return new Error(
    `Rollcall's views and functions are made anew, but others were built on them: ${error.detail}. ` +
      'Drop those, start Rollcall, and create them again.',
    { cause: error },
  );
}

async function apply(client: pg.Client, schema: Schema): Promise<MigrateResult> {
  await client.query('begin');
  await client.query('select pg_advisory_xact_lock($1)', [LOCK]);
  await client.query(schema.bootstrap);
  await client.query(PREPARE);
  const known = await client.query<{ name: string; checksum: string }>(
    'select name, checksum from rollcall.schema_migrations',
  );
  const todo = pending(
    schema,
    Object.fromEntries(known.rows.map((row) => [row.name, row.checksum])),
  );
  if (todo.length > 0) await client.query(schema.clear);
  for (const { name, text, checksum } of todo) {
    await client.query(text);
    await client.query(RECORD, [name, checksum]);
  }
  await client.query(CREATE_FIRST_TENANT);
  await client.query('commit');
  return { applied: todo.map(({ name }) => name) };
}

const FIRST_TENANT = 'default';
const CREATE_FIRST_TENANT = `select rollcall_api.create_tenant('${FIRST_TENANT}', 'Default');`;

const PREPARE = `
set local role rollcall_owner;
set local check_function_bodies = off;
set local client_min_messages = warning;
create table if not exists rollcall.schema_migrations (
  name text primary key, checksum text not null, applied_at timestamptz not null default now());`;

const RECORD = `
insert into rollcall.schema_migrations (name, checksum) values ($1, $2)
on conflict (name) do update set checksum = excluded.checksum, applied_at = now()`;

/** What has to be applied; the disposable part always comes last, and with every migration. */
function pending({ migrations, disposable }: Schema, known: Record<string, string>): SchemaText[] {
  for (const { name, checksum } of migrations) {
    if (known[name] && known[name] !== checksum) {
      throw new Error(
        `Migration ${name} was changed after it was applied. Restore its text; changes go into a new migration.`,
      );
    }
  }
  const unknown = Object.keys(known).filter(
    (name) => name !== disposable.name && !migrations.some((migration) => migration.name === name),
  );
  if (unknown.length > 0) {
    throw new Error(
      `The database has ${unknown.join(', ')}, which this server does not know. Start a newer Rollcall.`,
    );
  }
  const fresh = migrations.filter(({ name }) => !known[name]);
  return fresh.length > 0 || known[disposable.name] !== disposable.checksum
    ? [...fresh, disposable]
    : [];
}

/**
 * Names of what a database lacks that this server may not migrate, given what schema_version() answers there.
 * @throws Error as `migrate` does
 */
export async function missingParts(known: Record<string, string>): Promise<string[]> {
  return pending(await readSchema(), known).map(({ name }) => name);
}

interface Installed {
  /** Checksums by name, as `schema_version()` answers them. */
  version: Record<string, string>;
  tenants: string[];
}

async function installed(client: pg.Client): Promise<Installed> {
  try {
    const { rows } = await client.query<Installed>(
      'select rollcall_api.schema_version() as version, rollcall_api.list_tenants() as tenants',
    );
    return rows[0] ?? NOTHING;
  } catch {
    return NOTHING;
  }
}

const NOTHING: Installed = { version: {}, tenants: [] };

/** The whole migration as one script, for databases that only a SQL editor reaches (Supabase). */
export async function migrationScript(): Promise<string> {
  const { bootstrap, clear, migrations, disposable } = await readSchema();
  const record = ({ name, checksum }: SchemaText) =>
    `insert into rollcall.schema_migrations (name, checksum) values ('${name}', '${checksum}')\n` +
    `on conflict (name) do update set checksum = excluded.checksum, applied_at = now();`;
  return [
    '-- Rollcall, whole schema, for an empty database. Run it once as the database’s owner.',
    'begin;',
    bootstrap,
    PREPARE,
    clear,
    ...[...migrations, disposable].flatMap((part) => [part.text, record(part)]),
    CREATE_FIRST_TENANT,
    'commit;',
  ].join('\n');
}
