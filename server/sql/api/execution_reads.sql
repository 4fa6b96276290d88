-- Reading executions: the list and the detail.

-- Newest first. p_filter: an ExecutionFilter. What an index finds (workflow, status, error_type, parent, trace, session,
-- time) is looked through without end; what it does not (the rest, text above all) in the newest 10,000 that the others
-- leave, and a page may then hold fewer than asked for and yet have a `next`.
-- Each status has a query of its own, since each has its place in an index by time and several together have not.
create function rollcall_api.list_executions(p_tenant text, p_filter jsonb, p_limit int, p_after jsonb default null) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_scanned constant int := 10000;
  v_field   text;
  v_status  text;
  v_found   text := format('e.tenant_id = %L', p_tenant);
  v_looked  text := '';
  v_where   text;
  v_some    rollcall.executions[];
  v_all     rollcall.executions[] := '{}';
  v_end     jsonb;
  v_floor   jsonb;
  v_items   jsonb;
  v_next    jsonb;
begin
  perform enter(p_tenant);
  foreach v_field in array array['workflow_id', 'error_type', 'parent_execution_id', 'trace_id', 'session_id'] loop
    if p_filter ? v_field then v_found := v_found || format(' and e.%I = %L', v_field, p_filter->>v_field); end if;
  end loop;
  if p_filter ? 'from' then v_found := v_found || format(' and e.began >= %L::timestamptz', p_filter->>'from'); end if;
  if p_filter ? 'to'   then v_found := v_found || format(' and e.began < %L::timestamptz', p_filter->>'to'); end if;
  if p_after is not null then
    v_found := v_found || format(' and (e.began, e.id) < (%L::timestamptz, %L::uuid)', p_after->>0, p_after->>1);
  end if;
  foreach v_field in array array['mode', 'instance_id', 'project_id'] loop
    if p_filter ? v_field then v_looked := v_looked || format(' and e.%I = %L', v_field, p_filter->>v_field); end if;
  end loop;
  if p_filter ? 'min_duration_ms' then v_looked := v_looked || format(' and e.duration_ms >= %L::float8', p_filter->>'min_duration_ms'); end if;
  if p_filter ? 'max_duration_ms' then v_looked := v_looked || format(' and e.duration_ms <= %L::float8', p_filter->>'max_duration_ms'); end if;
  if p_filter ? 'text' then
    v_looked := v_looked || format(' and (e.workflow_name ilike %1$L or e.workflow_id ilike %1$L or e.error_message ilike %1$L or e.execution_id ilike %1$L%2$s)',
      '%' || regexp_replace(p_filter->>'text', '([\\%_])', '\\\1', 'g') || '%',
      -- Only what may be a part of it is looked for in our own ids: to make text of each takes as long as all the rest.
      case when p_filter->>'text' ~* '^[0-9a-f-]{1,36}$' then format(' or e.id::text like %L', '%' || lower(p_filter->>'text') || '%') else '' end);
  end if;

  for v_status in select jsonb_array_elements_text(case when jsonb_typeof(p_filter->'status') = 'array' then p_filter->'status' else '[null]' end) loop
    v_where := v_found || case when v_status is null then '' else format(' and e.status = %L', v_status) end;
    execute format('select array_agg(e) from (select e.* from %s order by e.began desc, e.id desc limit %s) e',
      case when v_looked = '' then format('executions e where %s', v_where)
           else format('(select e.* from executions e where %s order by e.began desc, e.id desc limit %s) e where true %s', v_where, v_scanned, v_looked) end,
      p_limit + 1) into v_some;
    v_all := v_all || v_some;
    if v_looked <> '' and coalesce(cardinality(v_some), 0) <= p_limit then
      execute format('select jsonb_build_array(e.began, e.id) from executions e where %s order by e.began desc, e.id desc offset %s limit 1', v_where, v_scanned - 1)
        into v_end;
      if v_floor is null or (v_end->>0)::timestamptz > (v_floor->>0)::timestamptz
         or (v_end->>0)::timestamptz = (v_floor->>0)::timestamptz and (v_end->>1)::uuid > (v_floor->>1)::uuid then
        v_floor := coalesce(v_end, v_floor);
      end if;
    end if;
  end loop;
  -- Below where one of the statuses was not looked through, the others say nothing either.
  with found as (
    select f as e, row_number() over (order by f.began desc, f.id desc) as n from unnest(v_all) f
     where v_floor is null or (f.began, f.id) >= ((v_floor->>0)::timestamptz, (v_floor->>1)::uuid)
     order by n limit p_limit + 1
  )
  select coalesce(jsonb_agg(execution_json(f.e) order by f.n) filter (where f.n <= p_limit), '[]'),
         case when count(*) > p_limit then (array_agg(jsonb_build_array((f.e).began, (f.e).id) order by f.n))[p_limit] else v_floor end
    into v_items, v_next
    from found f;
  return jsonb_build_object('items', v_items, 'next', v_next);
