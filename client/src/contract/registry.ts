import type { EntityState, EntityType, HealthStatus } from './vocabulary.ts';

export interface EntityReference {
  entity_type: EntityType;
  entity_id: string;
}

/** What a caller may say of an entity. Registering twice is a success and updates what is named. */
export interface EntityRegistration {
  entity_id: string;
  entity_type: EntityType;
  entity_name?: string;
  description?: string;
  registered_by?: string;
  capabilities?: string[];
  tags?: string[];
  endpoint_url?: string;
  /** `null` removes the parent. */
  parent?: EntityReference | null;
  /** Declared dependencies; replaces the declared ones when given. */
  dependencies?: EntityReference[];
  project_id?: string;
  version?: string;
  definition_hash?: string;
  metadata?: Record<string, unknown>;
  /** Silence longer than this is a gap, in seconds; the tenant's rule for the type when left out. */
  silent_after_seconds?: number;
  /** State to move to with this registration; `created` for a new entity when left out. */
  current_state?: Exclude<EntityState, 'deleted'>;
  health_status?: HealthStatus;
  /** n8n workflow JSON; capabilities, dependencies and the definition hash are extracted from it. */
  workflow?: Record<string, unknown>;
}

export interface Entity {
  entity_id: string;
  entity_type: EntityType;
  entity_name: string;
  description: string | null;
  registered_by: string;
  capabilities: string[];
  tags: string[];
  endpoint_url: string | null;
  parent: EntityReference | null;
  project_id: string;
  version: string | null;
  definition_hash: string | null;
  metadata: Record<string, unknown>;
  silent_after_seconds: number | null;
  current_state: EntityState;
  health_status: HealthStatus;
  last_activity: string | null;
  created_at: string;
  updated_at: string;
}

export interface RefusedDependency extends EntityReference {
  reason: string;
}

export interface RegisteredEntity {
  outcome: 'created' | 'updated';
  entity: Entity;
  /** Extracted dependencies that would have closed a cycle, and why each was left out. */
  refused_dependencies: RefusedDependency[];
}

export interface StateChange {
  /** Grows with time. */
  id: number;
  to_state: EntityState;
  from_state: EntityState | null;
  to_health: HealthStatus;
  from_health: HealthStatus | null;
  reason: string | null;
  changed_by: string;
  changed_at: string;
}

export interface Dependency extends EntityReference {
  origin: 'declared' | 'extracted';
}

/** One entity with what surrounds it. */
export interface EntityDetail extends Entity {
  depends_on: Dependency[];
  depended_on_by: Dependency[];
  children: EntityReference[];
  /** Nearest first. */
  ancestors: EntityReference[];
}

export interface EntityFilter {
  entity_type?: EntityType;
  current_state?: EntityState;
  health_status?: HealthStatus;
  tag?: string;
  capability?: string;
  parent_type?: EntityType;
  parent_id?: string;
  project_id?: string;
  /** Part of the name, id or description, in any letter case. */
  text?: string;
}
