import type {
  ApiKey,
  ApiKeyRequest,
  CreatedApiKey,
  CreatedProject,
  Project,
  ProjectRequest,
} from '@rollcall/client/contract';
import { z } from 'zod';
import { moment, projectId, scope, text } from '../../platform/http/fields.ts';

export const ApiKeySchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    prefix: z.string(),
    scopes: z.array(scope),
    project_id: z.string(),
    created_at: z.string(),
    created_by: z.string(),
    expires_at: z.string().nullable(),
    revoked_at: z.string().nullable(),
    last_used_at: z.string().nullable(),
  })
  .meta({ id: 'ApiKey' }) satisfies z.ZodType<ApiKey>;

export const CreatedApiKeySchema = ApiKeySchema.extend({ key: z.string() }).meta({
  id: 'CreatedApiKey',
}) satisfies z.ZodType<CreatedApiKey>;

export const ApiKeyRequestSchema = z
  .strictObject({
    name: text(200),
    scopes: z.array(scope).min(1).max(20),
    project_id: projectId.optional(),
    expires_at: moment.optional(),
  })
  .meta({ id: 'ApiKeyRequest' }) satisfies z.ZodType<ApiKeyRequest>;

export const WhoAmI = z
  .object({
    tenant_id: z.string(),
    project_id: z.string(),
    key_id: z.string(),
    name: z.string(),
    scopes: z.array(scope),
  })
  .meta({ id: 'WhoAmI' });

export const ProjectSchema = z
  .object({ project_id: z.string(), name: z.string(), created_at: z.string() })
  .meta({ id: 'Project' }) satisfies z.ZodType<Project>;

export const ProjectRequestSchema = z
  .strictObject({ project_id: projectId, name: text(200).optional() })
  .meta({ id: 'ProjectRequest' }) satisfies z.ZodType<ProjectRequest>;

export const CreatedProjectSchema = z
  .object({ outcome: z.enum(['created', 'updated']), project: ProjectSchema })
  .meta({ id: 'CreatedProject' }) satisfies z.ZodType<CreatedProject>;
