-- Finding gaps. Each kind is one query over whole sets; check_gaps stores what they found.
-- `unreported`, `missing`, `uninstrumented` and `drifted` join find_gaps once n8n's own inventory is known.

create function rollcall_api.duration_text(p interval) returns text
language sql immutable as $$
  select case
    when p >= interval '2 days' then floor(extract(epoch from p) / 86400) || ' days'
    when p >= interval '2 hours' then floor(extract(epoch from p) / 3600) || ' hours'
    when p >= interval '2 minutes' then floor(extract(epoch from p) / 60) || ' minutes'
    else floor(extract(epoch from p)) || ' seconds' end;
$$;

create function rollcall_api.find_gaps(p_tenant text, p_now timestamptz)
returns table (kind text, entity_type text, entity_id text, subject text, severity text, summary text, evidence jsonb)
language sql stable as $$
  with rule as materialized (
    select t.entity_type, r.needs_parent, r.silent_after, r.stuck_after
      from (select distinct e.entity_type::text from rollcall.entities e where e.tenant_id = p_tenant) t(entity_type)
     cross join lateral (
       select * from rollcall.gap_rules g
        where g.tenant_id = p_tenant and g.entity_type in (t.entity_type, '*')
        order by g.entity_type = '*' limit 1) r
  ), entity as materialized (
    select e.entity_type::text, e.entity_id, e.entity_name, e.current_state::text, e.state_since, e.health_status::text,
           e.parent_type::text, e.parent_id,
           coalesce(e.silent_after, r.silent_after) as silent_after, r.stuck_after, r.needs_parent,
           greatest(e.last_heartbeat, a.last_seen) as last_activity
      from rollcall.entities e
      join rule r on r.entity_type = e.entity_type
      left join rollcall.activity a on a.tenant_id = p_tenant and a.entity_id = e.entity_id
     where e.tenant_id = p_tenant
  )
  -- unregistered: named by telemetry, unknown to the registry (a deleted entity is known). What it was first
  -- taken for stays while the gap is open, or each other protocol would make another gap of it.
  select 'unregistered',
         case when k.entity_type is not null then k.entity_type::text
              when a.last_protocol = 'mcp' and a.as_target > 0 then 'mcp_server'
              when a.last_protocol = 'a2a' then 'team'
              when a.last_protocol = 'n8n' and a.as_source > 0 then 'workflow'
              else 'service' end,
         a.entity_id, '', 'warning',
         format('%s is named in telemetry (%s so far) but is not registered.', a.entity_id, case a.as_source + a.as_target when 1 then 'one event' else a.as_source + a.as_target || ' events' end),
         jsonb_build_object('first_seen', a.first_seen, 'last_seen', a.last_seen, 'as_source', a.as_source, 'as_target', a.as_target,
                            'errors', a.errors, 'last_protocol', a.last_protocol, 'last_peer', a.last_peer)
    from rollcall.activity a
    left join rollcall.gaps k
      on k.tenant_id = p_tenant and k.kind = 'unregistered' and k.entity_id = a.entity_id and k.closed_at is null
   where a.tenant_id = p_tenant
     and not exists (select from rollcall.entities e where e.tenant_id = p_tenant and e.entity_id = a.entity_id)
  union all
  -- silent: active, and quiet for longer than its limit
  select 'silent', e.entity_type, e.entity_id, '', 'critical',
         case when e.last_activity is null
           then format('%s is active but has never reported; %s since it became active.', e.entity_name, rollcall_api.duration_text(p_now - e.state_since))
           else format('%s is active but has been quiet for %s.', e.entity_name, rollcall_api.duration_text(p_now - e.last_activity)) end,
         jsonb_build_object('last_activity', e.last_activity, 'active_since', e.state_since,
                            'silent_after_seconds', extract(epoch from e.silent_after)::bigint)
    from entity e
   where e.current_state = 'active' and greatest(e.last_activity, e.state_since) < p_now - e.silent_after
  union all
  -- orphaned: without the parent its type needs, or below one that is gone
  select 'orphaned', e.entity_type, e.entity_id, '', 'warning',
         case when e.parent_id is null then format('%s has no parent, and every %s needs one.', e.entity_name, e.entity_type)
              when p.entity_id is null then format('%s is below %s %s, which is not registered.', e.entity_name, e.parent_type, e.parent_id)
              else format('%s is below %s %s, which is deleted.', e.entity_name, e.parent_type, e.parent_id) end,
         jsonb_build_object('parent_type', e.parent_type, 'parent_id', e.parent_id, 'parent_state', p.current_state,
                            'needs_parent', e.needs_parent)
    from entity e
    left join entity p on p.entity_type = e.parent_type and p.entity_id = e.parent_id
   where e.current_state not in ('deleted', 'archived')
     and case when e.parent_id is null then e.needs_parent else coalesce(p.current_state, 'deleted') = 'deleted' end
  union all
  -- broken_dependency: leans on something unregistered, deleted, inactive or unhealthy
  select 'broken_dependency', e.entity_type, e.entity_id, d.target_type || '/' || d.target_id, 
         case when t.entity_id is null or t.current_state in ('deleted', 'archived') or t.health_status = 'unhealthy' then 'critical' else 'warning' end,
         format('%s depends on %s %s, which is %s.', e.entity_name, d.target_type, coalesce(t.entity_name, d.target_id),
                case when t.entity_id is null then 'not registered'
                     when t.current_state in ('deleted', 'archived', 'inactive', 'error') then t.current_state else t.health_status end),
         jsonb_build_object('target_type', d.target_type, 'target_id', d.target_id, 'origin', d.origin,
                            'target_registered', t.entity_id is not null, 'target_state', t.current_state, 'target_health', t.health_status)
    from rollcall.entity_dependencies d
    join entity e on e.entity_type = d.entity_type and e.entity_id = d.entity_id
    left join entity t on t.entity_type = d.target_type and t.entity_id = d.target_id
   where d.tenant_id = p_tenant
     and e.current_state not in ('deleted', 'archived', 'inactive')
     and (t.entity_id is null or t.current_state in ('deleted', 'archived', 'inactive', 'error') or t.health_status = 'unhealthy')
  union all
  -- stuck: in a transitional state for too long
  select 'stuck', e.entity_type, e.entity_id, '', 'warning',
         format('%s has been %s for %s.', e.entity_name, e.current_state, rollcall_api.duration_text(p_now - e.state_since)),
         jsonb_build_object('current_state', e.current_state, 'state_since', e.state_since, 'last_activity', e.last_activity,
                            'stuck_after_seconds', extract(epoch from e.stuck_after)::bigint)
    from entity e
   where e.current_state in ('created', 'deploying') and e.state_since < p_now - e.stuck_after;
