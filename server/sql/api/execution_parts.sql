-- What belongs to one execution: its timeline, spans, events and states. Each function answers {"candidates"} instead
-- when several executions could be meant; see locate_execution.

-- Spans lie in partitions by day: only those days that an execution can have spans on are looked at.
create function rollcall_api.span_days_from(e rollcall.executions) returns timestamptz
language sql stable return e.began - interval '1 day';
create function rollcall_api.span_days_to(e rollcall.executions) returns timestamptz
language sql stable return coalesce(e.completed_at + interval '1 day', 'infinity');

-- The node that a span is the run of, or was made in.
create function rollcall_api.span_node(p_attributes jsonb) returns text
language sql immutable return coalesce(p_attributes->>'n8n.node.name', p_attributes->>'rollcall.node.name');

-- What a timeline is drawn from: {"execution", "nodes", "spans", "children", "truncated"}.
create function rollcall_api.get_execution_timeline(p_tenant text, p_id text, p_instance text, p_nodes int, p_spans int) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_found jsonb;
  v_nodes jsonb;
  v_spans jsonb;
  e executions;
begin
  perform enter(p_tenant);
  v_found := locate_execution(p_tenant, p_id, p_instance);
  if v_found ? 'candidates' then return v_found; end if;
  select * into e from executions where tenant_id = p_tenant and id = (v_found->>'id')::uuid;
  v_nodes := node_runs(p_tenant, e.id, p_nodes + 1);
  select jsonb_agg(jsonb_build_object(
           'trace_id', s.trace_id, 'span_id', s.span_id, 'parent_span_id', s.parent_span_id, 'name', s.name, 'status', s.status,
           'started_at', s.started_at, 'ended_at', s.ended_at, 'node_name', span_node(s.attributes)) order by s.started_at, s.trace_id, s.span_id)
    into v_spans
    from (select * from telemetry_spans t
           where t.tenant_id = p_tenant and t.id = e.id and t.started_at >= span_days_from(e) and t.started_at < span_days_to(e)
           order by t.started_at, t.trace_id, t.span_id limit p_spans + 1) s;
  return jsonb_build_object(
    'execution', execution_json(e),
    'nodes', case when jsonb_array_length(v_nodes) > p_nodes then v_nodes - p_nodes else v_nodes end,
    'spans', case when jsonb_array_length(v_spans) > p_spans then v_spans - p_spans else coalesce(v_spans, '[]') end,
    'children', (select coalesce(jsonb_agg(execution_reference(c) order by c.began, c.id), '[]') from children_of(e, 1000) c),
    'truncated', jsonb_array_length(v_nodes) > p_nodes or coalesce(jsonb_array_length(v_spans) > p_spans, false));
end $$;

-- TelemetrySpans by start, each with `parent_stored`; a page ends early where it would be larger than p_bytes.
create function rollcall_api.list_execution_spans(p_tenant text, p_id text, p_instance text, p_limit int, p_bytes bigint, p_after jsonb default null)
returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_found jsonb;
  v_rows jsonb;
  v_kept int;
  e executions;
