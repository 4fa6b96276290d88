-- What has become of the fleet from one moment to another, and the report of it that is kept each week.

-- Everything that happened from p_from until before p_to, each thing once: section, entity, time and one sentence.
create function rollcall_api.fleet_changes(p_tenant text, p_from timestamptz, p_to timestamptz)
returns table (section text, entity_type text, entity_id text, at timestamptz, what text, kind text, severity text, gap_id uuid, by text, closed boolean)
language sql stable as $$
  -- The registry: of an entity that came and went, the last word counts.
  select case when s.to_state in ('deleted', 'archived') then 'vanished' else 'appeared' end,
         s.entity_type::text, s.entity_id, s.changed_at,
         case when s.to_state = 'deleted' then 'Deleted from the registry' || coalesce(': ' || s.reason, '') || '.'
              when s.to_state = 'archived' then 'Archived' || coalesce(': ' || s.reason, '') || '.'
              when s.from_state = 'deleted' then 'Registered again.' else 'Registered.' end,
         null, null, null::uuid, s.changed_by, false
    from (select distinct on (h.entity_type, h.entity_id) h.*
            from rollcall.entity_states h
           where h.tenant_id = p_tenant and h.changed_at >= p_from and h.changed_at < p_to
             and (h.from_state is null or h.from_state = 'deleted' or h.to_state in ('deleted', 'archived'))
             and h.from_state is distinct from h.to_state
           order by h.entity_type, h.entity_id, h.id desc) s
  union all
  -- What checks found; left out is what another gap explains from its beginning. One check gives all its changes the same
  -- time, so that is compared in a way that no index on times is of use for.
  select case when g.kind in ('unregistered', 'unreported') then 'appeared' when g.kind = 'missing' then 'vanished'
              when g.kind in ('drifted', 'silent') then g.kind::text else 'other' end,
         g.entity_type::text, g.entity_id, h.at, g.summary, g.kind::text, g.severity, g.id, null, coalesce(g.closed_at < p_to, false)
    from (select distinct on (o.gap_id) o.gap_id, o.at from rollcall.gap_history o
           where o.tenant_id = p_tenant and o.at >= p_from and o.at < p_to and o.change in ('opened', 'reopened')
           order by o.gap_id, o.id desc) h
    join rollcall.gaps g on g.id = h.gap_id
   where g.tenant_id = p_tenant and g.grade <> 'cannot_tell' and not exists (select from rollcall.gap_history i
                     where i.tenant_id = p_tenant and i.gap_id = h.gap_id and i.change = 'inhibited' and i.at - h.at = interval '0')
  union all
  select 'fixed', g.entity_type::text, g.entity_id, h.at, g.summary || coalesce(' ' || f.summary, ''), g.kind::text, g.severity, g.id, f.actor, true
    from (select distinct on (c.gap_id) c.gap_id, c.at from rollcall.gap_history c
           where c.tenant_id = p_tenant and c.at >= p_from and c.at < p_to and c.change = 'closed'
           order by c.gap_id, c.id desc) h
    join rollcall.gaps g on g.id = h.gap_id
    left join lateral (select x.summary, x.actor from rollcall.gap_fixes x
                        where x.tenant_id = p_tenant and x.gap_id = h.gap_id and x.status = 'done' and x.action <> 'mute'
                          and x.at >= g.first_seen and x.at <= h.at order by x.at desc limit 1) f on true
   where g.tenant_id = p_tenant and g.grade <> 'cannot_tell' and not exists (select from rollcall.gap_history i
                     where i.tenant_id = p_tenant and i.gap_id = h.gap_id and i.change = 'inhibited' and i.at - g.first_seen = interval '0');
$$;

