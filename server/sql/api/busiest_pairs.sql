-- The busiest pairs of a window, found without adding up all of them.

-- A query of [{source_id, target_id}, ...], the busiest of them first, $1 being the tenant and $2 their number.
--
-- A pair's calls are spread over parts: days that are folded, and hours that are not, each once for every protocol. What any
-- rows add up to for the $2-th busiest of their pairs is a bound that the $2-th busiest of all reaches at least. A pair that
-- reaches it has, in one of its parts, at least the bound divided by the number of parts: only those are added up. Beyond two
-- days nearly every pair would be among them, and all are added up at once.
create function rollcall_api.busiest_pairs_text(p_tenant text, p_since timestamptz, p_limit int) returns text
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_hours     timestamptz[] := array(select h from unfolded_hours(p_tenant, p_since) h);
  v_protocols text[] := array(select distinct r.protocol::text from protocol_rollups(p_tenant, p_since) r);
  v_rows      int := p_limit * 4;
  v_most      text[] := '{}';
  v_candidates      text[] := '{}';
  v_parts     text[] := '{}';
  v_number    int;
  v_day       record;
begin
  if p_since < (select max(f.hour) from telemetry_folded f where f.tenant_id = p_tenant) - interval '26 hours' then
    return format($q$
      select jsonb_agg(to_jsonb(t)) from (
        select source_id, target_id from (%s) c group by 1, 2 having sum(calls) > 0 order by sum(calls) desc, 1, 2 limit $2) t $q$,
      pair_calls_text(p_tenant, p_since));
  end if;
  for v_day in
    select f.hour::date as day, calls_of_hours(array_agg(extract(hour from f.hour)::int order by f.hour)) as calls
      from telemetry_folded f where f.tenant_id = p_tenant and f.hour >= p_since and f.holds group by 1
  loop
    -- What a day has so far is no less than what its wanted hours have.
    v_most := v_most || format($q$
      (select source_id, target_id, %s as calls from rollcall.telemetry_pair_days where tenant_id = $1 and day = %L
        order by upto[24] desc limit %s) $q$, v_day.calls, v_day.day, v_rows);
    v_candidates := v_candidates || format($q$
      select source_id, target_id from rollcall.telemetry_pair_days
       where tenant_id = $1 and day = %L and upto[24] >= (select calls from bound) and %s >= (select calls from bound) $q$, v_day.day, v_day.calls);
    v_parts := v_parts || format($q$
      select %s as calls from rollcall.telemetry_pair_days d
       where d.tenant_id = $1 and d.day = %L and d.protocol = any (%L) and d.source_id = s.source_id and d.target_id = s.target_id $q$,
      v_day.calls, v_day.day, v_protocols);
  end loop;
  v_number := cardinality(v_parts) + cardinality(v_hours);
  if cardinality(v_hours) > 0 then
    v_most := v_most || format($q$
      (select source_id, target_id, least(calls, 80000000)::int from fine order by calls desc limit %s) $q$, v_rows);
    v_candidates := v_candidates || 'select source_id, target_id from fine where calls >= (select calls from bound)'::text;
    v_parts := v_parts || format($q$
      select least(p.calls, 80000000)::int as calls from rollcall.telemetry_pairs p
       where p.tenant_id = $1 and p.source_id = s.source_id and p.target_id = s.target_id and p.hour = any (%L) $q$, v_hours);
  end if;
  if v_number = 0 then return 'select null::jsonb'; end if;
  return format($q$
    with fine as materialized (
      select source_id, target_id, calls from rollcall.telemetry_pairs where tenant_id = $1 and hour = any (%L)
    ), bound as materialized (
      select coalesce(ceil((select sum(m.calls) from (%s) m(source_id, target_id, calls)
                             group by m.source_id, m.target_id order by 1 desc offset $2 - 1 limit 1)::numeric / %s), 0)::int as calls
    ), candidate as materialized (
      select distinct c.source_id, c.target_id from (%s) c
    )
    select jsonb_agg(to_jsonb(t)) from (
      select s.source_id, s.target_id
        from candidate s cross join lateral (select sum(c.calls) as calls from (%s offset 0) c) total
       where total.calls > 0
       order by total.calls desc, 1, 2
       limit $2) t $q$,
    v_hours, array_to_string(v_most, ' union all '), v_number * cardinality(v_protocols), array_to_string(v_candidates, ' union all '),
    array_to_string(v_parts, ' union all '));
end $$;
