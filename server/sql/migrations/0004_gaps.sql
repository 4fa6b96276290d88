-- What is missing. One row per gap identity: it closes and reopens, it is never doubled.

create domain rollcall.gap_kind as text check (value in (
  'unregistered', 'unreported', 'missing', 'silent', 'uninstrumented', 'drifted', 'orphaned', 'broken_dependency', 'stuck'));

create table rollcall.gaps (
  id          uuid primary key default gen_random_uuid(),
  tenant_id   text collate "C" not null references rollcall.tenants,
  kind        rollcall.gap_kind not null,
  entity_type rollcall.entity_type not null,
  entity_id   text collate "C" not null,
  -- What else the gap is about, such as the dependency that broke; empty where there is one per entity.
  subject     text collate "C" not null default '',
  severity    text not null check (severity in ('critical', 'warning', 'info')),
  summary     text not null,
  evidence    jsonb not null,
  first_seen  timestamptz not null,
  last_seen   timestamptz not null,
  closed_at   timestamptz,
  muted_until timestamptz,
  mute_reason text,
  muted_by    text,
  unique (tenant_id, kind, entity_type, entity_id, subject),
  check ((muted_until is null) = (mute_reason is null))
);
create index gaps_by_first_seen on rollcall.gaps (tenant_id, first_seen, id);
create index gaps_open on rollcall.gaps (tenant_id, kind) where closed_at is null;

-- Limits by entity type; '*' speaks for every type without a row of its own.
create table rollcall.gap_rules (
  tenant_id    text collate "C" not null references rollcall.tenants,
  entity_type  text collate "C" not null,
  needs_parent boolean not null,
  silent_after interval not null check (silent_after > interval '0'),
  stuck_after  interval not null check (stuck_after > interval '0'),
  primary key (tenant_id, entity_type)
);

alter table rollcall.gaps enable row level security;
alter table rollcall.gaps force row level security;
create policy own_tenant on rollcall.gaps using (tenant_id = (select rollcall.tenant()));
alter table rollcall.gap_rules enable row level security;
alter table rollcall.gap_rules force row level security;
create policy own_tenant on rollcall.gap_rules using (tenant_id = (select rollcall.tenant()));
