-- What pairs' calls took, by day, of the hours that are folded: a window of many hours is read from few rows.
create table rollcall.telemetry_pair_latency (
  tenant_id      text collate "C" not null,
  day            date not null,
  protocol       rollcall.protocol not null,
  source_id      text collate "C" not null,
  target_id      text collate "C" not null,
  latency        bigint[] not null,
  primary key (tenant_id, source_id, target_id, day, protocol)
) with (fillfactor = 70);
alter table rollcall.telemetry_pair_latency enable row level security;
alter table rollcall.telemetry_pair_latency force row level security;
create policy own_tenant on rollcall.telemetry_pair_latency using (tenant_id = (select rollcall.tenant()));

-- The busiest pairs of a day are found without reading the others.
create index telemetry_pair_days_busiest on rollcall.telemetry_pair_days (tenant_id, day, (upto[24]) desc);

-- False: the hour was folded and has changed since, so that days which stand for it do not hold.
alter table rollcall.telemetry_folded add column holds boolean not null default true;

-- Made again with what they took, hour by hour.
truncate rollcall.telemetry_folded, rollcall.telemetry_pair_days;
