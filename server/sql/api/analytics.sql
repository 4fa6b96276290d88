-- Dashboards. They read rollups, registry and gaps, never raw telemetry.

create function rollcall_api.protocol_totals(p_tenant text, p_since timestamptz)
returns table (protocol text, calls bigint, errors bigint, tokens_used numeric, timed bigint, duration_sum double precision,
               duration_max double precision, latency bigint[])
language sql stable as $$
  with rollup as materialized (
    select * from rollcall_api.protocol_rollups(p_tenant, p_since)
  ), total as (
    select r.protocol::text, sum(r.calls)::bigint as calls, sum(r.errors)::bigint as errors, sum(r.tokens_used) as tokens_used,
           sum(r.timed)::bigint as timed, sum(r.duration_sum) as duration_sum, max(r.duration_max) as duration_max
      from rollup r
     group by 1
  ), bucket as (
    -- Folded before anything else: there are thousands of entries, and some hundred buckets.
    select e.protocol, e.entry >> 32 as bucket, sum(e.entry & 4294967295)::bigint as n
      from (select r.protocol::text, unnest(r.latency) as entry from rollup r) e
     group by 1, 2
  ), latency as (
    select b.protocol, array_agg((b.bucket << 32) | b.n) as latency from bucket b group by 1
  )
  select t.protocol, t.calls, t.errors, t.tokens_used, t.timed, t.duration_sum, t.duration_max, l.latency
    from total t left join latency l on l.protocol = t.protocol;
$$;

create function rollcall_api.totals_json(p_calls bigint, p_errors bigint, p_tokens numeric, p_timed bigint, p_sum double precision,
                                         p_max double precision, p_latency bigint[]) returns jsonb
language plpgsql stable as $$
begin
  return jsonb_build_object(
    'calls', coalesce(p_calls, 0), 'errors', coalesce(p_errors, 0), 'tokens_used', coalesce(p_tokens, 0),
    'error_rate', round(coalesce(p_errors::numeric / nullif(p_calls, 0), 0), 6),
    'avg_ms', round((p_sum / nullif(p_timed, 0))::numeric, 3), 'max_ms', p_max)
    || rollcall_api.latency_quantiles(p_latency);
end $$;

create function rollcall_api.overview(p_tenant text, p_window_seconds int, p_now timestamptz) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_since timestamptz := p_now - make_interval(secs => p_window_seconds);
  v_result jsonb;
begin
  perform enter(p_tenant);
  with protocols as materialized (select * from protocol_totals(p_tenant, v_since)),
  entity as materialized (
    select e.current_state, e.health_status, e.entity_type, count(*) as n
      from entities e where e.tenant_id = p_tenant and e.current_state <> 'deleted'
     group by 1, 2, 3
  ), gap as materialized (
    select g.kind, g.muted_until > p_now as muted, count(*) as n
      from gaps g where g.tenant_id = p_tenant and g.closed_at is null group by 1, 2
  )
  select jsonb_build_object(
    'since', v_since,
    'window_seconds', p_window_seconds,
    'totals', (select totals_json(sum(calls)::bigint, sum(errors)::bigint, sum(tokens_used), sum(timed)::bigint, sum(duration_sum),
                                  max(duration_max), (select array_agg(entry) from protocols, unnest(latency) entry)) from protocols),
    'protocols', (select coalesce(jsonb_agg(jsonb_build_object('protocol', protocol)
                    || totals_json(calls, errors, tokens_used, timed, duration_sum, duration_max, latency) order by calls desc, protocol), '[]')
                  from protocols),
    'entities', jsonb_build_object(
      'total', (select coalesce(sum(n), 0) from entity),
      'healthy_share', (select round(sum(n) filter (where health_status = 'healthy') / nullif(sum(n), 0), 6) from entity),
      'by_state', (select coalesce(jsonb_object_agg(k, n), '{}') from (select current_state k, sum(n) n from entity group by 1) s),
      'by_health', (select coalesce(jsonb_object_agg(k, n), '{}') from (select health_status k, sum(n) n from entity group by 1) s),
      'by_type', (select coalesce(jsonb_object_agg(k, n), '{}') from (select entity_type k, sum(n) n from entity group by 1) s)),
    'gaps', jsonb_build_object(
      'open', (select coalesce(sum(n) filter (where muted is not true), 0) from gap),
      'muted', (select coalesce(sum(n) filter (where muted), 0) from gap),
      'by_kind', (select coalesce(jsonb_object_agg(k, n), '{}') from (select kind k, sum(n) n from gap where muted is not true group by 1) s)))
    into v_result;
  return v_result;
end $$;

-- Which rollups of latency stand for the time since an hour: days, less the hours of theirs that lie before it where those
-- are fewer than the others; every hour that is in none of these days stands for itself.
create function rollcall_api.latency_days(p_tenant text, p_since timestamptz, out days date[], out less timestamptz[])
language sql stable as $$
  with folded as (
    select f.hour::date as day, bool_and(f.holds) as holds, array_agg(f.hour) filter (where f.hour < p_since) as before,
           count(*) filter (where f.hour >= p_since) as wanted
      from rollcall.telemetry_folded f where f.tenant_id = p_tenant and f.hour >= date_trunc('day', p_since, 'UTC') group by 1
  )
  select coalesce(array_agg(d.day), '{}'), coalesce((select array_agg(h) from folded x, unnest(x.before) h where x.day = any (array_agg(d.day))), '{}')
    from folded d where d.holds and d.wanted > coalesce(cardinality(d.before), 0);
$$;

