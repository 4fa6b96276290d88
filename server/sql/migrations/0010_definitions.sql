-- What workflows looked like, moments of nodes that are told one by one, and who tells of an execution's calls.

-- An outline of each stored definition: nodes with hashes of what is in them, and how they are connected.
create table rollcall.workflow_definitions (
  tenant_id       text collate "C" not null,
  workflow_id     text collate "C" not null,
  definition_hash text collate "C" not null,
  outline         jsonb not null,
  -- Of the outline: one that is told again is not written again.
  outline_hash    text not null,
  first_seen      timestamptz not null,
  last_seen       timestamptz not null,
  primary key (tenant_id, workflow_id, definition_hash)
);

-- Which definition a version was: runs name their version, and several versions may do the same.
create table rollcall.workflow_versions (
  tenant_id       text collate "C" not null,
  workflow_id     text collate "C" not null,
  version_id      text collate "C" not null,
  definition_hash text collate "C" not null,
  first_seen      timestamptz not null,
  last_seen       timestamptz not null,
  primary key (tenant_id, workflow_id, version_id)
);

-- That a node began or ended, where nobody says which time it ran: the runs in node_executions follow from these.
create table rollcall.node_marks (
  tenant_id     text collate "C" not null,
  id            uuid not null,
  source        text collate "C" not null,
  rank          smallint not null,
  -- '' where a mark is of the whole run.
  node_name     text collate "C" not null,
  kind          text collate "C" not null check (kind in ('started', 'finished', 'failed', 'paused')),
  at            timestamptz not null,
  mark_id       uuid not null,
  node_id       text,
  node_type     text,
  error_message text,
  primary key (tenant_id, id, source, node_name, kind, at, mark_id)
);
create index node_marks_by_time on rollcall.node_marks (tenant_id, id, at);

-- Which channel tells telemetry of an execution's calls of models or tools; what others tell of them is not counted again.
create table rollcall.call_tellers (
  tenant_id    text collate "C" not null,
  workflow_id  text collate "C" not null,
  execution_id text collate "C" not null,
  calls        text collate "C" not null check (calls in ('model', 'tool')),
  channel      text not null,
  at           timestamptz not null,
  primary key (tenant_id, workflow_id, execution_id, calls)
);
create index call_tellers_by_time on rollcall.call_tellers (tenant_id, at);

do $$
declare v_table text;
begin
  foreach v_table in array array['workflow_definitions', 'workflow_versions', 'node_marks', 'call_tellers'] loop
    execute format('alter table rollcall.%I enable row level security', v_table);
    execute format('alter table rollcall.%I force row level security', v_table);
    execute format('create policy own_tenant on rollcall.%I using (tenant_id = (select rollcall.tenant()))', v_table);
  end loop;
end $$;