begin
  perform enter(p_tenant);
  v_found := locate_execution(p_tenant, p_id, p_instance);
  if v_found ? 'candidates' then return v_found; end if;
  select * into e from executions where tenant_id = p_tenant and id = (v_found->>'id')::uuid;
  with span as materialized (
    select * from telemetry_spans t
     where t.tenant_id = p_tenant and t.id = e.id and t.started_at >= span_days_from(e) and t.started_at < span_days_to(e)
  ), shown as (
    select s.*, sum(size) over (order by started_at, trace_id, span_id) as upto
      from (select t.*, coalesce(length(t.attributes::text), 0) + coalesce(length(t.events::text), 0)
                        + coalesce(length(t.links::text), 0) + coalesce(length(t.resource::text), 0) as size
              from span t
             where p_after is null or (t.started_at, t.trace_id, t.span_id) > ((p_after->>0)::timestamptz, p_after->>1, p_after->>2)
             order by t.started_at, t.trace_id, t.span_id limit p_limit + 1) s
  )
  select jsonb_agg(jsonb_build_object(
           'trace_id', s.trace_id, 'span_id', s.span_id, 'parent_span_id', s.parent_span_id, 'name', s.name, 'kind', s.kind,
           'status', s.status, 'status_message', s.status_message, 'started_at', s.started_at, 'ended_at', s.ended_at,
           'duration_ms', extract(epoch from s.ended_at - s.started_at) * 1000, 'node_name', span_node(s.attributes),
           'attributes', coalesce(s.attributes, '{}'), 'events', coalesce(s.events, '[]'), 'links', coalesce(s.links, '[]'),
           'resource', s.resource,
           -- Not a join: it would go through all of them for each, where nothing is known of how many there are.
           'parent_stored', coalesce((s.trace_id, s.parent_span_id) in (select p.trace_id, p.span_id from span p), false)) order by s.started_at, s.trace_id, s.span_id),
         count(*) filter (where upto <= p_bytes)
    into v_rows, v_kept
    from shown s
   where upto - size <= p_bytes;
  return page(v_rows, least(greatest(v_kept, 1), p_limit), array['started_at', 'trace_id', 'span_id']);
end $$;

-- RunEvents by time. p_filter: {"level"?, "name"?, "node_name"?}.
create function rollcall_api.list_execution_events(p_tenant text, p_id text, p_instance text, p_filter jsonb, p_limit int, p_after jsonb default null)
returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_found jsonb;
  v_rows jsonb;
begin
  perform enter(p_tenant);
  v_found := locate_execution(p_tenant, p_id, p_instance);
  if v_found ? 'candidates' then return v_found; end if;
  select jsonb_agg(jsonb_build_object(
           'event_id', r.event_id, 'at', r.at, 'name', r.name, 'level', coalesce(r.level, 'info'), 'message', r.message,
           'node_name', r.node_name, 'span_id', r.span_id, 'data', r.data) order by r.at, r.event_id)
    into v_rows
    from (select * from telemetry_events v
           where v.tenant_id = p_tenant and v.id = (v_found->>'id')::uuid
             and (p_filter->>'level' is null or coalesce(v.level, 'info') = p_filter->>'level')
             and (p_filter->>'name' is null or v.name = p_filter->>'name')
             and (p_filter->>'node_name' is null or v.node_name = p_filter->>'node_name')
             and (p_after is null or (v.at, v.event_id) > ((p_after->>0)::timestamptz, (p_after->>1)::uuid))
           order by v.at, v.event_id limit p_limit + 1) r;
  return page(v_rows, p_limit, array['at', 'event_id']);
end $$;

-- Snapshots by sequence with `before`, the one that the first of them follows; a page ends early where it would be
-- larger than p_bytes.
create function rollcall_api.list_execution_states(p_tenant text, p_id text, p_instance text, p_limit int, p_bytes bigint, p_after jsonb default null)
returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_found jsonb;
  v_rows jsonb;
  v_kept int;
begin
  perform enter(p_tenant);
  v_found := locate_execution(p_tenant, p_id, p_instance);
  if v_found ? 'candidates' then return v_found; end if;
  with shown as (
    select s.*, sum(size) over (order by sequence) as upto
      from (select t.*, length(t.state::text) as size from shared_state_snapshots t
             where t.tenant_id = p_tenant and t.id = (v_found->>'id')::uuid and (p_after is null or t.sequence > (p_after->>0)::bigint)
             order by t.sequence limit p_limit + 1) s
  )
  select jsonb_agg(jsonb_build_object('sequence', s.sequence, 'at', s.at, 'node_name', s.node_name, 'phase', s.phase, 'state', s.state) order by s.sequence),
         count(*) filter (where upto <= p_bytes)
    into v_rows, v_kept
    from shown s where upto - size <= p_bytes;
  return page(v_rows, least(greatest(v_kept, 1), p_limit), array['sequence']) || jsonb_build_object('before', (
    select jsonb_build_object('state', t.state) from shared_state_snapshots t
     where t.tenant_id = p_tenant and t.id = (v_found->>'id')::uuid and t.sequence <= (p_after->>0)::bigint
     order by t.sequence desc limit 1));
end $$;