-- What pairs did since an hour, in the order of p_wanted: [{source_id, target_id, protocol?}], all protocols joined where
-- none is named.
create function rollcall_api.pair_items(p_tenant text, p_since timestamptz, p_wanted jsonb) returns jsonb
language plpgsql stable as $$
declare
  v_days date[];
  v_less timestamptz[];
begin
  select l.days, l.less into v_days, v_less from rollcall_api.latency_days(p_tenant, p_since) l;
  return (
    with wanted as materialized (
      select w.n, e.source_id, e.target_id, e.protocol
        from jsonb_array_elements(p_wanted) with ordinality w(body, n), jsonb_to_record(w.body) as e(source_id text, target_id text, protocol text)
    ), hour as materialized (
      -- By the index on a pair's ends, however many pairs there are.
      select w.n, h.*,
             case when h.hour = any (v_less) then -1
                  when h.hour::date = any (v_days) and exists (select from rollcall.telemetry_folded f
                                                                where f.tenant_id = p_tenant and f.hour = h.hour) then 0 else 1 end as sign
        from wanted w cross join lateral (
          select * from rollcall.telemetry_pairs p
           where p.tenant_id = p_tenant and p.source_id = w.source_id and p.target_id = w.target_id
             and (p.hour >= p_since or p.hour = any (v_less)) and p.hour >= date_trunc('day', p_since, 'UTC')
             and (w.protocol is null or p.protocol = w.protocol)
          offset 0) h
    ), entry as (
      select h.n, h.sign, unnest(h.latency) as entry from hour h where h.sign <> 0
      union all
      select w.n, 1, unnest(l.latency)
        from wanted w cross join lateral (
          select d.latency from rollcall.telemetry_pair_latency d
           where d.tenant_id = p_tenant and d.source_id = w.source_id and d.target_id = w.target_id and d.day = any (v_days)
             and (w.protocol is null or d.protocol = w.protocol)
          offset 0) l
    ), bucket as (
      select e.n, e.entry >> 32 as bucket, sum(e.sign * (e.entry & 4294967295)::float8)::bigint as count from entry e group by 1, 2
    ), latency as (
      select b.n, array_agg((b.bucket << 32) | b.count) as entries from bucket b where b.count > 0 group by 1
    ), total as (
      select h.n, sum(h.calls)::bigint as calls, sum(h.errors)::bigint as errors, sum(h.tokens_used) as tokens_used,
             sum(h.timed)::bigint as timed, sum(h.duration_sum) as duration_sum, max(h.duration_max) as duration_max,
             max(h.last_seen) as last_seen, array_agg(distinct h.protocol::text) as protocols
        from hour h where h.hour >= p_since group by 1
    )
    select jsonb_agg(jsonb_build_object('source_id', w.source_id, 'target_id', w.target_id, 'last_seen', t.last_seen)
             || case when w.protocol is null then jsonb_build_object('protocols', t.protocols) else jsonb_build_object('protocol', w.protocol) end
             || rollcall_api.totals_json(t.calls, t.errors, t.tokens_used, t.timed, t.duration_sum, t.duration_max, l.entries) order by w.n)
      from wanted w join total t on t.n = w.n left join latency l on l.n = w.n);
end $$;

-- Who calls whom, busiest first. p_after: [calls, source_id, target_id, protocol] of the last row seen.
-- The window counts whole hours, the one it starts in included: pair rollups are hourly.
create function rollcall_api.list_patterns(p_tenant text, p_filter jsonb, p_window_seconds int, p_now timestamptz, p_limit int, p_after jsonb default null)
returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_since timestamptz := date_trunc('hour', p_now - make_interval(secs => p_window_seconds), 'UTC');
  v_calls text;
  v_top   jsonb;
begin
  perform enter(p_tenant);
  v_calls := case
    -- Few rows, and an index that leads to them.
    when p_filter ? 'source_id' then format('select source_id, target_id, protocol, calls from telemetry_pairs where tenant_id = $1 and hour >= %L', v_since)
    else pair_calls_text(p_tenant, v_since) end;
  execute format($q$
    select jsonb_agg(to_jsonb(t)) from (
      select source_id, target_id, protocol from (
        select source_id, target_id, protocol::text collate "C" as protocol, sum(calls) as calls from (%s) c
         where ($2->>'source_id' is null or source_id = $2->>'source_id')
           and ($2->>'target_id' is null or target_id = $2->>'target_id')
           and ($2->>'protocol' is null or protocol = $2->>'protocol')
         group by 1, 2, 3
        having sum(calls) > 0) s
       where $3 is null or (-calls, source_id, target_id, protocol) > (-($3->>0)::bigint, $3->>1, $3->>2, $3->>3)
       order by calls desc, source_id, target_id, protocol
       limit $4 + 1) t
    $q$, v_calls)
    into v_top using p_tenant, p_filter, p_after, p_limit;
  return page(pair_items(p_tenant, v_since, v_top), p_limit, array['calls', 'source_id', 'target_id', 'protocol']);
end $$;

-- Busiest pairs over all protocols. The latency of a pair joins what its protocols measured.
create function rollcall_api.top_pairs(p_tenant text, p_window_seconds int, p_now timestamptz, p_limit int) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_since timestamptz := date_trunc('hour', p_now - make_interval(secs => p_window_seconds), 'UTC');
  v_top   jsonb;
begin
  perform enter(p_tenant);
  execute busiest_pairs_text(p_tenant, v_since, p_limit) into v_top using p_tenant, p_limit;
  return jsonb_build_object('items', coalesce(pair_items(p_tenant, v_since, v_top), '[]'), 'next', null);
end $$;