$$;

-- Who changes gaps takes this first, before any row of theirs: a check writes all of them.
create function rollcall_api.lock_gaps(p_tenant text) returns void
language sql as $$
  select pg_advisory_xact_lock(hashtextextended('rollcall.gaps:' || p_tenant, 0));
$$;

-- Compares what is missing now with what was known: opens, refreshes and closes. Answers a GapCheck.
create function rollcall_api.check_gaps(p_tenant text, p_now timestamptz) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_started timestamptz := clock_timestamp();
  v_opened bigint;
  v_closed bigint;
begin
  perform enter(p_tenant);
  perform lock_gaps(p_tenant);
  with found as materialized (
    select * from find_gaps(p_tenant, p_now)
  ), stored as (
    insert into gaps as g (tenant_id, kind, entity_type, entity_id, subject, severity, summary, evidence, first_seen, last_seen)
    select p_tenant, f.kind, f.entity_type, f.entity_id, f.subject, f.severity, f.summary, f.evidence, p_now, p_now from found f
    on conflict (tenant_id, kind, entity_type, entity_id, subject) do update set
      severity = excluded.severity, summary = excluded.summary, evidence = excluded.evidence, last_seen = excluded.last_seen,
      first_seen = case when g.closed_at is null then g.first_seen else excluded.first_seen end,
      closed_at = null
    returning g.*
  ), closing as (
    update gaps g set closed_at = p_now
     where g.tenant_id = p_tenant and g.closed_at is null
       and not exists (select from found f where f.kind = g.kind and f.entity_type = g.entity_type
                                             and f.entity_id = g.entity_id and f.subject = g.subject)
    returning g.*
  ), change as (
    select 'opened' as change, s.* from stored s where s.first_seen = p_now
    union all
    select 'closed', c.* from closing c
  ), page as (
    select jsonb_build_object('gaps', jsonb_agg(jsonb_build_object('id', c.id, 'change', c.change, 'kind', c.kind,
             'severity', c.severity, 'entity_type', c.entity_type, 'entity_id', c.entity_id))) as body
      from (select *, row_number() over (order by id) - 1 as n from change) c
     group by c.n / 100
  ), announced as materialized (
    select announce(p_tenant, 'gaps', body) from page
  )
  select (select count(*) from change where change = 'opened'), (select count(*) from change where change = 'closed')
    into v_opened, v_closed
    from (select count(*) from announced) a;
  return jsonb_build_object(
    'checked_at', p_now,
    'duration_ms', round(extract(epoch from clock_timestamp() - v_started) * 1000, 1),
    'opened', v_opened, 'closed', v_closed,
    'open', (select count(*) from gaps where tenant_id = p_tenant and closed_at is null and coalesce(muted_until, p_now) <= p_now),
    'muted', (select count(*) from gaps where tenant_id = p_tenant and closed_at is null and muted_until > p_now),
    'by_kind', (select coalesce(jsonb_object_agg(k, n), '{}') from (
        select kind as k, count(*) as n from gaps
         where tenant_id = p_tenant and closed_at is null and coalesce(muted_until, p_now) <= p_now group by 1) c));
