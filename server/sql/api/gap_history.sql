-- What became of gaps, and what is yet to come.

-- By the clock of who mutes or unmutes in this transaction, for the history below.
create function rollcall_api.by_clock(p_now timestamptz) returns void
language sql as $$ select set_config('rollcall.now', p_now::text, true) $$;

-- Whoever changes a gap, its history is written with it.
create function rollcall_api.note_gap_history() returns trigger
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_now timestamptz := coalesce(nullif(current_setting('rollcall.now', true), '')::timestamptz, clock_timestamp());
begin
  if tg_op = 'INSERT' then
    insert into gap_history (tenant_id, gap_id, at, change, became, evidence)
    select n.tenant_id, n.id, n.first_seen, 'opened', n.severity, n.evidence from new_rows n order by n.id;
    return null;
  end if;
  insert into gap_history (tenant_id, gap_id, at, change, was, became, evidence)
  select n.tenant_id, n.id, c.at, c.change, c.was, c.became, c.evidence
    from new_rows n join old_rows o on o.id = n.id
   cross join lateral (values
     (o.closed_at is null and n.closed_at is not null, 1, n.closed_at, 'closed', null, null, o.evidence),
     (o.closed_at is not null and n.closed_at is null, 1, n.first_seen, 'reopened', null, n.severity, n.evidence),
     (o.closed_at is null and n.closed_at is null and o.severity <> n.severity, 2, n.last_seen, 'severity', o.severity, n.severity, n.evidence),
     (o.closed_at is null and n.closed_at is null and o.grade <> n.grade, 3, n.last_seen, 'grade', o.grade, n.grade, n.evidence),
     (n.inhibited_by is not null and n.inhibited_by is distinct from o.inhibited_by, 4, n.last_seen, 'inhibited', o.inhibited_by::text, n.inhibited_by::text, null),
     (n.inhibited_by is null and o.inhibited_by is not null and n.closed_at is null and o.closed_at is null, 4, n.last_seen, 'released', o.inhibited_by::text, null, null),
     (n.muted_until is not null and n.muted_until is distinct from o.muted_until, 5, v_now, 'muted', null, n.muted_by,
        jsonb_build_object('until', n.muted_until, 'reason', n.mute_reason)),
     (n.muted_until is null and o.muted_until is not null, 5, v_now, 'unmuted', null, n.muted_by, null)
   ) c(holds, place, at, change, was, became, evidence)
   where c.holds
   order by n.id, c.place;
  return null;
end $$;

create trigger history_of_opened after insert on rollcall.gaps
  referencing new table as new_rows for each statement execute function rollcall_api.note_gap_history();
create trigger history_of_changed after update on rollcall.gaps
  referencing old table as old_rows new table as new_rows for each statement execute function rollcall_api.note_gap_history();

-- A GapDetail: the gap, its latest hundred changes, and up to a hundred gaps that it explains.
create function rollcall_api.show_gap(p_tenant text, p_gap uuid, p_now timestamptz) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_gap jsonb;
begin
  v_gap := get_gap(p_tenant, p_gap, p_now);
  return v_gap || jsonb_build_object(
    'history', (select coalesce(jsonb_agg(jsonb_build_object('at', h.at, 'change', h.change, 'from', h.was, 'to', h.became, 'evidence', h.evidence) order by h.id), '[]')
                  from (select * from gap_history r where r.tenant_id = p_tenant and r.gap_id = p_gap order by r.id desc limit 100) h),
    'inhibited', (select coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'kind', c.kind, 'entity_type', c.entity_type, 'entity_id', c.entity_id,
                           'summary', c.summary, 'first_seen', c.first_seen) order by c.first_seen, c.id), '[]')
                    from (select * from gaps i where i.tenant_id = p_tenant and i.inhibited_by = p_gap and i.closed_at is null
                           order by i.first_seen, i.id limit 100) c));
end $$;

-- What would become a gap until p_now + p_ahead_seconds if nothing reported: {"until", "total", "items": [...]}, soonest
-- first, at most p_limit of them. Writes nothing.
create function rollcall_api.simulate_gaps(p_tenant text, p_now timestamptz, p_ahead_seconds float8, p_limit int) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_until timestamptz := p_now + make_interval(secs => p_ahead_seconds);
begin
  perform enter(p_tenant);
  return (
    with coming as materialized (
      select f.since as at, f.kind, f.entity_type, f.entity_id, f.subject, f.severity, f.grade, f.summary, f.evidence
        from find_gaps(p_tenant, v_until) f where f.since >= p_now
      union all
      select g.muted_until, g.kind, g.entity_type, g.entity_id, g.subject, g.severity, g.grade, g.summary, g.evidence || jsonb_build_object('mute_ends', g.muted_until)
        from gaps g where g.tenant_id = p_tenant and g.closed_at is null and g.muted_until > p_now and g.muted_until <= v_until
    ), first as (
      select * from coming c order by c.at, c.kind, c.entity_type, c.entity_id, c.subject limit p_limit
    )
    select jsonb_build_object('from', p_now, 'until', v_until, 'total', (select count(*) from coming),
      'items', coalesce(jsonb_agg(jsonb_build_object('at', f.at, 'kind', f.kind, 'entity_type', f.entity_type, 'entity_id', f.entity_id,
        'severity', f.severity, 'grade', f.grade, 'summary', f.summary, 'evidence', f.evidence)
        order by f.at, f.kind, f.entity_type, f.entity_id, f.subject), '[]')) from first f);
end $$;
