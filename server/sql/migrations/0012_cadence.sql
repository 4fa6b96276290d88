-- When the next sign of life is due, how sure a gap is, what stands behind another gap, and what became of each.

-- One row for each active entity. What a schedule says is worked out by the server, what history says by learn_cadence().
create table rollcall.cadence (
  tenant_id     text collate "C" not null,
  entity_type   rollcall.entity_type not null,
  entity_id     text collate "C" not null,
  source        text not null check (source in ('schedule', 'learned', 'configured')),
  -- Until when the definition was read for schedules; null: never.
  definition_at timestamptz,
  -- Schedule: the first run after `anchor_at`, where the time zone is known.
  anchor_at     timestamptz,
  expected_at   timestamptz,
  timezone      text,
  rules         int not null default 0,
  -- Schedule: the longest pause between two runs. Learned: the longest pause that is nothing unusual at any hour.
  longest_gap   interval,
  -- Learned: arrivals, and what lies between two of them, in seconds.
  samples       bigint not null default 0,
  p50_seconds   double precision,
  p95_seconds   double precision,
  p99_seconds   double precision,
  confidence    double precision,
  -- Share of weeks in which the hour had an arrival, by hour of the week in UTC, Monday 00:00 first.
  hour_of_week  real[] check (cardinality(hour_of_week) = 168),
  -- Hours of silence after which it is improbable, by hour of the week of the last arrival.
  patience      int[] check (cardinality(patience) = 168),
  computed_at   timestamptz not null,
  -- Before this it cannot be silent: an incremental check passes it over.
  look_at       timestamptz not null default '-infinity',
  -- No reference to entities, which are never taken out: a lookup for each of a whole fleet would cost the first check.
  primary key (tenant_id, entity_type, entity_id)
) with (fillfactor = 80);
create index cadence_by_look on rollcall.cadence (tenant_id, look_at);
create index cadence_by_expected on rollcall.cadence (tenant_id, expected_at) where source = 'schedule';

-- How far checks and the reading of schedules and history have come.
create table rollcall.gap_checks (
  tenant_id    text collate "C" primary key references rollcall.tenants,
  -- By the clock of the database: what was touched later is new.
  touched_upto timestamptz,
  full_at      timestamptz,
  read_upto    timestamptz,
  learned_at   timestamptz
);

alter table rollcall.gaps
  add column grade text not null default 'certain' check (grade in ('certain', 'likely', 'cannot_tell')),
  -- The gap that explains this one.
  add column inhibited_by uuid;
create index gaps_inhibited on rollcall.gaps (tenant_id, inhibited_by) where inhibited_by is not null;
create index gaps_of_entity on rollcall.gaps (tenant_id, entity_id) where closed_at is null;

create table rollcall.gap_history (
  id        bigint generated always as identity primary key,
  tenant_id text collate "C" not null,
  gap_id    uuid not null,
  at        timestamptz not null,
  change    text not null check (change in ('opened', 'closed', 'reopened', 'muted', 'unmuted', 'severity', 'grade', 'inhibited', 'released')),
  was       text,
  became    text,
  evidence  jsonb
);
create index gap_history_by_gap on rollcall.gap_history (tenant_id, gap_id, id);
create index gap_history_by_time on rollcall.gap_history (tenant_id, at);

alter table rollcall.gap_rules
  add column grace interval not null default '5 minutes' check (grace >= interval '0');

-- Names that were never seen before, for incremental checks.
alter table rollcall.activity add column noted_at timestamptz not null default now();
create index activity_noted on rollcall.activity (tenant_id, noted_at);
create index n8n_workflows_noted on rollcall.n8n_workflows (tenant_id, first_seen);
create index entities_in_transition on rollcall.entities (tenant_id, state_since) where current_state in ('created', 'deploying');

-- Zone of schedules whose workflow names none; null: not known.
alter table rollcall.n8n_instances add column timezone text;

do $$
declare v_table text;
begin
  foreach v_table in array array['cadence', 'gap_checks', 'gap_history'] loop
    execute format('alter table rollcall.%I enable row level security', v_table);
    execute format('alter table rollcall.%I force row level security', v_table);
    execute format('create policy own_tenant on rollcall.%I using (tenant_id = (select rollcall.tenant()))', v_table);
  end loop;
end $$;
