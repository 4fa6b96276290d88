-- Executions as they are answered, and how one is found.

create function rollcall_api.execution_reference(e rollcall.executions) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'id', e.id, 'execution_id', e.execution_id, 'workflow_id', e.workflow_id, 'workflow_name', e.workflow_name,
    'status', e.status, 'started_at', e.started_at, 'duration_ms', e.duration_ms);
$$;

create function rollcall_api.execution_json(e rollcall.executions) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'id', e.id, 'execution_id', e.execution_id, 'instance_id', e.instance_id, 'session_id', e.session_id,
    'project_id', e.project_id, 'workflow_id', e.workflow_id, 'workflow_name', e.workflow_name,
    'workflow_version', e.workflow_version, 'status', e.status, 'mode', e.mode, 'began', e.began,
    'started_at', e.started_at, 'completed_at', e.completed_at, 'duration_ms', e.duration_ms, 'trace_id', e.trace_id,
    'parent_execution_id', e.parent_execution_id, 'retry_of', e.retry_of, 'error_type', e.error_type,
    'error_message', e.error_message, 'error_node', e.error_node, 'last_node', e.last_node,
    'tokens_used', e.tokens_used, 'cost_micros', e.cost_micros, 'currency', e.currency, 'lost_at', e.lost_at,
    'late_end', e.late_end, 'end_untold', e.status = 'running' and e.sources = '{emit}', 'sources', e.sources);
$$;

-- A RunError; null when nothing is known of one.
create function rollcall_api.run_error(p_type text, p_message text, p_stack text, p_node text) returns jsonb
language sql stable as $$
  select case when coalesce(p_type, p_message, p_stack) is not null
    then jsonb_strip_nulls(jsonb_build_object('type', p_type, 'message', coalesce(p_message, p_type, ''), 'stack', p_stack, 'node', p_node)) end;
$$;

-- p_id: our id, also that of an execution which has since been merged into another one, or the id that its own system
-- gave it, within p_instance where that is told. Answers {"id": uuid}, or {"candidates": [...]}, newest first and at
-- most 20, when several could be meant.
create function rollcall_api.locate_execution(p_tenant text, p_id text, p_instance text) returns jsonb
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_id uuid;
  v_found jsonb;
begin
  if p_id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    select e.id into v_id from executions e where e.tenant_id = p_tenant and e.id = p_id::uuid;
    if v_id is null then
      select k.id into v_id from execution_keys k where k.tenant_id = p_tenant and k.key = 'id:' || lower(p_id);
    end if;
    if v_id is not null then return jsonb_build_object('id', v_id); end if;
  end if;
  select jsonb_agg(execution_reference(e) || jsonb_build_object('instance_id', e.instance_id) order by e.began desc, e.id desc) into v_found
    from (select * from executions o
           where o.tenant_id = p_tenant and o.execution_id = p_id and (p_instance is null or o.instance_id = p_instance)
           order by o.began desc, o.id desc limit 20) e;
  if v_found is null then
    raise exception using errcode = 'RC404', message = format('There is no execution %s%s.', quote_literal(p_id),
        case when p_instance is not null then format(' of the instance %s', quote_literal(p_instance)) else '' end),
      hint = 'List them: GET /api/v1/executions.';
  end if;
  return case when jsonb_array_length(v_found) = 1 then jsonb_build_object('id', v_found->0->'id')
              else jsonb_build_object('candidates', v_found) end;
end $$;