end $$;

-- An ExecutionDetail, or {"candidates"}; see locate_execution.
create function rollcall_api.get_execution(p_tenant text, p_id text, p_instance text, p_nodes int) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_found jsonb;
  v_nodes jsonb;
  v_children jsonb;
  v_count bigint;
  e executions;
begin
  perform enter(p_tenant);
  v_found := locate_execution(p_tenant, p_id, p_instance);
  if v_found ? 'candidates' then return v_found; end if;
  select * into e from executions where tenant_id = p_tenant and id = (v_found->>'id')::uuid;
  v_nodes := node_runs(p_tenant, e.id, p_nodes);
  v_count := jsonb_array_length(v_nodes);
  if v_count = p_nodes then
    select count(*) into v_count from (select distinct node_name, run_index, retry_index from node_executions where tenant_id = p_tenant and id = e.id) n;
  end if;
  select jsonb_agg(execution_reference(c) order by c.began, c.id) into v_children from children_of(e, 201) c;
  return execution_json(e) || jsonb_build_object(
    'definition_hash', e.definition_hash, 'status_at', e.status_at, 'wait_till', e.wait_till,
    'error', run_error(e.error_type, e.error_message, e.error_stack, e.error_node), 'metadata', e.metadata,
    'first_reported_at', e.first_reported_at, 'updated_at', e.updated_at,
    'counts', jsonb_build_object(
      'node_executions', v_count,
      'telemetry_spans', (select count(*) from telemetry_spans s
         where s.tenant_id = p_tenant and s.id = e.id and s.started_at >= span_days_from(e) and s.started_at < span_days_to(e)),
      'telemetry_events', (select count(*) from telemetry_events v where v.tenant_id = p_tenant and v.id = e.id),
      'shared_state_snapshots', (select count(*) from shared_state_snapshots s where s.tenant_id = p_tenant and s.id = e.id)),
    'node_executions', v_nodes, 'nodes_truncated', v_count > p_nodes,
    'parent', (select execution_reference(p) from executions p
       where p.tenant_id = p_tenant and p.execution_id = e.parent_execution_id and p.id <> e.id
         and coalesce(p.instance_id = e.instance_id, true) and coalesce(p.workflow_id = e.parent_workflow_id, true)
       order by p.began desc, p.id desc limit 1),
    'children', (select coalesce(jsonb_agg(c order by n), '[]') from jsonb_array_elements(v_children) with ordinality c(c, n) where n <= 200),
    'children_truncated', coalesce(jsonb_array_length(v_children) > 200, false),
    'repeats', (select execution_reference(o) from executions o
       where o.tenant_id = p_tenant and o.execution_id = e.retry_of and o.id <> e.id and coalesce(o.instance_id = e.instance_id, true)
         and o.workflow_id = e.workflow_id
       order by o.began desc, o.id desc limit 1),
    'retries', (select coalesce(jsonb_agg(execution_reference(r.row) order by r.began, r.id), '[]') from (
       select o as row, o.began, o.id from executions o
        where o.tenant_id = p_tenant and o.retry_of = e.execution_id and o.id <> e.id and coalesce(o.instance_id = e.instance_id, true)
          and o.workflow_id = e.workflow_id
        order by o.began, o.id limit 50) r));
end $$;
