-- What exists: entities, the history of their states, and what depends on what.

create domain rollcall.entity_type as text collate "C" check (value ~ '^[a-z][a-z0-9]*([_-][a-z0-9]+)*$' and length(value) <= 64);
create domain rollcall.entity_state as text check (value in ('created', 'deploying', 'active', 'inactive', 'error', 'archived', 'deleted'));
create domain rollcall.health_status as text check (value in ('healthy', 'degraded', 'unhealthy', 'unknown'));

create table rollcall.entities (
  tenant_id       text collate "C" not null,
  entity_type     rollcall.entity_type not null,
  entity_id       text collate "C" not null check (length(entity_id) between 1 and 255),
  entity_name     text not null check (length(entity_name) between 1 and 255),
  description     text,
  registered_by   text not null,
  -- What callers declared and what was extracted from the workflow, together.
  capabilities    text[] not null default '{}',
  declared_capabilities  text[] not null default '{}',
  extracted_capabilities text[] not null default '{}',
  tags            text[] not null default '{}',
  endpoint_url    text,
  parent_type     rollcall.entity_type,
  parent_id       text collate "C",
  project_id      text collate "C" not null,
  version         text,
  definition_hash text,
  metadata        jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  silent_after    interval check (silent_after > interval '0'),
  current_state   rollcall.entity_state not null default 'created',
  state_since     timestamptz not null default now(),
  health_status   rollcall.health_status not null default 'unknown',
  last_heartbeat  timestamptz,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  primary key (tenant_id, entity_type, entity_id),
  foreign key (tenant_id, project_id) references rollcall.projects,
  check ((parent_type is null) = (parent_id is null))
);
-- No reference from parent to entity: a parent that is gone is a gap to report, not a row to refuse.
create index entities_by_id      on rollcall.entities (tenant_id, entity_id);
create index entities_by_parent  on rollcall.entities (tenant_id, parent_type, parent_id) where parent_id is not null;
create index entities_by_name    on rollcall.entities (tenant_id, (lower(entity_name) collate "C"), entity_type, entity_id);
create index entities_by_created on rollcall.entities (tenant_id, created_at, entity_type, entity_id);
create index entities_by_updated on rollcall.entities (tenant_id, updated_at, entity_type, entity_id);

create table rollcall.entity_states (
  id          bigint generated always as identity primary key,
  tenant_id   text collate "C" not null,
  entity_type rollcall.entity_type not null,
  entity_id   text collate "C" not null,
  from_state  rollcall.entity_state,
  to_state    rollcall.entity_state not null,
  from_health rollcall.health_status,
  to_health   rollcall.health_status not null,
  reason      text,
  changed_by  text not null,
  changed_at  timestamptz not null default now(),
  foreign key (tenant_id, entity_type, entity_id) references rollcall.entities
);
create index entity_states_by_entity on rollcall.entity_states (tenant_id, entity_type, entity_id, id);

-- The target may be unregistered: that is the broken_dependency gap.
create table rollcall.entity_dependencies (
  tenant_id   text collate "C" not null,
  entity_type rollcall.entity_type not null,
  entity_id   text collate "C" not null,
  target_type rollcall.entity_type not null,
  target_id   text collate "C" not null check (length(target_id) between 1 and 255),
  origin      text not null check (origin in ('declared', 'extracted')),
  created_at  timestamptz not null default now(),
  primary key (tenant_id, entity_type, entity_id, target_type, target_id),
  foreign key (tenant_id, entity_type, entity_id) references rollcall.entities,
  check ((entity_type, entity_id) <> (target_type, target_id))
);
create index entity_dependencies_by_target on rollcall.entity_dependencies (tenant_id, target_type, target_id);

-- When an id was last named by telemetry, registered or not. Apart from entities, so that an event
-- rewrites a narrow row; keyed by id alone, because telemetry does not name types.
create table rollcall.activity (
  tenant_id     text collate "C" not null references rollcall.tenants,
  entity_id     text collate "C" not null,
  first_seen    timestamptz not null,
  last_seen     timestamptz not null,
  as_source     bigint not null default 0,
  as_target     bigint not null default 0,
  errors        bigint not null default 0,
  last_protocol text not null,
  last_peer     text,
  primary key (tenant_id, entity_id)
) with (fillfactor = 70);

alter table rollcall.entities enable row level security;
alter table rollcall.entities force row level security;
create policy own_tenant on rollcall.entities using (tenant_id = (select rollcall.tenant()));
alter table rollcall.entity_states enable row level security;
alter table rollcall.entity_states force row level security;
create policy own_tenant on rollcall.entity_states using (tenant_id = (select rollcall.tenant()));
alter table rollcall.entity_dependencies enable row level security;
alter table rollcall.entity_dependencies force row level security;
create policy own_tenant on rollcall.entity_dependencies using (tenant_id = (select rollcall.tenant()));
alter table rollcall.activity enable row level security;
alter table rollcall.activity force row level security;
create policy own_tenant on rollcall.activity using (tenant_id = (select rollcall.tenant()));
