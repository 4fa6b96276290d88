import type {
  Entity,
  EntityDetail,
  EntityFilter,
  EntityRegistration,
  RegisteredEntity,
  StateChange,
} from '@rollcall/client/contract';
import { z } from 'zod';
import {
  entityState,
  entityType,
  healthStatus,
  identifier,
  metadata,
  projectId,
  prose,
  text,
  url,
} from '../../platform/http/fields.ts';
import { paging } from '../../platform/http/page.ts';

export const EntityReferenceSchema = z
  .strictObject({ entity_type: entityType, entity_id: identifier })
  .meta({ id: 'EntityReference' });

const endpointUrl = url(2000).refine(
  (value) => !URL.canParse(value) || new URL(value).password === '',
  {
    error: 'must not hold a password',
    params: { code: 'secret_in_url' },
  },
);

const words = z.array(text(200)).max(500);

export const EntityRegistrationSchema = z
  .strictObject({
    entity_id: identifier,
    entity_type: entityType,
    entity_name: text(255).optional(),
    description: prose(4000).optional(),
    registered_by: text(200).optional(),
    capabilities: words.optional(),
    tags: words.optional(),
    endpoint_url: endpointUrl.optional(),
    parent: EntityReferenceSchema.nullable().optional(),
    dependencies: z.array(EntityReferenceSchema).max(500).optional(),
    project_id: projectId.optional(),
    version: text(200).optional(),
    definition_hash: text(200).optional(),
    metadata: metadata.optional(),
    silent_after_seconds: z.number().int().min(1).max(315_360_000).optional(),
    current_state: entityState.exclude(['deleted']).optional(),
    health_status: healthStatus.optional(),
    workflow: z.record(z.string(), z.unknown()).optional().meta({
      description:
        'n8n workflow JSON. Capabilities, dependencies and a definition hash are extracted from it; it is not stored.',
    }),
  })
  .meta({ id: 'EntityRegistration' }) satisfies z.ZodType<EntityRegistration>;

export const EntitySchema = z
  .object({
    entity_id: z.string(),
    entity_type: z.string(),
    entity_name: z.string(),
    description: z.string().nullable(),
    registered_by: z.string(),
    capabilities: z.array(z.string()),
    tags: z.array(z.string()),
    endpoint_url: z.string().nullable(),
    parent: EntityReferenceSchema.nullable(),
    project_id: z.string(),
    version: z.string().nullable(),
    definition_hash: z.string().nullable(),
    metadata: z.record(z.string(), z.unknown()),
    silent_after_seconds: z.number().nullable(),
    current_state: entityState,
    health_status: healthStatus,
    last_activity: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Entity' }) satisfies z.ZodType<Entity>;

const Dependency = EntityReferenceSchema.extend({ origin: z.enum(['declared', 'extracted']) });

export const EntityDetailSchema = EntitySchema.extend({
  depends_on: z.array(Dependency),
  depended_on_by: z.array(Dependency),
  children: z.array(EntityReferenceSchema),
  ancestors: z.array(EntityReferenceSchema),
}).meta({ id: 'EntityDetail' }) satisfies z.ZodType<EntityDetail>;

export const RegisteredEntitySchema = z
  .object({
    outcome: z.enum(['created', 'updated']),
    entity: EntitySchema,
    refused_dependencies: z.array(EntityReferenceSchema.extend({ reason: z.string() })),
  })
  .meta({ id: 'RegisteredEntity' }) satisfies z.ZodType<RegisteredEntity>;

export const ENTITY_SORTS = ['entity_name', 'created_at', 'updated_at'] as const;

export const EntityQuery = z.strictObject({
  ...paging,
  entity_type: entityType.optional(),
  current_state: entityState.optional(),
  health_status: healthStatus.optional(),
  tag: text(200).optional(),
  capability: text(200).optional(),
  parent_type: entityType.optional(),
  parent_id: identifier.optional(),
  project_id: projectId.optional(),
  text: text(200).optional(),
  sort: z.enum(ENTITY_SORTS).default('entity_name'),
}) satisfies z.ZodType<EntityFilter>;

export const EntityPath = z.object({ entity_type: entityType, entity_id: identifier });

export const StateRequest = z
  .strictObject({
    new_state: entityState.optional(),
    health_status: healthStatus.optional(),
    reason: prose(2000).optional(),
  })
  .refine(({ new_state, health_status }) => new_state ?? health_status, {
    error: 'give new_state, health_status or both',
    path: ['new_state'],
    params: { code: 'required' },
  })
  .meta({ id: 'StateRequest' });

export const HeartbeatRequest = z
  .strictObject({ health_status: healthStatus.optional() })
  .meta({ id: 'HeartbeatRequest' });

export const StateChangeSchema = z
  .object({
    id: z.number(),
    from_state: entityState.nullable(),
    to_state: entityState,
    from_health: healthStatus.nullable(),
    to_health: healthStatus,
    reason: z.string().nullable(),
    changed_by: z.string(),
    changed_at: z.string(),
  })
  .meta({ id: 'StateChange' }) satisfies z.ZodType<StateChange>;
