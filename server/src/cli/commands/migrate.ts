import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../../config.ts';
import { CommandFailure } from '../failure.ts';
import type { GlobalOptions } from '../http/session.ts';
import { explainFailure } from '../local-failure.ts';
import { print, printJson } from '../terminal/print.ts';
import { showProgress } from '../terminal/progress.ts';

/** `rollcall migrate`: the schema, without starting the server. */
export function migrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('Bring the database up to this version; starting the server does so too')
    .option('--print', 'print the whole schema as one script for an SQL editor; change nothing')
    .action(migrate);
}

async function migrate(options: { print?: boolean }, command: Command): Promise<void> {
  const { json } = command.optsWithGlobals<GlobalOptions>();
  if (options.print) {
    const { migrationScript } = await import('../../platform/database/migrate.ts');
    const script = await migrationScript();
    return json ? printJson({ script }) : print(script);
  }
  const { readConfig } = await import('../../config.ts');
  const config = readConfig();
  const progress = showProgress();
  progress.say('Migrating');
  const { database, applied } = await migrateConfigured(config)
    .catch(async (error: unknown) => {
      throw await explainFailure(error, config);
    })
    .finally(() => progress.end());
  if (json) return printJson({ database, applied });
  if (applied.length === 0) return print(`Up to date: ${database}. Nothing was applied.`);
  print(
    [`Applied to ${database}:`, ...applied.map((name) => `  ${LABELS[name] ?? name}`)].join('\n'),
  );
}

const LABELS: Record<string, string> = { disposable: 'functions and views, built anew' };

async function migrateConfigured(config: Config) {
  const { migrate } = await import('../../platform/database/migrate.ts');
  const { database } = config;
  if (database.kind === 'embedded') return migrateEmbedded(config, migrate);
  const url = database.kind === 'postgres' ? database.url : database.migrateUrl;
  if (!url) {
    throw new CommandFailure(
      'Supabase is configured, and its REST gateway cannot change a schema.',
      {
        code: 'no_database_url',
        next: 'Set DATABASE_URL as well, or run the output of rollcall migrate --print in its SQL editor.',
      },
    );
  }
  return { database: `PostgreSQL at ${new URL(url).host}`, ...(await migrate(url)) };
}

async function migrateEmbedded(
  { dataDir, logLevel }: Config,
  migrate: (url: string) => Promise<{ applied: string[] }>,
) {
  const [{ startEmbeddedPostgres }, { createLog }] = await Promise.all([
    import('../../platform/database/embedded/start.ts'),
    import('../../platform/log.ts'),
  ]);
  // Its starting and stopping is nobody's news here; what goes wrong is.
  const log = createLog(logLevel === 'info' ? 'warn' : logLevel);
  const embedded = await startEmbeddedPostgres({ dataDir: resolve(dataDir), log });
  try {
    return {
      database: `the embedded PostgreSQL in ${dataDir}/postgres`,
      ...(await migrate(embedded.url)),
    };
  } finally {
    await embedded.stop();
  }
}
