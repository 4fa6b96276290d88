-- Durations in logarithmic buckets, as DDSketch does it: bucket i holds (1.04^(i-1), 1.04^i] ms and is read
-- as 2 * 1.04^i / 2.04, at most 1.97 % from any value in it. Bucket -2000 holds zero (below 1e-6 ms).
-- From 10 microseconds up the rounding of what is read does not show in that.

create function rollcall_api.latency_bucket(p_ms double precision) returns int
language sql immutable parallel safe
return case when p_ms < 1e-6 then -2000 else ceil(ln(p_ms) / 0.0392207131532813)::int end;

create function rollcall_api.latency_value(p_bucket int) returns numeric
language sql immutable parallel safe
return case
  when p_bucket = -2000 then 0
  else round((exp(p_bucket * 0.0392207131532813) * 2 / 2.04)::numeric, case when p_bucket > 0 then 3 else 6 end)
end;

-- The stored form: one entry per bucket, (bucket + 2000) << 32 | count.
create function rollcall_api.latency_entry(p_bucket int, p_count bigint) returns bigint
language sql immutable parallel safe
return ((p_bucket + 2000)::bigint << 32) | p_count;

-- Folds entries of the same bucket into one.
create function rollcall_api.latency_fold(p_entries bigint[]) returns bigint[]
language plpgsql immutable parallel safe as $$
begin
  return (select coalesce(array_agg((bucket << 32) | total order by bucket), '{}')
            from (select entry >> 32 as bucket, sum(entry & 4294967295)::bigint as total from unnest(p_entries) entry group by 1) b);
end $$;

-- {p50_ms, p95_ms, p99_ms} by nearest rank; nulls when nothing was timed.
create function rollcall_api.latency_quantiles(p_entries bigint[]) returns jsonb
language sql immutable parallel safe
return (
  with bucket as (
    select (entry >> 32)::int - 2000 as bucket, sum(entry & 4294967295) as n from unnest(p_entries) entry group by 1
  ), ranked as (
    select bucket, sum(n) over (order by bucket) as upto, sum(n) over () as total from bucket
  )
  select jsonb_build_object(
    'p50_ms', rollcall_api.latency_value(min(bucket) filter (where upto >= ceil(total * 0.50))),
    'p95_ms', rollcall_api.latency_value(min(bucket) filter (where upto >= ceil(total * 0.95))),
    'p99_ms', rollcall_api.latency_value(min(bucket) filter (where upto >= ceil(total * 0.99))))
  from ranked
);
