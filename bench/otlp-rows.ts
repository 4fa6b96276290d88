import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { migrate } from '../server/src/platform/database/migrate.ts';
import { run } from './equal-table.ts';

/** What a unit of requests leaves behind, and what makes its rows distinct. */
const TABLES = ['telemetry_spans', 'node_executions', 'executions'];
const IDS = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b/g;

/**
 * Makes a database with tables `equal.*`: columns, types, indexes and partitions of Rollcall's own, without policies
 * or functions. Writes the rows that Rollcall stored of one unit to a file per table, with marks for ids.
 */
export async function makeEqualRows(
  serverUrl: string,
  folder: string,
): Promise<{ databaseUrl: string; files: Record<string, string> }> {
  const databaseUrl = serverUrl.replace(/\/[^/]*$/, '/bench_otlp_copy');
  await run(serverUrl, 'create database bench_otlp_copy');
  await migrate(databaseUrl);
  const days = [-1, 0, 1].map((offset) => `current_date + ${offset}`);
  await run(
    databaseUrl,
    `create schema equal;
     create table equal.telemetry_spans (like rollcall.telemetry_spans including all) partition by range (started_at);
     ${days.map(partition).join('\n')}
     create table equal.node_executions (like rollcall.node_executions including all);
     create table equal.executions (like rollcall.executions including all);`,
  );
  const marks = new Map<string, string>();
  const files: Record<string, string> = {};
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  for (const table of TABLES) {
    const rows = await text(
      client.query(copyTo(`copy (select * from rollcall.${table}) to stdout`)),
    );
    files[table] = join(folder, `${table}.copy`);
    writeFileSync(
      files[table],
      rows.replace(IDS, (id) => {
        const known = marks.get(id) ?? markOf(id, marks.size);
        marks.set(id, known);
        return known;
      }),
      'latin1',
    );
  }
  await client.end();
  return { databaseUrl, files };
}

/** As `Stamp` finds them; nodes' ids, which are the same in every unit, stay as they are by their length. */
function markOf(id: string, group: number): string {
  const number = String(group).padStart(12, '0');
  return id.includes('-') ? `rrrrrrrr-0000-4000-8000-${number}` : `rrrrrrrr000000000000${number}`;
}

function partition(day: string): string {
  return `do $$ declare v_name text := to_char(${day}, '"telemetry_spans_"YYYYMMDD'); begin
    execute format('create table equal.%I partition of equal.telemetry_spans for values from (%L) to (%L)',
                   v_name, ${day}, ${day} + 1);
    execute format('create unique index on equal.%I (tenant_id, trace_id, span_id)', v_name);
  end $$;`;
}
