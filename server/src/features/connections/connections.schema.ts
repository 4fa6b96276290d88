import {
  SYNC_PHASES,
  SYNC_STATES,
  type Connection,
  type ConnectionChanges,
  type ConnectionRequest,
  type SyncJob,
} from '@rollcall/client/contract';
import { z } from 'zod';
import { identifier, storable, STORABLE, text } from '../../platform/http/fields.ts';

const time = z.string().nullable();

/** http or https; without user, password, query and fragment, and without what the editor or the API add. */
const baseUrl = z
  .url({ protocol: /^https?$/, error: 'must be an address such as https://n8n.example.com' })
  .max(1000)
  .refine(storable, STORABLE)
  .refine((value) => URL.canParse(value) && isPlain(new URL(value)), {
    error: 'must be without user, password, query and fragment',
    params: { code: 'invalid_url' },
  })
  .transform((value) => value.replace(/\/+$/, '').replace(/\/api(\/v1)?$/, ''))
  .meta({ description: 'Where n8n is, such as https://n8n.example.com' });

const isPlain = ({ username, password, search, hash }: URL): boolean =>
  [username, password, search, hash].every((part) => part === '');

/** It travels in a header. */
const apiKey = z
  .string()
  .trim()
  .min(1)
  .max(4000)
  .regex(/^[\x21-\x7e]*$/, 'must hold none but visible ASCII characters')
  .meta({ description: 'Never shown again.' });

/** Such names are made for instances that nobody has told of. */
const instanceId = identifier.refine((value) => !value.startsWith('connection:'), {
  error: 'must be n8n’s own id, as its hooks and traces tell it',
  params: { code: 'invalid_instance_id' },
});

const labels = z.array(text(100)).max(50);
const interval = z.number().int().min(10).max(86_400);
const hours = z.number().int().min(1).max(100_000).nullable();

export const ConnectionRequestSchema = z
  .strictObject({
    base_url: baseUrl,
    api_key: apiKey,
    name: text(255).optional(),
    labels: labels.default([]),
    interval_seconds: interval.default(300),
    paused: z.boolean().default(false),
    sampled: z.boolean().default(false),
    production_only: z.boolean().default(false),
    saves_no_success: z.boolean().default(false),
    prunes_after: hours.default(null),
    instance_id: instanceId.optional(),
    check: z.boolean().default(true),
  })
  .meta({ id: 'ConnectionRequest' }) satisfies z.ZodType<ConnectionRequest>;

export const ConnectionChangesSchema = z
  .strictObject({
    base_url: baseUrl.optional(),
    api_key: apiKey.optional(),
    name: text(255).optional(),
    labels: labels.optional(),
    interval_seconds: interval.optional(),
    paused: z.boolean().optional(),
    sampled: z.boolean().optional(),
    production_only: z.boolean().optional(),
    saves_no_success: z.boolean().optional(),
    prunes_after: hours.optional(),
    instance_id: instanceId.optional(),
    check: z.boolean().optional(),
  })
  .meta({ id: 'ConnectionChanges' }) satisfies z.ZodType<ConnectionChanges>;

const progress = z.object({
  phase: z.enum(SYNC_PHASES),
  pages: z.number(),
  listed: z.number(),
  applied: z.number(),
  total: z.number().nullable(),
  executions: z.number(),
});

const result = z.object({
  kind: z.enum(['full', 'delta']),
  workflows: z.number(),
  applied: z.number(),
  vanished: z.array(z.string()),
  vanished_count: z.number(),
  executions: z.number(),
  executions_truncated: z.boolean(),
  projects: z.boolean(),
  duration_ms: z.number(),
});

export const ConnectionSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    base_url: z.string(),
    key_hint: z.string(),
    labels: z.array(z.string()),
    interval_seconds: z.number(),
    paused: z.boolean(),
    sampled: z.boolean(),
    production_only: z.boolean(),
    saves_no_success: z.boolean(),
    prunes_after: z.number().nullable(),
    instance_id: z.string(),
    instance_by: z.enum(['operator', 'evidence', 'unknown']),
    project_id: z.string(),
    created_at: z.string(),
    created_by: z.string(),
    updated_at: z.string(),
    sync: z.object({
      id: z.string().nullable(),
      state: z.enum(SYNC_STATES),
      requested_at: time,
      started_at: time,
      progress: progress.nullable(),
    }),
    synced_at: time,
    next_sync_at: time,
    last_result: result.nullable(),
    last_error: z.object({ code: z.string(), detail: z.string(), at: z.string() }).nullable(),
    workflows: z.object({ total: z.number(), active: z.number(), gone: z.number() }),
  })
  .meta({ id: 'Connection' }) satisfies z.ZodType<Connection>;

export const SyncJobSchema = z
  .object({
    id: z.string(),
    connection_id: z.string(),
    state: z.enum(SYNC_STATES),
    requested_at: z.string(),
  })
  .meta({ id: 'SyncJob' }) satisfies z.ZodType<SyncJob>;

export const ConnectionPath = z.object({ id: z.uuid() });
