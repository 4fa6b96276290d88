-- Coarser rollups. What ingest keeps by minute and by hour is folded into hours and days when an hour is over, so that
-- a long window is read from few rows. telemetry_folded says for which hours that holds: ingest takes that back in the
-- transaction that writes a late event, and readers take every hour for which it does not hold from the finer rollups.

-- Ingest and folding meet here, each with its rows written or about to be read. Whoever comes second sees what the
-- first one did. Locks are shared by hours 32 apart, as a batch may span thousands.
create function rollcall_api.rollup_lock(p_tenant text, p_hour timestamptz) returns bigint
language sql stable as $$
  select hashtextextended('rollcall.rollups:' || p_tenant, (extract(epoch from p_hour) / 3600)::bigint % 32);
$$;

-- The coarse rollups do not hold these hours any more.
create function rollcall_api.unfold_hours(p_tenant text, p_hours timestamptz[]) returns void
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  perform pg_advisory_xact_lock_shared(key)
     from (select distinct rollup_lock(p_tenant, h) as key from unnest(p_hours) h order by 1) k;
  update telemetry_folded set holds = false where tenant_id = p_tenant and hour = any (p_hours) and holds;
end $$;

-- Folds one hour: the latest with telemetry that is over and not folded. May be done again, by any number of servers.
-- Answers {"hour": timestamp or null}; null when there is nothing to do.
create function rollcall_api.fold_hour(p_tenant text, p_now timestamptz) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_first timestamptz;
  v_hour  timestamptz;
  v_slot  int;
begin
  perform enter(p_tenant);
  if not pg_try_advisory_xact_lock(hashtextextended('rollcall.fold:' || p_tenant, 0)) then
    return '{"hour": null}';
  end if;
  select date_trunc('hour', min(m.minute)) into v_first from telemetry_minutes m where m.tenant_id = p_tenant;
  -- Most of an hour's stragglers have come two minutes after it.
  select h into v_hour
    from generate_series(v_first, date_trunc('hour', p_now - interval '2 minutes') - interval '1 hour', '1 hour') h
   where not exists (select from telemetry_folded f where f.tenant_id = p_tenant and f.hour = h and f.holds)
     and exists (select from telemetry_minutes m where m.tenant_id = p_tenant and m.minute >= h and m.minute < h + interval '1 hour')
   order by h desc limit 1;
  if v_hour is null then
    return '{"hour": null}';
  end if;
  perform pg_advisory_xact_lock(rollup_lock(p_tenant, v_hour));

  delete from telemetry_hours where tenant_id = p_tenant and hour = v_hour;
  insert into telemetry_hours
  select p_tenant, v_hour, m.protocol, sum(m.calls), sum(m.errors), sum(m.cancelled), sum(m.timed), sum(m.duration_sum),
         max(m.duration_max), sum(m.tokens_used), sum(m.cost_micros),
         latency_fold((select array_agg(e) from telemetry_minutes l, unnest(l.latency) e
                        where l.tenant_id = p_tenant and l.minute >= v_hour and l.minute < v_hour + interval '1 hour'
                          and l.protocol = m.protocol))
    from telemetry_minutes m
   where m.tenant_id = p_tenant and m.minute >= v_hour and m.minute < v_hour + interval '1 hour'
   group by m.protocol;

  v_slot := extract(hour from v_hour) + 1;
  -- A pair that was folded before with other calls is put together again from its hours.
  with pair as materialized (
    select p.protocol, p.source_id, p.target_id, p.calls, p.latency, d.upto, coalesce(d.upto[v_slot] - coalesce(d.upto[v_slot - 1], 0), 0) as before
      from telemetry_pairs p
      left join telemetry_pair_days d on d.tenant_id = p_tenant and d.day = v_hour::date and d.protocol = p.protocol
                                     and d.source_id = p.source_id and d.target_id = p.target_id
     where p.tenant_id = p_tenant and p.hour = v_hour
  ), again as (
    insert into telemetry_pair_latency as l (tenant_id, day, protocol, source_id, target_id, latency)
    select p_tenant, v_hour::date, p.protocol, p.source_id, p.target_id, latency_fold(array(
             select e from telemetry_pairs h cross join unnest(h.latency) e
              where h.tenant_id = p_tenant and h.source_id = p.source_id and h.target_id = p.target_id and h.protocol = p.protocol
                and h.hour >= v_hour::date and h.hour < v_hour::date + 1
                and (h.hour = v_hour or p.upto[extract(hour from h.hour) + 1] > coalesce(p.upto[extract(hour from h.hour)], 0))))
      from pair p where p.before > 0 and p.before <> least(p.calls, 80000000)
     order by p.protocol, p.source_id, p.target_id
    on conflict (tenant_id, source_id, target_id, day, protocol) do update set latency = excluded.latency
  )
  insert into telemetry_pair_latency as l (tenant_id, day, protocol, source_id, target_id, latency)
  select p_tenant, v_hour::date, p.protocol, p.source_id, p.target_id, p.latency from pair p where p.before = 0
   order by p.protocol, p.source_id, p.target_id
  on conflict (tenant_id, source_id, target_id, day, protocol) do update set latency = latency_fold(l.latency || excluded.latency);
  insert into telemetry_pair_days as d
  select p_tenant, v_hour::date, p.protocol, p.source_id, p.target_id,
         array_fill(0, array[v_slot - 1]) || array_fill(least(p.calls, 80000000)::int, array[25 - v_slot])
    from telemetry_pairs p
   where p.tenant_id = p_tenant and p.hour = v_hour
   order by p.protocol, p.source_id, p.target_id
  on conflict (tenant_id, day, protocol, source_id, target_id) do update set
    upto = d.upto[1 : v_slot - 1]
           || array(select u + excluded.upto[24] + coalesce(d.upto[v_slot - 1], 0) - d.upto[v_slot] from unnest(d.upto[v_slot :]) u);
  -- Nothing much will be added to it; shorter arrays are read faster. What an ingest has in hand is left as it is, for
  -- that ingest may be about to wait for this.
  with idle as (
    select protocol, source_id, target_id from telemetry_pairs
     where tenant_id = p_tenant and hour = v_hour and cardinality(latency) > 64
       for no key update skip locked
  )
  update telemetry_pairs p set latency = latency_fold(p.latency) from idle i
   where p.tenant_id = p_tenant and p.hour = v_hour
     and (p.protocol, p.source_id, p.target_id) = (i.protocol, i.source_id, i.target_id);
  insert into telemetry_folded as f (tenant_id, hour) values (p_tenant, v_hour)
  on conflict (tenant_id, hour) do update set holds = true;
  return jsonb_build_object('hour', v_hour);