end $$;

create function rollcall_api.gap_json(g rollcall.gaps, p_now timestamptz) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'id', g.id, 'kind', g.kind,
    'state', case when g.closed_at is not null then 'closed' when g.muted_until > p_now then 'muted' else 'open' end,
    'severity', g.severity, 'entity_type', g.entity_type, 'entity_id', g.entity_id,
    'entity_name', coalesce((select e.entity_name from rollcall.entities e
       where e.tenant_id = g.tenant_id and e.entity_type = g.entity_type and e.entity_id = g.entity_id), g.entity_id),
    'summary', g.summary, 'evidence', g.evidence, 'first_seen', g.first_seen, 'last_seen', g.last_seen, 'closed_at', g.closed_at,
    'muted_until', g.muted_until, 'mute_reason', g.mute_reason,
    'fixes', case when g.closed_at is null then rollcall_api.gap_fixes(g) else '[]' end);
$$;

create function rollcall_api.get_gap(p_tenant text, p_gap uuid, p_now timestamptz) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare g gaps;
begin
  perform enter(p_tenant);
  select * into g from gaps where tenant_id = p_tenant and id = p_gap;
  if not found then
    raise exception using errcode = 'RC404', message = format('There is no gap %s.', p_gap), hint = 'List the gaps: GET /api/v1/gaps.';
  end if;
  return gap_json(g, p_now);
end $$;

-- Longest open first. p_filter: a GapFilter; open gaps when it names no state.
create function rollcall_api.list_gaps(p_tenant text, p_filter jsonb, p_now timestamptz, p_limit int, p_after jsonb default null)
returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_rows jsonb;
begin
  perform enter(p_tenant);
  select jsonb_agg(gap_json(g, p_now) order by g.first_seen, g.id) into v_rows
    from (select * from gaps r
           where r.tenant_id = p_tenant
             and case coalesce(p_filter->>'state', 'open')
                   when 'closed' then r.closed_at is not null
                   when 'muted' then r.closed_at is null and r.muted_until > p_now
                   else r.closed_at is null and coalesce(r.muted_until, p_now) <= p_now end
             and (p_filter->>'kind' is null or r.kind = p_filter->>'kind')
             and (p_filter->>'severity' is null or r.severity = p_filter->>'severity')
             and (p_filter->>'entity_type' is null or r.entity_type = p_filter->>'entity_type')
             and (p_filter->>'entity_id' is null or r.entity_id = p_filter->>'entity_id')
             and (p_after is null or (r.first_seen, r.id) > ((p_after->>0)::timestamptz, (p_after->>1)::uuid))
           order by r.first_seen, r.id
           limit p_limit + 1) g;
  return page(v_rows, p_limit, array['first_seen', 'id']);
end $$;

create function rollcall_api.list_gap_rules(p_tenant text) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  perform enter(p_tenant);
  return jsonb_build_object('next', null, 'items', (
    select coalesce(jsonb_agg(jsonb_build_object('entity_type', r.entity_type, 'needs_parent', r.needs_parent,
             'silent_after_seconds', extract(epoch from r.silent_after)::bigint,
             'stuck_after_seconds', extract(epoch from r.stuck_after)::bigint) order by r.entity_type), '[]')
      from gap_rules r where r.tenant_id = p_tenant));
end $$;

create function rollcall_api.set_gap_rule(p_tenant text, p_type text, p_needs_parent boolean, p_silent_after_seconds float8, p_stuck_after_seconds float8)
returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  perform enter(p_tenant);
  insert into gap_rules (tenant_id, entity_type, needs_parent, silent_after, stuck_after)
  values (p_tenant, p_type, p_needs_parent, make_interval(secs => p_silent_after_seconds), make_interval(secs => p_stuck_after_seconds))
  on conflict (tenant_id, entity_type) do update set
    needs_parent = excluded.needs_parent, silent_after = excluded.silent_after, stuck_after = excluded.stuck_after;
  return jsonb_build_object('entity_type', p_type, 'needs_parent', p_needs_parent,
    'silent_after_seconds', p_silent_after_seconds, 'stuck_after_seconds', p_stuck_after_seconds);
end $$;