-- NodeExecutions by start, at most p_limit. Several tellers have a row each: of every field what the highest rank says,
-- but an end, whoever tells it, wins over a beginning. A node that calls a workflow, and whose teller does not know which
-- run that was, has called the one that began while it ran, if there is just one. (In plpgsql, which keeps its plan: to plan this takes longer than
-- to do it.)
create function rollcall_api.node_runs(p_tenant text, p_id uuid, p_limit int) returns jsonb
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_runs jsonb;
begin
  with run as (
    select n.node_name, n.run_index, n.retry_index,
           coalesce((array_agg(n.status order by n.rank desc, n.at desc) filter (where n.status in ('success', 'error', 'cancelled')))[1],
                    (array_agg(n.status order by n.rank desc, n.at desc))[1]) as status,
           (array_agg(n.node_id order by n.rank desc, n.at desc))[1] as node_id,
           (array_agg(n.node_type order by n.rank desc, n.at desc) filter (where n.node_type is not null))[1] as node_type,
           (array_agg(n.started_at order by n.rank desc, n.at desc) filter (where n.started_at is not null))[1] as started_at,
           (array_agg(n.completed_at order by n.rank desc, n.at desc) filter (where n.completed_at is not null))[1] as completed_at,
           (array_agg(n.duration_ms order by n.rank desc, n.at desc) filter (where n.duration_ms is not null))[1] as duration_ms,
           (array_agg(n.prep_duration_ms order by n.rank desc, n.at desc) filter (where n.prep_duration_ms is not null))[1] as prep_duration_ms,
           (array_agg(n.exec_duration_ms order by n.rank desc, n.at desc) filter (where n.exec_duration_ms is not null))[1] as exec_duration_ms,
           (array_agg(n.post_duration_ms order by n.rank desc, n.at desc) filter (where n.post_duration_ms is not null))[1] as post_duration_ms,
           (array_agg(n.items_in order by n.rank desc, n.at desc) filter (where n.items_in is not null))[1] as items_in,
           (array_agg(n.items_out order by n.rank desc, n.at desc) filter (where n.items_out is not null))[1] as items_out,
           (array_agg(n.attempts order by n.rank desc, n.at desc) filter (where n.attempts is not null))[1] as attempts,
           (array_agg(to_jsonb(n.previous_nodes) order by n.rank desc, n.at desc) filter (where n.previous_nodes <> '{}'))[1] as previous_nodes,
           (array_agg(n.tokens_used order by n.rank desc, n.at desc) filter (where n.tokens_used is not null))[1] as tokens_used,
           (array_agg(n.cost_micros order by n.rank desc, n.at desc) filter (where n.cost_micros is not null))[1] as cost_micros,
           (array_agg(n.model order by n.rank desc, n.at desc) filter (where n.model is not null))[1] as model,
           (array_agg(n.child_execution_id order by n.rank desc, n.at desc) filter (where n.child_execution_id is not null))[1] as child_execution_id,
           (array_agg(n.error_type order by n.rank desc, n.at desc) filter (where n.error_type is not null))[1] as error_type,
           (array_agg(n.error_message order by n.rank desc, n.at desc) filter (where n.error_message is not null))[1] as error_message,
           (array_agg(n.error_stack order by n.rank desc, n.at desc) filter (where n.error_stack is not null))[1] as error_stack,
           (array_agg(n.metadata order by n.rank desc, n.at desc) filter (where n.metadata is not null))[1] as metadata
      from node_executions n
     where n.tenant_id = p_tenant and n.id = p_id
     group by n.node_name, n.run_index, n.retry_index
  ), shown as (
    select * from run order by coalesce(started_at, completed_at), run_index, retry_index, node_name limit p_limit
  ), called as materialized (
    select c.execution_id, c.began from executions e, children_of(e, 1000) c
     where e.tenant_id = p_tenant and e.id = p_id and e.execution_id is not null and c.execution_id is not null
  )
  select coalesce(jsonb_agg(jsonb_build_object(
           'node_id', r.node_id, 'node_name', r.node_name, 'node_type', r.node_type, 'run_index', r.run_index,
           'retry_index', r.retry_index, 'attempts', r.attempts, 'status', r.status, 'started_at', r.started_at,
           'completed_at', r.completed_at, 'duration_ms', r.duration_ms, 'prep_duration_ms', r.prep_duration_ms,
           'exec_duration_ms', r.exec_duration_ms, 'post_duration_ms', r.post_duration_ms, 'items_in', r.items_in,
           'items_out', r.items_out, 'previous_nodes', coalesce(r.previous_nodes, '[]'), 'tokens_used', r.tokens_used,
           'cost_micros', r.cost_micros, 'model', r.model, 'child_execution_id', coalesce(r.child_execution_id, case when r.node_type ~ '[.](executeWorkflow|toolWorkflow|retrieverWorkflow)$' then (
             select min(c.execution_id) from called c
              where c.began >= r.started_at and c.began <= coalesce(r.completed_at, 'infinity') having count(*) = 1) end),
           'error', run_error(r.error_type, r.error_message, r.error_stack, null), 'metadata', r.metadata)
         order by coalesce(r.started_at, r.completed_at), r.run_index, r.retry_index, r.node_name), '[]')
    into v_runs
    from shown r;
  return v_runs;
end $$;

-- The executions that this one called, as its own system names it.
create function rollcall_api.children_of(e rollcall.executions, p_limit int) returns setof rollcall.executions
language sql stable as $$
  select c.* from rollcall.executions c
   where c.tenant_id = e.tenant_id and c.parent_execution_id = e.execution_id and c.id <> e.id
     and coalesce(c.instance_id = e.instance_id, true) and coalesce(c.parent_workflow_id = e.workflow_id, true)
   order by c.began, c.id limit p_limit;
$$;

-- What the nodes of executions used, where nobody tells of the whole: the best word on each run of a node; where no node
-- has one, what spans of model calls say.
create function rollcall_api.sum_tokens(p_tenant text, p_ids uuid[]) returns void
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  if cardinality(p_ids) = 0 then return; end if;
  with meant as materialized (
    select e from executions e where e.tenant_id = p_tenant and e.id = any (p_ids) and not e.said ? 'tokens_used'
  ), used as materialized (
    select (m.e).id, coalesce(
             (select sum(n.tokens) from (
                select (array_agg(x.tokens_used order by x.rank desc, x.at desc))[1] as tokens from node_executions x
                 where x.tenant_id = p_tenant and x.id = (m.e).id and x.tokens_used is not null
                 group by x.node_name, x.run_index, x.retry_index) n),
             (select sum(span_tokens(s.attributes)) from telemetry_spans s
               where s.tenant_id = p_tenant and s.id = (m.e).id
                 and s.started_at >= span_days_from(m.e) and s.started_at < span_days_to(m.e)
                 and not exists (select from telemetry_spans o
                                  where o.tenant_id = p_tenant and o.trace_id = s.trace_id and o.span_id = s.parent_span_id and o.id = s.id
                                    and o.started_at >= span_days_from(m.e) and o.started_at < span_days_to(m.e)
                                    and span_tokens(o.attributes) is not null))) as tokens
      from meant m
  )
  update executions e set tokens_used = u.tokens, updated_at = clock_timestamp()
    from used u
   where e.tenant_id = p_tenant and e.id = u.id and e.tokens_used is distinct from u.tokens and u.tokens is not null;
end $$;
