-- What was said: raw events by day, and the rollups that dashboards read.

create domain rollcall.protocol as text check (value in ('n8n', 'mcp', 'a2a', 'http', 'factory', 'codegen', 'job'));
create domain rollcall.telemetry_status as text check (value in ('success', 'error', 'timeout', 'cancelled'));

create table rollcall.telemetry (
  tenant_id      text collate "C" not null,
  event_id       uuid not null,
  "timestamp"    timestamptz not null,
  received_at    timestamptz not null default now(),
  protocol       rollcall.protocol not null,
  source_id      text collate "C" not null,
  target_id      text collate "C" not null,
  operation      text,
  status         rollcall.telemetry_status not null,
  duration_ms    double precision check (duration_ms >= 0),
  tokens_used    bigint check (tokens_used >= 0),
  cost_micros    bigint check (cost_micros >= 0),
  currency       text,
  model          text,
  correlation_id text collate "C",
  trace_id       text collate "C",
  workflow_id    text collate "C",
  execution_id   text collate "C",
  user_id        text,
  project_id     text collate "C" not null,
  error_type     text,
  error_message  text,
  metadata       jsonb
) partition by range ("timestamp");
-- No reference to tenants or projects: the tenant was entered, and a lookup per row would cost ingest.

-- What tells most comes first: a tenant is the same in most comparisons, and each one costs ingest.
create index telemetry_by_time        on rollcall.telemetry (tenant_id, "timestamp", event_id);
create index telemetry_by_source      on rollcall.telemetry (source_id, tenant_id, "timestamp");
create index telemetry_by_target      on rollcall.telemetry (target_id, tenant_id, "timestamp");
create index telemetry_by_correlation on rollcall.telemetry (correlation_id, tenant_id) where correlation_id is not null;
create index telemetry_by_workflow    on rollcall.telemetry (workflow_id, tenant_id, "timestamp") where workflow_id is not null;
create index telemetry_by_execution   on rollcall.telemetry (execution_id, tenant_id) where execution_id is not null;
create index telemetry_by_trace       on rollcall.telemetry (trace_id, tenant_id) where trace_id is not null;
-- For those who follow what comes in; rows lie in the order they arrived, so a summary of blocks is enough.
create index telemetry_by_received    on rollcall.telemetry using brin (received_at) with (pages_per_range = 32, autosummarize = on);

alter table rollcall.telemetry enable row level security;
alter table rollcall.telemetry force row level security;
create policy own_tenant on rollcall.telemetry using (tenant_id = (select rollcall.tenant()));

-- latency: one entry per duration bucket, (bucket + 2000) << 32 | count; see latency_bucket() in
-- api/latency.sql. A bucket may stand in it more than once: readers add up. Sums that callers choose the size of are
-- numeric: no number of events overflows them.
create table rollcall.telemetry_minutes (
  tenant_id      text collate "C" not null,
  minute         timestamptz not null,
  protocol       rollcall.protocol not null,
  calls          bigint not null,
  errors         bigint not null,
  cancelled      bigint not null,
  timed          bigint not null,
  duration_sum   double precision not null,
  duration_max   double precision,
  tokens_used    numeric not null,
  cost_micros    numeric not null,
  latency        bigint[] not null,
  primary key (tenant_id, minute, protocol)
) with (fillfactor = 70);

create table rollcall.telemetry_pairs (
  tenant_id      text collate "C" not null,
  hour           timestamptz not null,
  protocol       rollcall.protocol not null,
  source_id      text collate "C" not null,
  target_id      text collate "C" not null,
  calls          bigint not null,
  errors         bigint not null,
  cancelled      bigint not null,
  timed          bigint not null,
  duration_sum   double precision not null,
  duration_max   double precision,
  tokens_used    numeric not null,
  cost_micros    numeric not null,
  last_seen      timestamptz not null,
  latency        bigint[] not null,
  primary key (tenant_id, hour, protocol, source_id, target_id)
) with (fillfactor = 70);
create index telemetry_pairs_by_ends on rollcall.telemetry_pairs (tenant_id, source_id, target_id, hour);

-- Coarser rollups, made from the two above when an hour is over (api/rollups.sql), so that long windows stay cheap.
-- They speak for exactly the hours that stand in telemetry_folded.
create table rollcall.telemetry_folded (
  tenant_id      text collate "C" not null,
  hour           timestamptz not null,
  primary key (tenant_id, hour)
);

create table rollcall.telemetry_hours (
  tenant_id      text collate "C" not null,
  hour           timestamptz not null,
  protocol       rollcall.protocol not null,
  calls          bigint not null,
  errors         bigint not null,
  cancelled      bigint not null,
  timed          bigint not null,
  duration_sum   double precision not null,
  duration_max   double precision,
  tokens_used    numeric not null,
  cost_micros    numeric not null,
  latency        bigint[] not null,
  primary key (tenant_id, hour, protocol)
);

-- upto: calls of the UTC day before the end of each of its 24 hours. An hour counts for 80 million at most, so that sums
-- stay in int.
create table rollcall.telemetry_pair_days (
  tenant_id      text collate "C" not null,
  day            date not null,
  protocol       rollcall.protocol not null,
  source_id      text collate "C" not null,
  target_id      text collate "C" not null,
  upto           int[] not null check (cardinality(upto) = 24),
  primary key (tenant_id, day, protocol, source_id, target_id)
) with (fillfactor = 50);
-- Otherwise each look at an hour would copy the whole array.
alter table rollcall.telemetry_pair_days alter upto set storage plain;

alter table rollcall.telemetry_minutes enable row level security;
alter table rollcall.telemetry_minutes force row level security;
create policy own_tenant on rollcall.telemetry_minutes using (tenant_id = (select rollcall.tenant()));
alter table rollcall.telemetry_pairs enable row level security;
alter table rollcall.telemetry_pairs force row level security;
create policy own_tenant on rollcall.telemetry_pairs using (tenant_id = (select rollcall.tenant()));
alter table rollcall.telemetry_folded enable row level security;
alter table rollcall.telemetry_folded force row level security;
create policy own_tenant on rollcall.telemetry_folded using (tenant_id = (select rollcall.tenant()));
alter table rollcall.telemetry_hours enable row level security;
alter table rollcall.telemetry_hours force row level security;
create policy own_tenant on rollcall.telemetry_hours using (tenant_id = (select rollcall.tenant()));
alter table rollcall.telemetry_pair_days enable row level security;
alter table rollcall.telemetry_pair_days force row level security;
create policy own_tenant on rollcall.telemetry_pair_days using (tenant_id = (select rollcall.tenant()));
