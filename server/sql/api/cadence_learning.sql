-- What history says of rhythms: what lies between two arrivals, and in which hours of the week there are any.

-- Hours of silence after which it is improbable (less likely than one in a thousand), by hour of the week of the last
-- arrival. p_share: the probability of an arrival in each hour of the week. At most four weeks.
create function rollcall_api.patience(p_share real[]) returns int[]
language plpgsql immutable as $$
declare
  v_surprise double precision[] := array(select -ln(1 - least(s, 0.95)) from unnest(p_share) with ordinality u(s, n) order by n);
  v_patience int[] := '{}';
  v_sum      double precision := 0;
  v_end      int := 0;
begin
  for v_hour in 0..167 loop
    -- The hour of the arrival itself is not waited for.
    if v_end <= v_hour then
      v_end := v_hour + 1;
      v_sum := v_surprise[v_end % 168 + 1];
    else
      v_sum := v_sum - v_surprise[v_hour % 168 + 1];
    end if;
    while v_sum < 6.9 and v_end - v_hour < 672 loop
      v_end := v_end + 1;
      v_sum := v_sum + v_surprise[v_end % 168 + 1];
    end loop;
    v_patience := v_patience || (v_end - v_hour + 1);
  end loop;
  return v_patience;
end $$;

-- Learns from the last four weeks: from executions by the second, else from telemetry by the hour. Manual runs and entities
-- with a schedule are left out. Each entity's turn comes again after p_every_seconds; five hundred a call, whoever has
-- waited longest first, so that a large fleet takes several calls and none of them long.
-- Confidence grows with arrivals and with time watched: a regular rhythm shows within two days, a weekly one within seven.
create function rollcall_api.learn_cadence(p_tenant text, p_now timestamptz, p_every_seconds int) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
  v_from    timestamptz := p_now - interval '28 days';
  v_new     timestamptz;
  v_learned bigint;
