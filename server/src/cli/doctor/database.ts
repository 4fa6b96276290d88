import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../../config.ts';
import { Problem } from '../../platform/problem.ts';
import { explainFailure } from '../local-failure.ts';
import { count } from '../terminal/text.ts';
import { failed, ok, warning, type Check } from './check.ts';

const NAME = 'schema';

/** The database that is configured here: can it be reached, and is its schema this version's? */
export async function checkDatabase(config: Config): Promise<Check> {
  const { database } = config;
  if (database.kind === 'embedded') return checkFolder(config.dataDir);
  const where = `${database.kind === 'postgres' ? 'PostgreSQL' : 'Supabase'} at ${new URL(database.url).host}`;
  try {
    const outdated = await outdatedParts(database);
    if (outdated.length === 0) return ok(NAME, `${where} is up to date`);
    const lack = `${where} lacks ${count(outdated.length, 'part')}: ${outdated.join(', ')}`;
    return failed(NAME, lack, mayMigrate(database) ? MIGRATE : MIGRATE_BY_HAND);
  } catch (error) {
    const { message, next } = await explainFailure(error, config);
    return failed(NAME, message, next ?? 'Check the database’s address and credentials.');
  }
}

type Remote = Exclude<Config['database'], { kind: 'embedded' }>;

const MIGRATE = 'Run rollcall migrate, or start the server, which does so too.';
const MIGRATE_BY_HAND =
  'Set DATABASE_URL to its database as well and run rollcall migrate; or, where nothing is yet, run the output of ' +
  'rollcall migrate --print in its SQL editor and add rollcall_api to the exposed schemas of its API settings.';

const mayMigrate = (database: Remote): boolean =>
  database.kind === 'postgres' || database.migrateUrl !== undefined;

async function outdatedParts(database: Remote): Promise<string[]> {
  const { missingParts } = await import('../../platform/database/migrate.ts');
  return missingParts(
    database.kind === 'postgres'
      ? await installedBySql(database.url)
      : await installedByGateway(database),
  );
}

type Installed = Record<string, string>;

const NOTHING_INSTALLED = /^(3F000|42883|42P01)$/;

async function installedBySql(url: string): Promise<Installed> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    const { rows } = await client.query<{ version: Installed | null }>(
      'select rollcall_api.schema_version() as version',
    );
    return rows[0]?.version ?? {};
  } catch (error) {
    if (NOTHING_INSTALLED.test((error as { code?: string }).code ?? '')) return {};
    throw error;
  } finally {
    await client.end();
  }
}

async function installedByGateway(
  database: Extract<Remote, { kind: 'supabase' }>,
): Promise<Installed> {
  const { connectSupabase } = await import('../../platform/database/supabase.ts');
  const supabase = await connectSupabase({ ...database, timeoutMs: 10_000 });
  try {
    return await supabase.call<Installed>('schema_version', {});
  } catch (error) {
    if (error instanceof Problem && error.code === 'schema_outdated') return {};
    throw error;
  }
}

/** The server alone opens an embedded database; here it is only looked at. */
function checkFolder(dataDir: string): Check {
  const folder = resolve(dataDir);
  if (!existsSync(join(folder, 'postgres'))) {
    return warning(
      NAME,
      `no database in ${folder} yet`,
      'The first npm start makes it; if there is one, run this in its folder or set ROLLCALL_DATA_DIR.',
    );
  }
  return ok(NAME, `embedded database in ${folder}, brought up to date by the server’s start`);
}
