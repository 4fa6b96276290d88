-- Executions side by side, and a workflow before and after its changes.

-- One side of a comparison: {"execution", "definition_hash", "nodes", "states": last of each node, "last_state",
-- "truncated"}.
create function rollcall_api.comparison_side(p_tenant text, p_id uuid, p_nodes int, p_bytes bigint) returns jsonb
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  e executions;
  v_nodes jsonb := node_runs(p_tenant, p_id, p_nodes + 1);
  v_states jsonb;
  v_left_out boolean;
begin
  select * into e from executions where tenant_id = p_tenant and id = p_id;
  select jsonb_agg(jsonb_build_object('node_name', s.node_name, 'state', s.state) order by s.sequence desc) filter (where s.upto <= p_bytes),
         bool_or(s.upto > p_bytes)
    into v_states, v_left_out
    from (select l.*, sum(length(l.state::text)) over (order by l.sequence desc) as upto
            from (select distinct on (t.node_name) t.node_name, t.sequence, t.state from shared_state_snapshots t
                   where t.tenant_id = p_tenant and t.id = p_id
                   order by t.node_name, t.sequence desc) l) s;
  return jsonb_build_object(
    'execution', execution_json(e),
    'definition_hash', definition_of(p_tenant, e.workflow_id, e.definition_hash, e.workflow_version),
    'nodes', case when jsonb_array_length(v_nodes) > p_nodes then v_nodes - p_nodes else v_nodes end,
    -- Newest first: the first is the last state of all.
    'states', coalesce(v_states, '[]'),
    'truncated', jsonb_array_length(v_nodes) > p_nodes or coalesce(v_left_out, false));
end $$;

-- {"left", "right", "changes": DefinitionChanges}, or {"candidates", "of"} when one could be several.
create function rollcall_api.get_execution_comparison(
  p_tenant text, p_left text, p_left_instance text, p_right text, p_right_instance text, p_nodes int, p_bytes bigint
) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_left jsonb;
  v_right jsonb;
