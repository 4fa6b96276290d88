-- What n8n tells of itself: instances, their processes, workflows, inventories, and which events came. An instance_id of
-- '' stands for senders that do not know theirs.

create table rollcall.n8n_instances (
  tenant_id      text collate "C" not null,
  instance_id    text collate "C" not null check (instance_id <> ''),
  n8n_version    text,
  version_at     timestamptz,
  first_seen     timestamptz not null,
  last_seen      timestamptz not null,
  -- When the latest inventory began that came whole: what is not in it, and has not been heard of since, is gone.
  inventoried_at timestamptz,
  primary key (tenant_id, instance_id)
);

-- The hooks in each process of an instance, by their own latest word.
create table rollcall.n8n_processes (
  tenant_id     text collate "C" not null,
  instance_id   text collate "C" not null,
  role          text collate "C" not null,
  started_at    timestamptz not null,
  reported_at   timestamptz not null,
  hooks_version text not null,
  n8n_version   text,
  hooks         jsonb not null,
  primary key (tenant_id, instance_id, role, started_at)
);

create table rollcall.n8n_workflows (
  tenant_id         text collate "C" not null,
  instance_id       text collate "C" not null,
  workflow_id       text collate "C" not null,
  name              text,
  description       text,
  state             rollcall.entity_state,
  health_status     rollcall.health_status,
  -- What made it so, such as workflow.activated.
  state_cause       text,
  state_at          timestamptz,
  deleted_at        timestamptz,
  -- When it was last known to be there.
  present_at        timestamptz,
  version_id        text,
  active_version_id text,
  definition_hash   text,
  -- Of what its definition says of it; the registry holds what that is.
  facts_hash        text,
  project           jsonb,
  tags              text[],
  trigger_count     bigint,
  node_count        bigint,
  inventory_id      uuid,
  -- The registry had not known it: what n8n says of name, version and definition is what is registered.
  owned             boolean not null default false,
  first_seen        timestamptz not null default now(),
  seen_at           timestamptz,
  -- Every field's latest word: {field: [microseconds, rank, value, ...]}. The columns follow from it.
  said              jsonb not null,
  primary key (tenant_id, instance_id, workflow_id)
);
create index n8n_workflows_by_id on rollcall.n8n_workflows (tenant_id, workflow_id);

create table rollcall.n8n_inventories (
  tenant_id    text collate "C" not null,
  instance_id  text collate "C" not null,
  inventory_id uuid not null,
  started_at   timestamptz not null,
  -- How many there are, known when the last one has come and nothing was left out.
  pages        int,
  seen         int[] not null,
  primary key (tenant_id, instance_id, inventory_id)
);

create table rollcall.n8n_events (
  tenant_id   text collate "C" not null,
  instance_id text collate "C" not null,
  name        text collate "C" not null,
  handling    text not null check (handling in ('applied', 'noted', 'unknown')),
  events      bigint not null,
  first_seen  timestamptz not null,
  last_seen   timestamptz not null,
  -- The latest few, redacted: [{at, event}].
  samples     jsonb not null default '[]',
  primary key (tenant_id, instance_id, name)
);

-- Which events have been counted, for as long as anybody may send them again.
create table rollcall.n8n_event_ids (
  tenant_id text collate "C" not null,
  id        uuid not null,
  seen_at   timestamptz not null,
  primary key (tenant_id, id)
);
create index n8n_event_ids_by_time on rollcall.n8n_event_ids (tenant_id, seen_at);

do $$
declare v_table text;
begin
  foreach v_table in array array['n8n_instances', 'n8n_processes', 'n8n_workflows', 'n8n_inventories', 'n8n_events', 'n8n_event_ids'] loop
    execute format('alter table rollcall.%I enable row level security', v_table);
    execute format('alter table rollcall.%I force row level security', v_table);
    execute format('create policy own_tenant on rollcall.%I using (tenant_id = (select rollcall.tenant()))', v_table);
  end loop;
end $$;
