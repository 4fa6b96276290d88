-- Of every open gap, each check says that it still holds: when, stands here once, not in each row.
alter table rollcall.gap_checks add column checked_at timestamptz;

-- What a full check looks for among a whole fleet is little.
create index entities_without_parent on rollcall.entities (tenant_id, entity_type) where parent_id is null;
create index entities_unfit on rollcall.entities (tenant_id, entity_type, entity_id)
 where current_state in ('deleted', 'archived', 'inactive', 'error') or health_status = 'unhealthy';

-- When its row last became another, by the clock of the database: for incremental checks.
alter table rollcall.n8n_workflows add column changed_at timestamptz not null default now();
drop index rollcall.n8n_workflows_noted;
create index n8n_workflows_changed on rollcall.n8n_workflows (tenant_id, changed_at);

-- Rhythms are learned in turns, whoever has waited longest first; what was never learned has waited since ever.
alter table rollcall.gap_checks drop column learned_at;
create index cadence_by_computed on rollcall.cadence (tenant_id, computed_at) where source <> 'schedule';
create index telemetry_pairs_by_target on rollcall.telemetry_pairs (tenant_id, target_id, hour);
