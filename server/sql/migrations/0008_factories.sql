-- What factories make: the latest word on each entity, so that a late event moves nothing back.
create table rollcall.factory_makings (
  tenant_id   text collate "C" not null,
  entity_type rollcall.entity_type not null,
  entity_id   text collate "C" not null,
  factory     text not null,
  phase       text not null check (phase in ('started', 'step', 'succeeded', 'failed')),
  told_at     timestamptz not null,
  primary key (tenant_id, entity_type, entity_id),
  foreign key (tenant_id, entity_type, entity_id) references rollcall.entities
);
alter table rollcall.factory_makings enable row level security;
alter table rollcall.factory_makings force row level security;
create policy own_tenant on rollcall.factory_makings using (tenant_id = (select rollcall.tenant()));