begin
  perform enter(p_tenant);
  -- Of several servers, one learns.
  if not pg_try_advisory_xact_lock(hashtextextended('rollcall.learn:' || p_tenant, 0)) then
    return '{"learned": 0}';
  end if;
  select coalesce(max(g.touched_upto) - interval '1 minute', '-infinity') into v_new from gap_checks g where g.tenant_id = p_tenant;

  with due as (
    select c.entity_type, c.entity_id, c.computed_at from cadence c
     where c.tenant_id = p_tenant and c.source <> 'schedule'
       and (c.computed_at <= p_now - make_interval(secs => p_every_seconds) or c.computed_at > p_now)
    union all
    -- No check has seen it yet.
    select e.entity_type, e.entity_id, null from entities e
     where e.tenant_id = p_tenant and e.updated_at >= v_new
       and not exists (select from cadence c where c.tenant_id = p_tenant and c.entity_type = e.entity_type and c.entity_id = e.entity_id)
  ), turn as materialized (
    select d.entity_type, d.entity_id
      from due d join entities e on e.tenant_id = p_tenant and e.entity_type = d.entity_type and e.entity_id = d.entity_id
     where e.current_state = 'active' and e.silent_after is null
     order by d.computed_at nulls first, d.entity_type, d.entity_id limit 500
  ), run as materialized (
    select t.entity_type, t.entity_id, x.began as at
      from turn t cross join lateral (
        select r.began from executions r
         where r.tenant_id = p_tenant and r.workflow_id = t.entity_id and r.began between v_from and p_now and r.mode is distinct from 'manual'
        offset 0) x
     where t.entity_type = 'workflow'
  ), heard as materialized (
    select t.entity_type, t.entity_id, h.hour as at
      from turn t cross join lateral (
        select p.hour from telemetry_pairs p where p.tenant_id = p_tenant and p.source_id = t.entity_id and p.hour between v_from and p_now
        union
        select p.hour from telemetry_pairs p where p.tenant_id = p_tenant and p.target_id = t.entity_id and p.hour between v_from and p_now) h
     where not exists (select from run r where r.entity_type = t.entity_type and r.entity_id = t.entity_id)
  ), arrival as materialized (
    select r.*, 1 as resolution from run r union all select h.*, 3600 from heard h
  ), spaced as materialized (
    select a.entity_type, a.entity_id, a.at, a.resolution, extract(epoch from a.at - lag(a.at) over w)::float8 as pause
      from arrival a window w as (partition by a.entity_type, a.entity_id order by a.at)
  ), usual as materialized (
    select s.entity_type, s.entity_id, count(s.pause) as samples, min(s.at) as first_at, max(s.resolution) as resolution, max(s.pause) as longest,
           percentile_disc(array[0.5, 0.95, 0.99]) within group (order by s.pause) as q
      from spaced s group by s.entity_type, s.entity_id
    having count(s.pause) > 0
  ), active as materialized (
    select a.entity_type, a.entity_id, array_agg(a.hour) as hours, array_agg(a.weeks) as weeks, sum(a.weeks)::float8 as total
      from (select s.entity_type, s.entity_id, count(distinct date_bin('1 hour', s.at, '2001-01-01 00:00Z')) as weeks,
                   (extract(isodow from s.at at time zone 'UTC')::int - 1) * 24 + extract(hour from s.at at time zone 'UTC')::int as hour
              from spaced s group by 1, 2, 4) a
     group by a.entity_type, a.entity_id
  ), watched as (
    select u.*, a.hours, a.weeks, a.total, greatest(extract(epoch from p_now - u.first_at), 1)::float8 as seconds
      from usual u join active a using (entity_type, entity_id)
  ), profile as materialized (
    -- Weeks are few: each hour is drawn to the share of all hours as if by one week more.
    select w.*, w.longest <= 3 * w.q[1] and w.resolution = 1 as regular, (
             select array_agg(((coalesce(x.weeks, 0) + least(w.total * 3600 / w.seconds, 1)) / (greatest(w.seconds / 604800, 1) + 1))::real order by h.hour)
               from generate_series(0, 167) h(hour) left join unnest(w.hours, w.weeks) x(hour, weeks) on x.hour = h.hour) as share
      from watched w
  ), learned as (
    insert into cadence as c (tenant_id, entity_type, entity_id, source, longest_gap, samples, p50_seconds, p95_seconds, p99_seconds,
                              confidence, hour_of_week, patience, computed_at)
    select p_tenant, p.entity_type, p.entity_id, 'learned',
           make_interval(secs => case when p.regular then p.q[3] * 3 else p.q[2] end), p.samples, p.q[1], p.q[2], p.q[3],
           round((p.samples / (p.samples + 10.0) * least(p.seconds / case when p.regular then 172800 else 604800 end, 1))::numeric, 3),
           p.share, case when not p.regular then patience(p.share) end, p_now
      from profile p
     order by p.entity_type, p.entity_id
    on conflict (tenant_id, entity_type, entity_id) do update set
      source = excluded.source, longest_gap = excluded.longest_gap, samples = excluded.samples, p50_seconds = excluded.p50_seconds,
      p95_seconds = excluded.p95_seconds, p99_seconds = excluded.p99_seconds, confidence = excluded.confidence,
      hour_of_week = excluded.hour_of_week, patience = excluded.patience, computed_at = excluded.computed_at, look_at = '-infinity'
      where c.source <> 'schedule'
    returning c.entity_type, c.entity_id
  ), passed as (
    update cadence c set computed_at = p_now from turn t
     where c.tenant_id = p_tenant and c.entity_type = t.entity_type and c.entity_id = t.entity_id
       and (t.entity_type, t.entity_id) not in (select u.entity_type, u.entity_id from usual u)
  ) select count(*) into v_learned from learned;
  return jsonb_build_object('learned', v_learned);
end $$;
