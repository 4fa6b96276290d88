-- What happened lately, for those who watch. Rows are written by the transaction that they speak of, and read
-- between two of its snapshots: the order of ids is not the order of commits, so no id says "all before me is there".

create table rollcall.live_events (
  tenant_id text collate "C" not null,
  -- Of the transaction that wrote it: whether a snapshot holds the row can be told from this alone.
  xact      xid8 not null default pg_current_xact_id(),
  id        bigint generated always as identity,
  at        timestamptz not null default clock_timestamp(),
  topic     text not null check (topic in ('executions', 'telemetry', 'registry', 'gaps')),
  body      jsonb not null,
  primary key (tenant_id, xact, id)
);
-- No reference to tenants: the tenant was entered, and a lookup per row would cost ingest.

alter table rollcall.live_events enable row level security;
alter table rollcall.live_events force row level security;
create policy own_tenant on rollcall.live_events using (tenant_id = (select rollcall.tenant()));

-- Up to which transaction rows were removed: who has not read as far as that has to start anew.
alter table rollcall.tenants add column live_trimmed xid8 not null default '0';
