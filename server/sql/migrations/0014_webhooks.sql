-- Who wants to be told of what, what is on its way to them, and the weekly audits.

create table rollcall.webhooks (
  id            uuid primary key default gen_random_uuid(),
  tenant_id     text collate "C" not null references rollcall.tenants,
  url           text not null check (length(url) between 1 and 2000),
  events        text[] not null check (cardinality(events) > 0),
  filter        jsonb not null default '{}' check (jsonb_typeof(filter) = 'object'),
  description   text,
  -- Encrypted by the server; the database never sees the key.
  sealed_secret text not null,
  created_at    timestamptz not null,
  created_by    text not null,
  -- Nothing is sent any more: the receiver said that it is gone.
  ended_at      timestamptz,
  ended_because text,
  unique (tenant_id, id),
  check ((ended_at is null) = (ended_because is null))
);
create index webhooks_by_tenant on rollcall.webhooks (tenant_id, created_at, id);

-- The outbox: written by the transaction that an event speaks of, read by the workers.
create table rollcall.webhook_deliveries (
  -- What the receiver knows it by: the same for every attempt.
  id              uuid primary key default gen_random_uuid(),
  tenant_id       text collate "C" not null,
  webhook_id      uuid not null,
  number          bigint generated always as identity,
  event           text not null,
  body            jsonb not null,
  status          text not null default 'pending' check (status in ('pending', 'delivered', 'dead')),
  attempts        int not null default 0,
  created_at      timestamptz not null default clock_timestamp(),
  -- A day after this it is given up.
  due_since       timestamptz not null default clock_timestamp(),
  -- By the servers' clocks, which need not be the database's: the first attempt is due at once.
  next_attempt_at timestamptz not null default '-infinity',
  -- The attempt that is under way, and until when nobody else may try.
  claim           uuid,
  claimed_until   timestamptz,
  last_attempt_at timestamptz,
  delivered_at    timestamptz,
  response_status int,
  last_error      text,
  foreign key (tenant_id, webhook_id) references rollcall.webhooks (tenant_id, id) on delete cascade
);
create index webhook_deliveries_due on rollcall.webhook_deliveries (next_attempt_at) where status = 'pending';
create index webhook_deliveries_in_line on rollcall.webhook_deliveries (tenant_id, webhook_id, number) where status = 'pending';
create index webhook_deliveries_in_order on rollcall.webhook_deliveries (tenant_id, webhook_id, number);

-- One a week and tenant, whichever server is first.
create table rollcall.audits (
  id          uuid primary key default gen_random_uuid(),
  tenant_id   text collate "C" not null references rollcall.tenants,
  period_from timestamptz not null,
  period_to   timestamptz not null,
  created_at  timestamptz not null,
  report      jsonb not null,
  unique (tenant_id, period_to)
);

-- What a report of some days asks for.
create index entity_states_by_time on rollcall.entity_states (tenant_id, changed_at);

alter table rollcall.webhooks enable row level security;
alter table rollcall.webhooks force row level security;
create policy own_tenant on rollcall.webhooks using (tenant_id = (select rollcall.tenant()));
alter table rollcall.webhook_deliveries enable row level security;
alter table rollcall.webhook_deliveries force row level security;
create policy own_tenant on rollcall.webhook_deliveries using (tenant_id = (select rollcall.tenant()));
-- Workers ask one question of all tenants at once: where something is due.
create policy worker_looks_for_work on rollcall.webhook_deliveries for select
  using (current_user = 'rollcall_owner' and status = 'pending' and current_setting('rollcall.looks_for_work', true) = 'webhooks');
alter table rollcall.audits enable row level security;
alter table rollcall.audits force row level security;
create policy own_tenant on rollcall.audits using (tenant_id = (select rollcall.tenant()));