end $$;

-- The hours with telemetry from p_since on that have to be read from the finer rollups; an hour that p_since cuts is one of them.
create function rollcall_api.unfolded_hours(p_tenant text, p_since timestamptz) returns setof timestamptz
language sql stable as $$
  select h
    from generate_series(date_trunc('hour', p_since, 'UTC'),
                         (select max(m.minute) from rollcall.telemetry_minutes m where m.tenant_id = p_tenant), '1 hour') h
   where not exists (select from rollcall.telemetry_folded f where f.tenant_id = p_tenant and f.hour = h and f.holds and f.hour >= p_since)
     and exists (select from rollcall.telemetry_minutes m
                  where m.tenant_id = p_tenant and m.minute >= h and m.minute < h + interval '1 hour');
$$;

-- Rollups by protocol from the minute of p_since on: whole hours where they are folded, else minutes.
create function rollcall_api.protocol_rollups(p_tenant text, p_since timestamptz) returns setof rollcall.telemetry_hours
language sql stable as $$
  select t.*
    from rollcall.telemetry_hours t
    join rollcall.telemetry_folded f on f.tenant_id = t.tenant_id and f.hour = t.hour and f.holds
   where t.tenant_id = p_tenant and t.hour >= date_trunc('minute', p_since, 'UTC')
  union all
  select m.*
    from rollcall_api.unfolded_hours(p_tenant, date_trunc('minute', p_since, 'UTC')) h
    join rollcall.telemetry_minutes m
      on m.tenant_id = p_tenant and m.minute >= greatest(h, date_trunc('minute', p_since, 'UTC')) and m.minute < h + interval '1 hour';
$$;

-- The part of a day's calls that falls on some of its hours, as an expression with two terms for each run of hours.
create function rollcall_api.calls_of_hours(p_hours int[]) returns text
language sql immutable as $$
  select string_agg(format('upto[%s]', max + 1) || case when min > 0 then format(' - upto[%s]', min) else '' end, ' + ')
    from (select min(h), max(h)
            from (select h, h - row_number() over (order by h) as run from unnest(p_hours) h) numbered
           group by run) runs;
$$;

-- A query of the calls of pairs since an hour, $1 being the tenant: rows of (source_id, target_id, protocol, calls), of
-- which a pair may have several. Days stand for the hours that are folded, if a day has any.
create function rollcall_api.pair_calls_text(p_tenant text, p_since timestamptz) returns text
language sql stable as $$
  select string_agg(part, ' union all ')
    from (
      select format('select source_id, target_id, protocol, least(calls, 80000000)::int as calls from rollcall.telemetry_pairs where tenant_id = $1 and hour = any (%L)',
                    array(select h from rollcall_api.unfolded_hours(p_tenant, p_since) h)) as part
      union all
      -- Days of which the same hours are wanted, mostly all of them, are read together.
      select format('select source_id, target_id, protocol, %s from rollcall.telemetry_pair_days where tenant_id = $1 and day = any (%L)',
                    rollcall_api.calls_of_hours(hours), array_agg(day))
        from (select f.hour::date as day, array_agg(extract(hour from f.hour)::int order by f.hour) as hours
                from rollcall.telemetry_folded f where f.tenant_id = p_tenant and f.hour >= p_since and f.holds group by 1) d
       group by hours
    ) parts;
$$;
