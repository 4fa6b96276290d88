-- The rows below an execution: its nodes' runs and its spans.

-- Remembers the ids of nodes, for reports that know only names.
create function rollcall_api.write_node_names(p_tenant text, p_names json) returns void
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  insert into workflow_nodes (tenant_id, workflow_id, node_name, node_id)
  select distinct on (x.workflow_id, x.node_name) p_tenant, x.workflow_id, x.node_name, x.node_id
    from json_to_recordset(p_names) as x(workflow_id text, node_name text, node_id text)
   where x.node_id is distinct from (select k.node_id from workflow_nodes k
                                      where k.tenant_id = p_tenant and k.workflow_id = x.workflow_id and k.node_name = x.node_name)
   order by x.workflow_id, x.node_name, x.node_id
  on conflict (tenant_id, workflow_id, node_name) do update set node_id = excluded.node_id;
end $$;

-- p_nodes: rows with their run's n and workflow_id; p_ids: the runs' ids. Of two words of one teller on the same node
-- run, an end wins over what is not, and then the later one; each fills in what the other leaves out.
-- Answers by execution [new rows, new and changed ones].
create function rollcall_api.write_node_executions(p_tenant text, p_nodes json, p_ids uuid[]) returns jsonb
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_rows jsonb;
begin
  with fresh as (
    insert into node_executions as e (
      tenant_id, id, node_name, run_index, retry_index, source, rank, at, node_id, node_type, status, started_at, completed_at,
      duration_ms, prep_duration_ms, exec_duration_ms, post_duration_ms, items_in, items_out, attempts, previous_nodes, tokens_used,
      cost_micros, model, child_execution_id, error_type, error_message, error_stack, metadata)
    select p_tenant, p_ids[x.n], x.node_name, x.run_index, x.retry_index, x.source, x.rank, x.at,
           -- A name that nobody has given an id gets one that is the same every time.
           coalesce(x.node_id,
                    (select k.node_id from workflow_nodes k
                      where k.tenant_id = p_tenant and k.workflow_id = x.workflow_id and k.node_name = x.node_name),
                    md5(x.workflow_id || chr(10) || x.node_name)::uuid::text),
           x.node_type, x.status, x.started_at, x.completed_at, x.duration_ms, x.prep_duration_ms, x.exec_duration_ms, x.post_duration_ms,
           x.items_in, x.items_out, x.attempts,
           case when x.previous_nodes is not null then array(select jsonb_array_elements_text(x.previous_nodes)) end,
           x.tokens_used, x.cost_micros, x.model, x.child_execution_id, x.error_type, x.error_message, x.error_stack, x.metadata
      from json_to_recordset(p_nodes) as x(
        n int, workflow_id text, node_name text, run_index int, retry_index int, source text, rank smallint, at timestamptz, node_id text,
        node_type text, status text, started_at timestamptz, completed_at timestamptz, duration_ms float8, prep_duration_ms float8,
        exec_duration_ms float8, post_duration_ms float8, items_in bigint, items_out bigint, attempts int, previous_nodes jsonb,
        tokens_used bigint, cost_micros bigint, model text, child_execution_id text, error_type text, error_message text,
        error_stack text, metadata jsonb)
    on conflict (tenant_id, id, node_name, run_index, retry_index, source) do update set
      (at, node_id, node_type, status, started_at, completed_at, duration_ms, prep_duration_ms, exec_duration_ms, post_duration_ms,
       items_in, items_out, attempts, previous_nodes, tokens_used, cost_micros, model, child_execution_id, error_type, error_message,
       error_stack, metadata) = (
        select better.at, better.node_id, coalesce(better.node_type, other.node_type), better.status,
               coalesce(better.started_at, other.started_at), coalesce(better.completed_at, other.completed_at),
               coalesce(better.duration_ms, other.duration_ms), coalesce(better.prep_duration_ms, other.prep_duration_ms),
               coalesce(better.exec_duration_ms, other.exec_duration_ms), coalesce(better.post_duration_ms, other.post_duration_ms),
               coalesce(better.items_in, other.items_in), coalesce(better.items_out, other.items_out),
               coalesce(better.attempts, other.attempts), coalesce(better.previous_nodes, other.previous_nodes),
               coalesce(better.tokens_used, other.tokens_used), coalesce(better.cost_micros, other.cost_micros),
               coalesce(better.model, other.model), coalesce(better.child_execution_id, other.child_execution_id),
               coalesce(better.error_type, other.error_type), coalesce(better.error_message, other.error_message),
               coalesce(better.error_stack, other.error_stack), coalesce(better.metadata, other.metadata)
          from (select (is_end(excluded.status), excluded.at, excluded.status::text collate "C")
                       >= (is_end(e.status), e.at, e.status::text collate "C") as newer) w,
               lateral (select excluded.* where w.newer union all select e.* where not w.newer) better,
               lateral (select e.* where w.newer union all select excluded.* where not w.newer) other)
    -- Not so where it would stay as it is: whoever told it is answered that nothing is new.
    where (select case when w.newer then w.known || w.told else w.told || w.known end <> w.known
             from (select jsonb_strip_nulls(to_jsonb(e)) as known, jsonb_strip_nulls(to_jsonb(excluded)) as told,
                          (is_end(excluded.status), excluded.at, excluded.status::text collate "C")
                          >= (is_end(e.status), e.at, e.status::text collate "C") as newer) w)
    returning e.id, e.xmax = 0 as is_new
  ) select coalesce(jsonb_object_agg(id, rows), '{}') into v_rows
      from (select id, jsonb_build_array(count(*) filter (where is_new), count(*)) as rows from fresh group by id) c;
  return v_rows;
end $$;

-- p_spans: rows with their run's n, or none for spans whose execution is not known. A span is stored once; one that was
-- there without an execution gets it. Answers the number of new rows by execution ('none' for those without).
create function rollcall_api.write_spans(p_tenant text, p_spans json, p_ids uuid[]) returns jsonb
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_rows jsonb; v_new bigint;
begin
  with fresh as (
    insert into telemetry_spans (tenant_id, trace_id, span_id, parent_span_id, id, name, kind, status, status_message, started_at, ended_at,
                                 attributes, events, links, resource)
    select p_tenant, x.trace_id, x.span_id, x.parent_span_id, p_ids[x.n], x.name, x.kind, x.status, x.status_message, x.started_at, x.ended_at,
           x.attributes, x.events, x.links, x.resource
      from json_to_recordset(p_spans) as x(
        n int, trace_id text, span_id text, parent_span_id text, name text, kind text, status text, status_message text,
        started_at timestamptz, ended_at timestamptz, attributes jsonb, events jsonb, links jsonb, resource jsonb)
    on conflict do nothing
    returning id
  ) select coalesce(jsonb_object_agg(id, rows), '{}'), coalesce(sum(rows), 0) into v_rows, v_new
      from (select coalesce(id::text, 'none') as id, count(*) as rows from fresh group by 1) c;
  if v_new < json_array_length(p_spans) then
    update telemetry_spans s set id = p_ids[x.n]
      from json_to_recordset(p_spans) as x(n int, trace_id text, span_id text, started_at timestamptz)
     where x.n is not null and s.tenant_id = p_tenant and s.trace_id = x.trace_id and s.span_id = x.span_id
       and s.started_at = x.started_at and s.id is null;
  end if;
  return v_rows;
end $$;
