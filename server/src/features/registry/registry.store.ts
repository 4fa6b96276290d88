import type {
  Entity,
  EntityDetail,
  EntityFilter,
  EntityReference,
  RegisteredEntity,
  StateChange,
} from '@rollcall/client/contract';
import type { Database } from '../../platform/database/port.ts';
import type { Rows } from '../../platform/http/page.ts';

/** Who changes something, and where. */
export interface Author {
  tenant: string;
  project: string;
  actor: string;
}

export interface StateUpdate {
  new_state?: string | undefined;
  health_status?: string | undefined;
  reason?: string | undefined;
}

const named = (tenant: string, { entity_type, entity_id }: EntityReference) => ({
  p_tenant: tenant,
  p_type: entity_type,
  p_id: entity_id,
});

export const registryStore = (database: Database) => ({
  register: ({ tenant, project, actor }: Author, entity: object) =>
    database.call<RegisteredEntity>('register_entity', {
      p_tenant: tenant,
      p_entity: entity,
      p_actor: actor,
      p_project: project,
    }),

  get: (tenant: string, entity: EntityReference) =>
    database.call<EntityDetail>('get_entity', named(tenant, entity)),

  list: (
    tenant: string,
    filter: EntityFilter,
    sort: string,
    limit: number,
    after: unknown[] | null,
  ) =>
    database.call<Rows<Entity>>('list_entities', {
      p_tenant: tenant,
      p_filter: filter,
      p_sort: sort,
      p_limit: limit,
      p_after: after,
    }),

  updateState: ({ tenant, actor }: Author, entity: EntityReference, update: StateUpdate) =>
    database.call<Entity>('update_entity_state', {
      ...named(tenant, entity),
      p_state: update.new_state ?? null,
      p_health: update.health_status ?? null,
      p_reason: update.reason ?? null,
      p_actor: actor,
    }),

  heartbeat: (
    { tenant, actor }: Author,
    entity: EntityReference,
    health: string | undefined,
    at: Date,
  ) =>
    database.call<Entity>('heartbeat', {
      ...named(tenant, entity),
      p_health: health ?? null,
      p_at: at.toISOString(),
      p_actor: actor,
    }),

  listStates: (tenant: string, entity: EntityReference, limit: number, after: unknown[] | null) =>
    database.call<Rows<StateChange>>('list_entity_states', {
      ...named(tenant, entity),
      p_limit: limit,
      p_after: after,
    }),
});

export type RegistryStore = ReturnType<typeof registryStore>;
