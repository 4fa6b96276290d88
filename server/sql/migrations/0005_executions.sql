-- What ran: executions, the runs of their nodes, spans, events and shared state. An execution's `id` is ours;
-- `execution_id` is what the system that ran it calls it.

create domain rollcall.run_status as text check (value in ('queued', 'running', 'waiting', 'success', 'error', 'cancelled', 'lost'));

create table rollcall.executions (
  tenant_id           text collate "C" not null,
  id                  uuid not null,
  project_id          text collate "C" not null,
  workflow_id         text collate "C" not null,
  workflow_name       text,
  workflow_version    text collate "C",
  definition_hash     text,
  instance_id         text collate "C",
  execution_id        text collate "C",
  session_id          text collate "C",
  trace_id            text collate "C",
  status              rollcall.run_status not null,
  -- When that was so, by the clock of who said it.
  status_at           timestamptz not null,
  mode                text,
  -- When it started, or else the first moment that anybody spoke of: the order of lists.
  began               timestamptz not null,
  started_at          timestamptz,
  completed_at        timestamptz,
  duration_ms         double precision,
  wait_till           timestamptz,
  retry_of            text collate "C",
  parent_execution_id text collate "C",
  parent_workflow_id  text collate "C",
  last_node           text,
  error_type          text collate "C",
  error_message       text,
  error_stack         text,
  error_node          text,
  tokens_used         bigint,
  cost_micros         bigint,
  currency            text,
  sources             text[] not null,
  lost_at             timestamptz,
  -- It had been given up as lost when its end was told after all.
  late_end            boolean not null default false,
  metadata            jsonb not null default '{}',
  -- Every field as the best of its tellers said it: {field: [rank, microseconds, value]}. The columns follow from it.
  said                jsonb not null,
  first_reported_at   timestamptz not null default now(),
  updated_at          timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, project_id) references rollcall.projects
);
create index executions_by_time     on rollcall.executions (tenant_id, began, id);
create index executions_by_workflow on rollcall.executions (tenant_id, workflow_id, began, id);
create index executions_unusual     on rollcall.executions (tenant_id, status, began, id) where status <> 'success';
create index executions_by_parent   on rollcall.executions (tenant_id, parent_execution_id) where parent_execution_id is not null;
create index executions_by_error    on rollcall.executions (tenant_id, error_type, began, id) where error_type is not null;
create index executions_by_trace    on rollcall.executions (tenant_id, trace_id) where trace_id is not null;
create index executions_by_own_id   on rollcall.executions (tenant_id, execution_id) where execution_id is not null;

-- By what an execution is found again: run:<instance>/<id>, any:<workflow>/<id>, session:<...>, trace:<...>.
create table rollcall.execution_keys (
  tenant_id text collate "C" not null,
  key       text collate "C" not null,
  id        uuid not null,
  primary key (tenant_id, key)
);
create index execution_keys_by_id on rollcall.execution_keys (tenant_id, id);

-- No references from here on to executions: a lookup per row would cost ingest, and rows of one execution come and go
-- with it in one function each.

-- One row for each teller; readers take of each field what the highest rank says.
create table rollcall.node_executions (
  tenant_id          text collate "C" not null,
  id                 uuid not null,
  node_name          text collate "C" not null,
  run_index          int not null,
  retry_index        int not null,
  source             text collate "C" not null,
  rank               smallint not null,
  at                 timestamptz not null,
  node_id            text not null,
  node_type          text,
  status             rollcall.run_status not null,
  started_at         timestamptz,
  completed_at       timestamptz,
  duration_ms        double precision,
  prep_duration_ms   double precision,
  exec_duration_ms   double precision,
  post_duration_ms   double precision,
  items_in           bigint,
  items_out          bigint,
  attempts           int,
  previous_nodes     text[],
  tokens_used        bigint,
  cost_micros        bigint,
  model              text,
  child_execution_id text,
  error_type         text,
  error_message      text,
  error_stack        text,
  metadata           jsonb,
  primary key (tenant_id, id, node_name, run_index, retry_index, source)
);

-- Ids of nodes that somebody told, for reports that know only names.
create table rollcall.workflow_nodes (
  tenant_id   text collate "C" not null,
  workflow_id text collate "C" not null,
  node_name   text collate "C" not null,
  node_id     text not null,
  primary key (tenant_id, workflow_id, node_name)
);

-- Spans as OpenTelemetry has them, by day like telemetry. `id`: the execution that a span belongs to, once that is known.
create table rollcall.telemetry_spans (
  tenant_id      text collate "C" not null,
  trace_id       text collate "C" not null,
  span_id        text collate "C" not null,
  parent_span_id text collate "C",
  id             uuid,
  name           text not null,
  kind           text not null,
  status         text not null,
  status_message text,
  started_at     timestamptz not null,
  ended_at       timestamptz,
  attributes     jsonb,
  events         jsonb,
  links          jsonb,
  resource       jsonb
) partition by range (started_at);
create index telemetry_spans_by_execution on rollcall.telemetry_spans (tenant_id, id) where id is not null;

create table rollcall.telemetry_events (
  tenant_id text collate "C" not null,
  id        uuid not null,
  event_id  uuid not null,
  at        timestamptz not null,
  name      text not null,
  level     text,
  message   text,
  node_name text,
  span_id   text,
  data      jsonb,
  primary key (tenant_id, id, event_id)
);

create table rollcall.shared_state_snapshots (
  tenant_id text collate "C" not null,
  id        uuid not null,
  sequence  int not null,
  at        timestamptz not null,
  node_name text,
  phase     text,
  state     jsonb not null,
  primary key (tenant_id, id, sequence)
);

do $$
declare v_table text;
begin
  foreach v_table in array array['executions', 'execution_keys', 'node_executions', 'workflow_nodes', 'telemetry_spans',
                                 'telemetry_events', 'shared_state_snapshots'] loop
    execute format('alter table rollcall.%I enable row level security', v_table);
    execute format('alter table rollcall.%I force row level security', v_table);
    execute format('create policy own_tenant on rollcall.%I using (tenant_id = (select rollcall.tenant()))', v_table);
  end loop;
end $$;