begin
  perform enter(p_tenant);
  v_left := locate_execution(p_tenant, p_left, p_left_instance);
  if v_left ? 'candidates' then return v_left || '{"of": "left"}'; end if;
  v_right := locate_execution(p_tenant, p_right, p_right_instance);
  if v_right ? 'candidates' then return v_right || '{"of": "right"}'; end if;
  v_left := comparison_side(p_tenant, (v_left->>'id')::uuid, p_nodes, p_bytes);
  v_right := comparison_side(p_tenant, (v_right->>'id')::uuid, p_nodes, p_bytes);
  return jsonb_build_object('left', v_left, 'right', v_right, 'changes',
    case when v_left #>> '{execution,workflow_id}' = v_right #>> '{execution,workflow_id}'
      then changes_between(p_tenant, v_left #>> '{execution,workflow_id}', v_left->>'definition_hash', v_right->>'definition_hash')
      else definition_changes(null, null) end);
end $$;

create function rollcall_api.version_side(p_version text, p_hash text, p_runs bigint, p_errors bigint, p_median float8) returns jsonb
language sql stable as $$
  select jsonb_build_object('version', p_version, 'definition_hash', p_hash, 'runs', p_runs, 'errors', p_errors, 'median_duration_ms', p_median);
$$;

create function rollcall_api.run_mark(p_id uuid, p_execution text, p_began timestamptz) returns jsonb
language sql stable as $$
  select case when p_id is not null then jsonb_build_object('id', p_id, 'execution_id', p_execution, 'began', p_began) end;
$$;

-- VersionChanges of a workflow, newest first. Runs in the order of their starts fall into stretches of one version; each
-- stretch is held against the one before. Of a workflow the newest 10,000 ended runs are looked through a page: where
-- there are more, `next` leads on.
-- p_filter: {"instance_id"?, "from"?, "to"?}.
create function rollcall_api.list_version_changes(p_tenant text, p_workflow text, p_filter jsonb, p_limit int, p_after jsonb default null)
returns jsonb
-- Its joins are of sets whose sizes nobody can estimate: hashed they are never slow.
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp set enable_nestloop = off as $$
declare
  v_scanned constant int := 10000;
  v_rows jsonb;
  v_looked bigint;
  v_oldest jsonb;
begin
  perform enter(p_tenant);
  with run as materialized (
    select e.*, row_number() over (order by e.began, e.id) as n
      from (select o.id, o.execution_id, o.began, o.status::text as status, o.definition_hash, o.duration_ms, o.error_type, o.error_message,
                   coalesce(o.workflow_version, o.definition_hash) as version
              from executions o
             where o.tenant_id = p_tenant and o.workflow_id = p_workflow
               and o.status in ('success', 'error', 'cancelled', 'lost')
               and coalesce(o.workflow_version, o.definition_hash) is not null
               and (p_filter->>'instance_id' is null or o.instance_id = p_filter->>'instance_id')
               and (p_filter->>'from' is null or o.began >= (p_filter->>'from')::timestamptz)
               and (p_filter->>'to' is null or o.began < (p_filter->>'to')::timestamptz)
               and (p_after is null or (o.began, o.id) < ((p_after->>0)::timestamptz, (p_after->>1)::uuid))
             order by o.began desc, o.id desc limit v_scanned) e
  ), marked as (
    select r.*, r.version is distinct from lag(r.version) over (order by r.n) as changes from run r
  ), numbered as (
    select m.*, count(*) filter (where m.changes) over (order by m.n) as stretch from marked m
  ), stretch as (
    select s.stretch, min(s.version) as version, (array_agg(s.definition_hash order by s.n) filter (where s.definition_hash is not null))[1] as hash,
           count(*) as runs, count(*) filter (where s.status in ('error', 'lost')) as errors,
           percentile_cont(0.5) within group (order by s.duration_ms) filter (where s.status = 'success') as median,
           min(s.n) as first_n, max(s.n) filter (where s.status = 'success') as good_n,
           min(s.n) filter (where s.status in ('error', 'lost')) as bad_n
      from numbered s group by s.stretch
  ), change as (
    select s.*, lag(s.version) over w as old_version, lag(s.hash) over w as old_hash, lag(s.runs) over w as old_runs,
           lag(s.errors) over w as old_errors, lag(s.median) over w as old_median,
           max(s.good_n) over (order by s.stretch rows between unbounded preceding and 1 preceding) as last_good_n
      from stretch s window w as (order by s.stretch)
  ), shown as (
    select c.*, row_number() over (order by c.first_n desc) as place from change c where c.stretch > 1 order by c.first_n desc limit p_limit + 1
  )
  select jsonb_agg(jsonb_build_object(
           'workflow_id', p_workflow, 'changed_at', f.began, 'sort', f.id,
           'before', version_side(c.old_version, c.old_hash, c.old_runs, c.old_errors, c.old_median),
           'after', version_side(c.version, c.hash, c.runs, c.errors, c.median),
           'last_good', run_mark(g.id, g.execution_id, g.began), 'first_bad', run_mark(b.id, b.execution_id, b.began), 'error_type', b.error_type, 'error_message', b.error_message,
           'duration_ratio', round((c.median / nullif(c.old_median, 0))::numeric, 3),
           'verdict', case when c.errors * c.old_runs > c.old_errors * c.runs then 'broken'
                           when c.median >= 1.5 * c.old_median and c.median >= c.old_median + 10 then 'slower'
                           else 'fine' end)
           -- As many as are answered: outlines may be large.
           || case when c.place <= p_limit then changes_between(p_tenant, p_workflow, definition_of(p_tenant, p_workflow, c.old_hash, c.old_version),
                                                               definition_of(p_tenant, p_workflow, c.hash, c.version)) else '{}' end
           order by c.first_n desc),
         (select count(*) from run), (select jsonb_build_array(r.began, r.id) from run r where r.n = 2)
    into v_rows, v_looked, v_oldest
    from shown c
    join run f on f.n = c.first_n
    left join run g on g.n = c.last_good_n
    left join run b on b.n = c.bad_n;
  if v_looked < v_scanned or jsonb_array_length(v_rows) > p_limit then
    return page(v_rows, p_limit, array['changed_at', 'sort']);
  end if;
  -- The oldest run that was looked at is looked at again: its version may differ from that of the run before.
  return page(v_rows, p_limit, array['changed_at', 'sort'])
    || jsonb_build_object('next', case when v_rows is null then v_oldest
         else jsonb_build_array(v_rows->-1->'changed_at', v_rows->-1->'sort') end);
end $$;