-- An AuditReport without its links. Fleet and open gaps are told as they are at p_to, as far as that is known now.
-- p_bound: p_to, or infinity where that is now, for the clocks of server and database differ.
create function rollcall_api.build_audit(p_tenant text, p_from timestamptz, p_to timestamptz, p_bound timestamptz, p_most int) returns jsonb
language sql stable as $$
  with ranked as materialized (
    select c.*, row_number() over (partition by c.section order by c.at desc, c.entity_type, c.entity_id, c.what) as n
      from rollcall_api.fleet_changes(p_tenant, p_from, p_bound) c
  ), listed as (
    select r.section, count(*) as total,
           coalesce(jsonb_agg(jsonb_build_object(
             'entity_type', r.entity_type, 'entity_id', r.entity_id, 'entity_name', coalesce(e.entity_name, r.entity_id), 'at', r.at,
             'what', r.what, 'kind', r.kind, 'severity', r.severity, 'gap_id', r.gap_id,
             'by', case when r.section = 'appeared' then coalesce(e.registered_by, r.by) else r.by end,
             'current_state', e.current_state, 'closed', r.closed) order by r.n) filter (where r.n <= p_most), '[]') as items
      from ranked r
      left join rollcall.entities e
        on e.tenant_id = p_tenant and e.entity_type = r.entity_type and e.entity_id = r.entity_id and r.n <= p_most
     group by r.section
  ), fleet as materialized (
    select e.entity_type::text, e.current_state::text, count(*) as n
      from rollcall.entities e
     where e.tenant_id = p_tenant and e.current_state <> 'deleted' and e.created_at < p_bound
     group by 1, 2
  ), open as materialized (
    select g.kind::text, g.severity, coalesce(g.muted_until > p_to, false) as muted, count(*) as n
      from rollcall.gaps g
     where g.tenant_id = p_tenant and g.first_seen < p_bound and (g.closed_at is null or g.closed_at >= p_bound)
       and g.inhibited_by is null and g.grade <> 'cannot_tell'
     group by 1, 2, 3
  )
  select jsonb_build_object(
    'from', p_from, 'to', p_to,
    'sections', (select jsonb_object_agg(s.name, jsonb_build_object('total', coalesce(l.total, 0), 'items', coalesce(l.items, '[]')))
                   from unnest(array['appeared', 'vanished', 'drifted', 'silent', 'other', 'fixed']) s(name)
                   left join listed l on l.section = s.name),
    'fleet', jsonb_build_object(
      'entities', (select coalesce(sum(n), 0) from fleet),
      'by_type', (select coalesce(jsonb_object_agg(t, n), '{}') from (select entity_type as t, sum(n) as n from fleet group by 1) x),
      'by_state', (select coalesce(jsonb_object_agg(s, n), '{}') from (select current_state as s, sum(n) as n from fleet group by 1) x)),
    'open', jsonb_build_object(
      'total', (select coalesce(sum(n), 0) from open where not muted),
      'muted', (select coalesce(sum(n), 0) from open where muted),
      'by_kind', (select coalesce(jsonb_object_agg(k, n), '{}') from (select kind as k, sum(n) as n from open where not muted group by 1) x),
      'by_severity', (select coalesce(jsonb_object_agg(s, n), '{}') from (select severity as s, sum(n) as n from open where not muted group by 1) x)));
$$;

-- Until p_now.
create function rollcall_api.audit_report(p_tenant text, p_from timestamptz, p_now timestamptz, p_most int) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  perform enter(p_tenant);
  return build_audit(p_tenant, p_from, p_now, 'infinity', p_most);
end $$;

-- Keeps the report of what happened since the last one until this week began (Monday, UTC); null when it is kept already.
create function rollcall_api.keep_weekly_audit(p_tenant text, p_now timestamptz, p_most int) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_to   timestamptz := date_trunc('week', p_now, 'UTC');
  v_from timestamptz;
  v_id   uuid;
begin
  perform enter(p_tenant);
  if exists (select from audits where tenant_id = p_tenant and period_to >= v_to)
     or exists (select from tenants where tenant_id = p_tenant and created_at >= v_to) then
    return null;
  end if;
  select coalesce(max(period_to), v_to - interval '7 days') into v_from from audits where tenant_id = p_tenant;
  insert into audits (tenant_id, period_from, period_to, created_at, report)
  values (p_tenant, v_from, v_to, p_now, build_audit(p_tenant, v_from, v_to, v_to, p_most))
  on conflict (tenant_id, period_to) do nothing
  returning id into v_id;
  return to_jsonb(v_id);
end $$;

-- Latest first, without their items.
create function rollcall_api.list_audits(p_tenant text, p_limit int, p_after jsonb default null) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_rows jsonb;
begin
  perform enter(p_tenant);
  select jsonb_agg(jsonb_build_object(
           'id', a.id, 'period_from', a.period_from, 'period_to', a.period_to, 'created_at', a.created_at,
           'totals', (select jsonb_object_agg(s.key, s.value->'total') from jsonb_each(a.report->'sections') s),
           'open_gaps', a.report #> '{open,total}') order by a.period_to desc) into v_rows
    from (select * from audits r
           where r.tenant_id = p_tenant and (p_after is null or r.period_to < (p_after->>0)::timestamptz)
           order by r.period_to desc limit p_limit + 1) a;
  return page(v_rows, p_limit, array['period_to']);
end $$;

create function rollcall_api.get_audit(p_tenant text, p_audit uuid) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare a audits;
begin
  perform enter(p_tenant);
  select * into a from audits where tenant_id = p_tenant and id = p_audit;
  if not found then
    raise exception using errcode = 'RC404', message = format('There is no audit %s.', p_audit), hint = 'List the audits: GET /api/v1/audits.';
  end if;
  return jsonb_build_object('id', a.id, 'created_at', a.created_at, 'report', a.report);
end $$;
