import { resolve } from 'node:path';
import type { Config } from '../../config.ts';
import { Problem } from '../problem.ts';
import type { Log } from '../log.ts';
import { startEmbeddedPostgres } from './embedded/start.ts';
import { migrate, missingParts, type MigrateResult } from './migrate.ts';
import type { Database } from './port.ts';
import { connectPostgres } from './postgres.ts';
import { connectSupabase } from './supabase.ts';
import { findTemplate } from './template.ts';

export interface OpenDatabase {
  ingest: Database;
  query: Database;
  /** Where PostgreSQL itself is; left out where it can only be called. */
  url?: string;
  /** For people: which database this is, without secrets. */
  description: string;
  migrated: MigrateResult;
  /** Resolves if the embedded database dies by itself. */
  lost: Promise<void>;
  close(): Promise<void>;
}

const INGEST_CONNECTIONS = 4;
const QUERY_CONNECTIONS = 8;
const TIMEOUT_MS = 30_000;

/**
 * Opens the configured database, starting the embedded one if need be, and brings its schema up to date.
 * @param meanwhile called once this process only waits for others, in a first start for most of a second
 */
export async function openDatabase(
  config: Config,
  log: Log,
  meanwhile: () => void = () => undefined,
): Promise<OpenDatabase> {
  const { database } = config;
  if (database.kind !== 'embedded') meanwhile();
  if (database.kind === 'supabase') return openSupabase(database);
  if (database.kind === 'postgres') {
    return {
      ...(await openPostgres(database.url, log)),
      description: `PostgreSQL at ${host(database.url)}`,
      lost: never(),
    };
  }
  const embedded = await startEmbeddedPostgres({
    dataDir: resolve(config.dataDir),
    log,
    template: findTemplate,
    meanwhile,
  });
  try {
    const open = await openPostgres(embedded.url, log);
    return {
      ...open,
      description: `embedded PostgreSQL in ${config.dataDir}/postgres (psql "${embedded.url}")`,
      lost: embedded.exited.then(() => undefined),
      close: async () => {
        await open.close();
        await embedded.stop();
      },
    };
  } catch (error) {
    await embedded.stop();
    throw error;
  }
}

async function openPostgres(url: string, log: Log) {
  const migrated = await migrate(url);
  // The error itself carries the whole client.
  const onIdleError = ({ message }: Error) =>
    log.warn({ reason: message }, 'A database connection was lost');
  const connect = (connections: number) =>
    connectPostgres({ url, connections, timeoutMs: TIMEOUT_MS, onIdleError });
  const ingest = connect(INGEST_CONNECTIONS);
  const query = connect(QUERY_CONNECTIONS);
  return {
    ingest,
    query,
    url,
    migrated,
    close: async () => void (await Promise.all([ingest.close(), query.close()])),
  };
}

async function openSupabase(
  options: Extract<Config['database'], { kind: 'supabase' }>,
): Promise<OpenDatabase> {
  const migrated = options.migrateUrl ? await migrate(options.migrateUrl) : { applied: [] };
  const database = await connectSupabase({ ...options, timeoutMs: TIMEOUT_MS });
  const version = await database
    .call<Record<string, string>>('schema_version', {})
    .catch((error: unknown) => {
      if (!(error instanceof Problem) || error.code !== 'schema_outdated') throw error;
      throw new Problem(503, error.code, {
        detail:
          'Supabase does not offer the schema rollcall_api. Run the output of `rollcall migrate --print` in its SQL editor (or set DATABASE_URL as well), and add rollcall_api to the exposed schemas of its API settings.',
        cause: error,
      });
    });
  const missing = await missingParts(version);
  if (missing.length > 0) {
    throw new Problem(503, 'schema_outdated', {
      detail: `The schema in Supabase is of another version of Rollcall: ${missing.join(', ')} must be applied. Set DATABASE_URL to Supabase’s database as well, and the server migrates it.`,
    });
  }
  return {
    ingest: database,
    query: database,
    description: `Supabase at ${host(options.url)}`,
    migrated,
    lost: never(),
    close: () => database.close(),
  };
}

const host = (url: string): string => new URL(url).host || 'a local socket';
const never = (): Promise<void> => new Promise(() => undefined);
