import { CADENCE_BASES, type Cadence, type InstanceTimezone } from '@rollcall/client/contract';
import { z } from 'zod';
import { entityType, identifier } from '../../platform/http/fields.ts';
import { route, type Route } from '../../platform/http/route.ts';
import type { CadenceStore } from './cadence.store.ts';
import { isTimezone } from './schedule-rules.ts';

const amount = z.number().nullable();
const time = z.string().nullable();

const CadenceSchema = z
  .object({
    entity_type: z.string(),
    entity_id: z.string(),
    basis: z.enum(CADENCE_BASES).nullable(),
    last_activity: time,
    expected_at: time,
    silent_at: time,
    grace_seconds: amount,
    schedule_rules: z.number(),
    timezone: z.string().nullable(),
    longest_gap_seconds: amount,
    samples: z.number(),
    p50_seconds: amount,
    p95_seconds: amount,
    p99_seconds: amount,
    confidence: amount,
    hour_of_week: z.array(z.number()).nullable(),
    computed_at: time,
  })
  .meta({ id: 'Cadence' }) satisfies z.ZodType<Cadence>;

const EntityPath = z.object({ entity_type: entityType, entity_id: identifier });
const InstancePath = z.object({ instance_id: identifier });
const TimezoneBody = z.strictObject({
  timezone: z
    .string()
    .max(64)
    .refine(isTimezone, {
      error: 'must be the name of a time zone, such as Europe/Berlin',
      params: { code: 'unknown_timezone' },
    })
    .nullable(),
});
const InstanceTimezoneSchema = z
  .object({ instance_id: z.string(), timezone: z.string().nullable() })
  .meta({ id: 'InstanceTimezone' }) satisfies z.ZodType<InstanceTimezone>;

export function cadenceRoutes(store: CadenceStore): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/entities/:entity_type/:entity_id/cadence',
      access: 'gaps:read',
      summary: 'How often an entity speaks, and by when it has to again',
      params: EntityPath,
      response: CadenceSchema,
      handle: ({ tenant, params }) => store.get(tenant, params.entity_type, params.entity_id),
    }),
    route({
      method: 'put',
      path: '/api/v1/n8n/instances/:instance_id/timezone',
      access: 'gaps:write',
      summary: 'Say in which time zone an n8n instance runs its schedules',
      description:
        'For workflows that name no zone of their own (GENERIC_TIMEZONE in n8n). Null: not known.',
      params: InstancePath,
      body: TimezoneBody,
      response: InstanceTimezoneSchema,
      handle: ({ tenant, params, body }) =>
        store.setTimezone(tenant, params.instance_id, body.timezone),
    }),
  ];
}
