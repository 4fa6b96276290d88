import pg from 'pg';
import { migrate } from '../server/src/platform/database/migrate.ts';

/** The columns that a sent event may fill. */
export const EVENT_COLUMNS = [
  'event_id',
  'timestamp',
  'protocol',
  'source_id',
  'target_id',
  'operation',
  'status',
  'duration_ms',
  'tokens_used',
  'cost_micros',
  'currency',
  'model',
  'correlation_id',
  'trace_id',
  'workflow_id',
  'execution_id',
  'user_id',
  'project_id',
  'error_type',
  'error_message',
  'metadata',
];

/** A role that PostgREST may take on: it writes into the table, and no more. */
export const WRITER = 'bench_writer';

/**
 * Makes a database with a table `equal.telemetry` on the server that `serverUrl` points to: the columns, the
 * types, the indexes and the partitions of Rollcall's own, without tenancy, rollups or functions.
 */
export async function makeEqualTable(serverUrl: string, name: string): Promise<string> {
  await run(serverUrl, `create database ${name}`);
  const url = serverUrl.replace(/\/[^/]*$/, `/${name}`);
  await migrate(url);
  const days = [-1, 0, 1].map((offset) => `current_date + ${offset}`);
  await run(
    url,
    `create schema equal;
     create table equal.telemetry (like rollcall.telemetry including all) partition by range ("timestamp");
     alter table equal.telemetry alter tenant_id set default 'default';
     ${days.map(partition).join('\n')}
     do $$ begin create role ${WRITER} nologin; exception when duplicate_object then null; end $$;
     grant usage on schema equal, rollcall to ${WRITER};
     grant insert on equal.telemetry to ${WRITER};`,
  );
  return url;
}

/** A day's partition, with the unique index that `ensure_telemetry_day` in telemetry.sql gives each. */
function partition(day: string): string {
  return `do $$ declare v_name text := to_char(${day}, '"telemetry_"YYYYMMDD'); begin
    execute format('create table equal.%I partition of equal.telemetry for values from (%L) to (%L)',
                   v_name, ${day}, ${day} + 1);
    execute format('create unique index on equal.%I (event_id, tenant_id)', v_name);
  end $$;`;
}

/** Runs statements as the database's superuser; answers the last one's rows. */
export async function run<Row extends object>(url: string, statements: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(statements)).rows;
  } finally {
    await client.end();
  }
}
