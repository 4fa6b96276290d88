import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { run } from './equal-table.ts';
import { median, printTable, quantile, saveResults, thousands } from './report.ts';
import { makeDataDir, removeDataDir, startRollcall } from './rollcall-server.ts';

const { values: options } = parseArgs({
  options: {
    entities: { type: 'string', default: '100000' },
    edges: { type: 'string', default: '200000' },
    /** Raw rows; their rollups are made of them. */
    events: { type: 'string', default: '10000000' },
    instances: { type: 'string', default: '20' },
    checks: { type: 'string', default: '20' },
  },
});
const size = {
  entities: Number(options.entities),
  edges: Number(options.edges),
  events: Number(options.events),
  instances: Number(options.instances),
};
const DAYS = 7;
/** Touched before each incremental check. */
const TOUCHED = 100;

const load = [sayLoad()];
const dataDir = makeDataDir();
// Its own checks would come between.
const server = await startRollcall({
  dataDir,
  environment: { ROLLCALL_GAP_CHECK_SECONDS: '100000' },
});
try {
  const sql = (text: string) => run<Record<string, unknown>>(server.databaseUrl, text);
  await seed(sql);
  const full = await checks(true);
  const incremental = await checks(false);
  load.push(sayLoad());
  report(full, incremental);
} finally {
  await server.stop();
  await removeDataDir(dataDir);
}

type Sql = (text: string) => Promise<Record<string, unknown>[]>;

/** A fleet in which something of every kind is missing, made by the database itself: n is an entity's number. */
async function seed(sql: Sql): Promise<void> {
  const workflows = Math.floor(size.entities * 0.6);
  await timed(
    `${thousands(size.entities)} entities`,
    sql(`
    insert into rollcall.entities (tenant_id, entity_type, entity_id, entity_name, registered_by, project_id, current_state,
      health_status, parent_type, parent_id, state_since, definition_hash, metadata)
    select 'default', case when n < ${workflows} then 'workflow' when n % 100 = 0 then 'team' when n % 2 = 0 then 'agent' else 'mcp_server' end,
           'e' || n, 'Entity ' || n, 'bench', 'default',
           case when n % 1000 = 1 then 'deploying' when n % 50 = 2 then 'inactive' else 'active' end,
           case when n % 500 = 3 then 'unhealthy' else 'healthy' end,
           case when n >= ${workflows} and n % 2 = 0 and n % 100 > 0 and n % 1000 <> 4 then 'team' end,
           case when n >= ${workflows} and n % 2 = 0 and n % 100 > 0 and n % 1000 <> 4 then 'e' || (n / 100 * 100) end,
           now() - interval '30 days', 'sha256:' || md5(n::text),
           case when n < ${workflows} then jsonb_build_object('n8n', jsonb_build_object('instance_id', 'i' || n % ${size.instances},
             'triggers', '[{"kind": "schedule"}]'::jsonb)) else '{}' end
      from generate_series(0, ${size.entities - 1}) n`),
  );
  await timed(
    `${thousands(size.edges)} edges`,
    sql(`
    insert into rollcall.entity_dependencies (tenant_id, entity_type, entity_id, target_type, target_id, origin)
    select 'default', e.entity_type, e.entity_id, coalesce(t.entity_type, 'service'), coalesce(t.entity_id, 'gone' || n), 'declared'
      from generate_series(0, ${size.edges - 1}) n
      join rollcall.entities e on e.tenant_id = 'default' and e.entity_id = 'e' || n % ${size.entities}
      left join rollcall.entities t on t.tenant_id = 'default' and n % 1000 > 0
            and t.entity_id = 'e' || ((n::bigint * 7919 + 1 + n / ${size.entities}) % ${size.entities})
     where t.entity_id is distinct from e.entity_id
    on conflict do nothing`),
  );
  await timed(
    `${size.instances} instances with ${thousands(workflows)} workflows`,
    sql(`
    insert into rollcall.n8n_instances (tenant_id, instance_id, first_seen, last_seen, inventoried_at)
    select 'default', 'i' || n, now() - interval '30 days', now(), now() from generate_series(0, ${size.instances - 1}) n;
    insert into rollcall.n8n_workflows (tenant_id, instance_id, workflow_id, name, state, state_cause, state_at, present_at, deleted_at, definition_hash, first_seen, seen_at, said)
    select 'default', 'i' || n % ${size.instances}, case when n % 1000 = 6 then 'unknown' || n else 'e' || n end, 'Entity ' || n, 'active', 'inventory', now(), now(),
           case when n % 1000 = 5 then now() end, 'sha256:' || md5(case when n % 1000 = 7 then 'other' else n::text end), now() - interval '30 days', now(), '{}'
      from generate_series(0, ${workflows - 1}) n`),
  );
  const end = `date_trunc('hour', now())`;
  await timed(
    'days of telemetry made',
    sql(`
    select rollcall_api.ensure_telemetry_day(d::date) from generate_series(now() - interval '${DAYS + 1} days', now(), '1 day') d`),
  );
  // In pieces, so that no statement sorts all of it at once.
  const piece = 1_000_000;
  for (let from = 0; from < size.events; from += piece) {
    const to = Math.min(from + piece, size.events) - 1;
    await timed(
      `${thousands(to + 1)} events`,
      sql(`
      insert into rollcall.telemetry (tenant_id, event_id, "timestamp", protocol, source_id, target_id, status, duration_ms, project_id)
      select 'default', gen_random_uuid(), ${end} - n * interval '${DAYS} days' / ${size.events}, 'n8n',
             case when n % 100000 = 0 then 'stranger' || n else 'e' || (n::bigint * 31) % ${size.entities} end,
             'e' || (n::bigint * 17 + n % 3) % ${size.entities}, case when n % 20 = 0 then 'error' else 'success' end, n % 1000, 'default'
        from generate_series(${from}, ${to}) n`),
    );
  }
  // Its indexes are made after them, which takes a fraction of the time.
  const indexes = await sql(`
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
      from pg_index where indrelid = 'rollcall.telemetry_pairs'::regclass and not indisprimary`);
  await timed(
    'what an ingest writes beside them: hourly pairs',
    sql(`
    set work_mem = '512MB';
    set maintenance_work_mem = '512MB';
    drop index ${indexes.map(({ name }) => String(name)).join(', ')};
    insert into rollcall.telemetry_pairs (tenant_id, hour, protocol, source_id, target_id, calls, errors, cancelled, timed, duration_sum,
      duration_max, tokens_used, cost_micros, last_seen, latency)
    select 'default', date_trunc('hour', t."timestamp"), t.protocol, t.source_id, t.target_id, count(*), count(*) filter (where t.status = 'error'), 0,
           count(*), sum(t.duration_ms), max(t.duration_ms), 0, 0, max(t."timestamp"), '{}'
      from rollcall.telemetry t group by 2, 3, 4, 5 order by 2, 3, 4, 5;
    ${indexes.map(({ definition }) => String(definition)).join(';')}`),
  );
  await timed(
    'and activity',
    sql(`
    insert into rollcall.activity (tenant_id, entity_id, first_seen, last_seen, as_source, as_target, errors, last_protocol, noted_at)
    select 'default', p.id, min(p.hour), max(p.last_seen), sum(p.calls), 0, 0, 'n8n', now() - interval '1 hour'
      from (select source_id as id, hour, last_seen, calls from rollcall.telemetry_pairs
            union all select target_id, hour, last_seen, 0 from rollcall.telemetry_pairs) p
     -- One entity in fifty has never been heard of.
     where p.id not like 'e%00' and p.id not like 'e%50' group by p.id`),
  );
  await timed(
    'a schedule for every other workflow',
    sql(`
    insert into rollcall.cadence (tenant_id, entity_type, entity_id, source, longest_gap, rules, computed_at)
    select 'default', e.entity_type, e.entity_id, 'schedule', interval '1 day', 1, now()
      from rollcall.entities e where e.entity_type = 'workflow' and right(e.entity_id, 1) in ('1', '3', '5', '7', '9')`),
  );
  await timed('analyzed', run(server.databaseUrl, 'analyze'));
  await timed('rhythms learned', sql(`select rollcall_api.learn_cadence('default', now(), 3600)`));
  await sql(`update rollcall.entities set updated_at = now() - interval '1 hour'`);
  await timed('vacuumed', run(server.databaseUrl, 'vacuum analyze'));
  await timed('the first check', sql(`select rollcall_api.check_gaps('default', now(), true)`));
  await run(server.databaseUrl, 'vacuum analyze');
  // The overlap of incremental checks must not hold the seeding itself.
  await sql(`update rollcall.gap_checks set touched_upto = now() + interval '1 minute'`);
}

