-- What was done about gaps, by whom, and what it takes to undo it.

create table rollcall.gap_fixes (
  id          uuid primary key default gen_random_uuid(),
  tenant_id   text collate "C" not null references rollcall.tenants,
  gap_id      uuid not null,
  kind        rollcall.gap_kind not null,
  entity_type rollcall.entity_type not null,
  entity_id   text collate "C" not null,
  subject     text collate "C" not null,
  action      text not null,
  summary     text not null,
  arguments   jsonb not null,
  actor       text not null,
  at          timestamptz not null,
  -- `pending`: n8n was asked, and its answer is not known.
  status      text not null check (status in ('pending', 'done', 'failed', 'undone')),
  error       text,
  -- The entity that was changed: of a broken dependency and of a lost parent, the other one.
  target_type rollcall.entity_type not null,
  target_id   text collate "C" not null,
  changes     jsonb not null,
  -- Fields that were changed, as they were and as they became: {existed, entity, depends_on, gap}.
  before      jsonb not null default '{}',
  after       jsonb not null default '{}',
  -- JSON as n8n gave it and took it. Text: jsonb would lose the order of keys, and takes no NUL.
  workflow_before text,
  workflow_after  text,
  finished_at timestamptz,
  undone_at   timestamptz,
  undone_by   text
);
create index gap_fixes_by_time on rollcall.gap_fixes (tenant_id, at, id);
create index gap_fixes_by_gap on rollcall.gap_fixes (tenant_id, gap_id, at);
create unique index gap_fixes_pending on rollcall.gap_fixes (tenant_id, gap_id) where status = 'pending';

alter table rollcall.gap_fixes enable row level security;
alter table rollcall.gap_fixes force row level security;
create policy own_tenant on rollcall.gap_fixes using (tenant_id = (select rollcall.tenant()));
