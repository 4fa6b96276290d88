-- Reading gaps, and the limits by which they are found. What finds them stands in gap_kinds.sql, gap_silence.sql and
-- gap_n8n.sql; gap_checks.sql stores what they found.

-- Only what is open is shouted. What is muted is not, whatever else holds of it.
create function rollcall_api.gap_state(g rollcall.gaps, p_now timestamptz) returns text
language sql stable as $$
  select case when g.closed_at is not null then 'closed' when g.muted_until > p_now then 'muted'
              when g.inhibited_by is not null then 'inhibited' when g.grade = 'cannot_tell' then 'cannot_tell' else 'open' end;
$$;

-- A gap's own row says when something of it changed last; that it still holds, the latest check says of all open ones.
create function rollcall_api.gap_last_seen(g rollcall.gaps) returns timestamptz
language plpgsql stable as $$
begin
  return case when g.closed_at is not null then g.last_seen
              else greatest(g.last_seen, (select c.checked_at from rollcall.gap_checks c where c.tenant_id = g.tenant_id)) end;
end $$;

-- PL/pgSQL keeps its plans, where SQL would plan what it calls anew for every row.
create function rollcall_api.gap_json(g rollcall.gaps, p_now timestamptz) returns jsonb
language plpgsql stable as $$
begin
  return jsonb_build_object(
    'id', g.id, 'kind', g.kind,
    'state', rollcall_api.gap_state(g, p_now), 'severity', g.severity, 'grade', g.grade, 'entity_type', g.entity_type, 'entity_id', g.entity_id,
    'entity_name', coalesce((select e.entity_name from rollcall.entities e
       where e.tenant_id = g.tenant_id and e.entity_type = g.entity_type and e.entity_id = g.entity_id),
       case when g.entity_type = 'n8n_instance' then g.evidence->>'connection' end, g.entity_id),
    'summary', g.summary, 'evidence', g.evidence, 'first_seen', g.first_seen, 'last_seen', rollcall_api.gap_last_seen(g), 'closed_at', g.closed_at,
    'inhibited_by', g.inhibited_by,
    'inhibits', (select count(*) from rollcall.gaps i where i.tenant_id = g.tenant_id and i.inhibited_by = g.id and i.closed_at is null),
    'muted_until', g.muted_until, 'mute_reason', g.mute_reason,
    'fixes', case when g.closed_at is null then rollcall_api.gap_fixes(g) else '[]' end);
end $$;

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
             and (r.closed_at is null) = (coalesce(p_filter->>'state', 'open') <> 'closed')
             and gap_state(r, p_now) = coalesce(p_filter->>'state', 'open')
             and (p_filter->>'grade' is null or r.grade = p_filter->>'grade')
             and (p_filter->>'inhibited_by' is null or r.inhibited_by = (p_filter->>'inhibited_by')::uuid)
             and (p_filter->>'kind' is null or r.kind = p_filter->>'kind')
             and (p_filter->>'severity' is null or r.severity = p_filter->>'severity')
             and (p_filter->>'entity_type' is null or r.entity_type = p_filter->>'entity_type')
             and (p_filter->>'entity_id' is null or r.entity_id = p_filter->>'entity_id')
             and (p_after is null or (r.first_seen, r.id) > ((p_after->>0)::timestamptz, (p_after->>1)::uuid))
           order by r.first_seen, r.id
           limit p_limit + 1) g;
  return page(v_rows, p_limit, array['first_seen', 'id']);
end $$;

create function rollcall_api.gap_rule_json(r rollcall.gap_rules) returns jsonb
language sql stable as $$
  select jsonb_build_object('entity_type', r.entity_type, 'needs_parent', r.needs_parent,
    'silent_after_seconds', extract(epoch from r.silent_after)::bigint,
    'stuck_after_seconds', extract(epoch from r.stuck_after)::bigint, 'grace_seconds', extract(epoch from r.grace)::bigint);
$$;

create function rollcall_api.list_gap_rules(p_tenant text) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  perform enter(p_tenant);
  return jsonb_build_object('next', null, 'items', (
    select coalesce(jsonb_agg(gap_rule_json(r) order by r.entity_type), '[]') from gap_rules r where r.tenant_id = p_tenant));
end $$;

-- p_grace_seconds: null keeps what is stored, five minutes in a new rule.
create function rollcall_api.set_gap_rule(
  p_tenant text, p_type text, p_needs_parent boolean, p_silent_after_seconds float8, p_stuck_after_seconds float8, p_grace_seconds float8 default null
) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare r gap_rules;
begin
  perform enter(p_tenant);
  insert into gap_rules as g (tenant_id, entity_type, needs_parent, silent_after, stuck_after, grace)
  values (p_tenant, p_type, p_needs_parent, make_interval(secs => p_silent_after_seconds), make_interval(secs => p_stuck_after_seconds),
          make_interval(secs => coalesce(p_grace_seconds, 300)))
  on conflict (tenant_id, entity_type) do update set
    needs_parent = excluded.needs_parent, silent_after = excluded.silent_after, stuck_after = excluded.stuck_after,
    grace = case when p_grace_seconds is null then g.grace else excluded.grace end
  returning * into r;
  -- Other limits, other gaps: the next check compares everything.
  update gap_checks set full_at = null where tenant_id = p_tenant;
  update cadence set look_at = '-infinity' where tenant_id = p_tenant;
  return gap_rule_json(r);
end $$;
