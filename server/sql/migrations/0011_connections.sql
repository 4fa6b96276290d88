-- n8n instances that are asked through their public API: where, with which key, how often, and how the latest inventory
-- went. What n8n answers goes where everything else goes that n8n tells of itself (0006).

create table rollcall.n8n_connections (
  tenant_id        text collate "C" not null,
  id               uuid not null default gen_random_uuid(),
  project_id       text collate "C" not null,
  name             text not null,
  base_url         text not null,
  -- Sealed by the server (AES-256-GCM); the database never sees the key itself.
  sealed_key       text not null,
  key_hint         text not null,
  labels           text[] not null default '{}',
  interval_seconds int not null check (interval_seconds between 10 and 86400),
  paused           boolean not null default false,
  -- What n8n's own record of executions leaves out: verdicts on silence depend on it.
  sampled          boolean not null default false,
  production_only  boolean not null default false,
  saves_no_success boolean not null default false,
  -- Hours after which n8n deletes executions.
  prunes_after     int check (prunes_after > 0),
  -- Under which instance its workflows stand; `connection:<id>` until the operator says or evidence shows which one it is.
  instance_id      text collate "C" not null,
  instance_by      text not null check (instance_by in ('operator', 'evidence', 'unknown')),
  created_at       timestamptz not null,
  created_by       text not null,
  updated_at       timestamptz not null,
  -- The inventory that is asked for, or under way.
  sync_id          uuid,
  sync_state       text not null default 'idle' check (sync_state in ('idle', 'queued', 'running')),
  requested_at     timestamptz,
  started_at       timestamptz,
  -- Whoever runs it says until then that he is still there.
  leased_until     timestamptz,
  progress         jsonb,
  next_sync_at     timestamptz not null,
  synced_at        timestamptz,
  last_result      jsonb,
  last_error       jsonb,
  -- Digests of workflows as they were answered last: {workflow_id: digest}. The next inventory brings only what differs.
  seen             jsonb not null default '{}',
  -- Executions with a smaller number have ended, and are known.
  executions_from  bigint,
  -- When all of it was brought last, and not only what differed.
  full_at          timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, project_id) references rollcall.projects
);
create index n8n_connections_by_instance on rollcall.n8n_connections (tenant_id, instance_id);

alter table rollcall.n8n_connections enable row level security;
alter table rollcall.n8n_connections force row level security;
create policy own_tenant on rollcall.n8n_connections using (tenant_id = (select rollcall.tenant()));