interface Checked {
  ms: number[];
  answer: Record<string, unknown>;
}

/** Over one connection, as the server keeps them: what a session has planned once stays planned. */
async function checks(isFull: boolean): Promise<Checked> {
  const session = new pg.Client({ connectionString: server.databaseUrl });
  await session.connect();
  const sql: Sql = async (text) => (await session.query<Record<string, unknown>>(text)).rows;
  const ms: number[] = [];
  let answer: Record<string, unknown> = {};
  for (let round = -2; round < Number(options.checks); round++) {
    if (!isFull) {
      // Checks look back over a minute more, which here would hold what was touched before the checks before.
      await sql(
        `update rollcall.gap_checks set touched_upto = clock_timestamp() + interval '1 minute'`,
      );
      await sql(`update rollcall.entities set updated_at = clock_timestamp()
                  where tenant_id = 'default' and entity_id in (select 'e' || (random() * ${size.entities - 1})::int from generate_series(1, ${TOUCHED}))`);
    }
    const began = performance.now();
    const [row] = await sql(
      `select rollcall_api.check_gaps('default', now(), ${isFull}) as answer`,
    );
    if (round >= 0) ms.push(performance.now() - began);
    answer = row?.['answer'] as Record<string, unknown>;
  }
  await session.end();
  return { ms, answer };
}

function report(full: Checked, incremental: Checked): void {
  const row = (name: string, { ms }: Checked, target: string) => [
    name,
    median(ms).toFixed(0),
    quantile(ms, 0.95).toFixed(0),
    target,
  ];
  printTable(
    `Gap checks, ${thousands(size.entities)} entities, ${thousands(size.edges)} edges, ${thousands(size.events)} events, ${size.instances} instances; milliseconds`,
    ['check', 'median', 'p95', 'target'],
    [
      row('full', full, '< 1000'),
      row(`incremental, ${TOUCHED} entities touched`, incremental, '< 100'),
    ],
  );
  console.log('full:', JSON.stringify(full.answer));
  console.log('incremental:', JSON.stringify(incremental.answer));
  const summary = ({ ms, answer }: Checked) => ({
    median: median(ms),
    p95: quantile(ms, 0.95),
    answer,
  });
  saveResults('gaps', {
    options,
    load_average: load,
    full: summary(full),
    incremental: summary(incremental),
  });
}

async function timed(what: string, work: Promise<unknown>): Promise<void> {
  const began = performance.now();
  await work;
  console.log(`${what}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

function sayLoad(): string {
  const text = loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');
  console.log(`Load average: ${text}`);
  return text;
}
