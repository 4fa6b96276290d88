import { run } from './equal-table.ts';

export interface SeedSize {
  executions: number;
  /** Of each execution; as many spans and events for one execution in twenty. */
  nodes: number;
  workflows: number;
}

/** The execution whose nodes are many, and how many. */
export const LARGE = { execution_id: 'large', nodes: 1_000 };
/** Twenty kinds of names, of which a text search finds one in twenty. */
const KINDS =
  'nightly,hourly,live,billing,sales,support,import,export,sync,report,mail,crm,erp,pdf,chat,agent,lead,stock,order,ticket';

/**
 * Fills a database with executions of the week before now, evenly in time: a few workflows run most of the time, one
 * run in 25 fails, a workflow gets a new version every 500 of its runs or so. Rows are as ingest leaves them.
 */
export async function seedExecutions(databaseUrl: string, size: SeedSize): Promise<void> {
  const { executions, nodes, workflows } = size;
  const seed = (n: string, salt: string) => `abs(hashtextextended(${n}::text, ${salt}))`;
  const id = (n: string) => `md5('execution-' || ${n})::uuid`;
  const began = (n: string) => `now() - interval '7 days' * (1 - ${n}::float8 / ${executions})`;
  const took = (n: string) => `(20 + ${seed(n, '3')} % 4000)`;
  const workflow = (n: string) =>
    `(power(${seed(n, '1')} % 10000 / 10000.0, 3) * ${workflows})::int`;
  const status = (n: string) =>
    `case ${seed(n, '2')} % 200 when 0 then 'waiting' when 1 then 'cancelled' when 2 then 'lost' else
       case when ${seed(n, '2')} % 25 = 3 then 'error' else 'success' end end`;
  const name = `(string_to_array('${KINDS}', ','))[1 + w % 20] || ' workflow ' || w`;
  await run(
    databaseUrl,
    `insert into rollcall.executions (tenant_id, id, project_id, workflow_id, workflow_name, workflow_version, definition_hash, instance_id,
         execution_id, trace_id, status, status_at, mode, began, started_at, completed_at, duration_ms, last_node, error_type,
         error_message, error_node, sources, metadata, said)
     select 'default', ${id('n')}, 'default', 'workflow-' || w, ${name}, 'version-' || (n / 10000), 'hash-' || (n / 10000), 'instance-' || n % 3,
            n::text, md5('trace-' || n), s, b, case when n % 5000 = 0 then 'retry' else (array['trigger', 'webhook', 'manual'])[1 + n % 3] end,
            b, b, b + d * interval '1 millisecond', d, 'Node 19',
            case when s = 'error' then (array['NodeApiError', 'NodeOperationError', 'TypeError', 'Timeout'])[1 + n % 4] end,
            case when s = 'error' then 'The service answered ' || (400 + n % 200) end, case when s = 'error' then 'Node 7' end,
            '{hooks,otlp}', '{}',
            (select jsonb_object_agg('field_' || f, jsonb_build_array(6, 1790000000000000 + n, md5(n::text || f))) from generate_series(1, 15) f)
       from (select n, ${workflow('n')} as w, ${status('n')} as s, ${began('n')} as b, ${took('n')}::float8 as d
               from generate_series(1, ${executions}) n) r`,
  );
  const node = (from: string, count: string, execution: string) => `
    insert into rollcall.node_executions (tenant_id, id, node_name, run_index, retry_index, source, rank, at, node_id, node_type, status,
        started_at, completed_at, duration_ms, items_in, items_out, previous_nodes)
    select 'default', ${execution}, 'Node ' || k % 50, k / 50, 0, 'hooks', 6, b + k * interval '20 milliseconds', 'node-' || k % 50,
           'n8n-nodes-base.httpRequest', 'success', b + k * interval '20 milliseconds', b + (k + 1) * interval '20 milliseconds', 20,
           k, k + 1, case when k > 0 then array['Node ' || (k - 1) % 50] end
      from ${from}, generate_series(0, ${count} - 1) k`;
  const runs = `(select n, ${began('n')} as b from generate_series(1, ${executions}) n) r`;
  await run(databaseUrl, node(runs, String(nodes), id('r.n')));
  await run(
    databaseUrl,
    `insert into rollcall.executions (tenant_id, id, project_id, workflow_id, execution_id, status, status_at, began, started_at, completed_at,
                                      duration_ms, sources, said)
     select 'default', ${id("'large'")}, 'default', 'workflow-0', '${LARGE.execution_id}', 'success', b, b, b, b + interval '20 seconds', 20000,
            '{hooks}', '{}' from (select now() - interval '1 hour' as b) x`,
  );
  await run(
    databaseUrl,
    node(`(select now() - interval '1 hour' as b) r`, String(LARGE.nodes), id("'large'")),
  );
  const some = `(select n, ${began('n')} as b from generate_series(20, ${executions}, 20) n) r`;
  await run(
    databaseUrl,
    `select rollcall_api.ensure_span_day((current_date - d)::date) from generate_series(-1, 8) d;
     insert into rollcall.telemetry_spans (tenant_id, trace_id, span_id, parent_span_id, id, name, kind, status, started_at, ended_at, attributes)
     select 'default', md5('trace-' || n), lpad(to_hex(k + 1), 16, '0'), case when k > 0 then lpad(to_hex(k / 2 + 1), 16, '0') end, ${id('n')},
            'span ' || k, 'internal', 'ok', b + k * interval '20 milliseconds', b + (k + 1) * interval '20 milliseconds',
            jsonb_build_object('n8n.node.name', 'Node ' || k, 'n8n.node.items.input', k)
       from ${some}, generate_series(0, ${nodes} - 1) k;
     insert into rollcall.telemetry_events (tenant_id, id, event_id, at, name, level, node_name, data)
     select 'default', ${id('n')}, md5('event-' || n || '-' || k)::uuid, b + k * interval '20 milliseconds', 'node.finished', 'info', 'Node ' || k,
            jsonb_build_object('items', k) from ${some}, generate_series(0, ${nodes} - 1) k;
     insert into rollcall.shared_state_snapshots (tenant_id, id, sequence, at, node_name, phase, state)
     select 'default', ${id('n')}, k, b, 'Node ' || k, 'post', (select jsonb_object_agg('key ' || f, f * k) from generate_series(1, 20) f)
       from ${some}, generate_series(0, 9) k;`,
  );
  await run(databaseUrl, 'vacuum analyze');
}
