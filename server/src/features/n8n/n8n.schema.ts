import {
  ENTITY_STATES,
  N8N_HANDLINGS,
  type N8nEventCount,
  type N8nEventFilter,
  type N8nInstance,
  type N8nKnownWorkflow,
  type N8nWorkflowFilter,
} from '@rollcall/client/contract';
import { z } from 'zod';
import { identifier } from '../../platform/http/fields.ts';
import { paging } from '../../platform/http/page.ts';
import { HooksEventSchema } from './webhook/hooks-events.schema.ts';

const time = z.string().nullable();
const number = z.number().nullable();
const yesOrNo = z.enum(['true', 'false']).transform((said) => said === 'true');

/** For the documentation: each item is judged by itself (webhook/recognise.ts). */
export const N8nEventSchema = z
  .union([
    HooksEventSchema,
    z
      .looseObject({ eventName: z.string(), ts: z.string(), payload: z.looseObject({}).optional() })
      .meta({ description: 'An event of n8n’s log streaming, or a line of n8nEventLog.log.' }),
    z
      .looseObject({ event: z.string(), workflow_id: z.string() })
      .meta({ description: 'An item of the n8n Trigger node, or any event about a workflow.' }),
    z
      .looseObject({ execution: z.looseObject({}), workflow: z.looseObject({}) })
      .meta({ description: 'An item of the Error Trigger node.' }),
    z.looseObject({}).meta({ description: 'Anything else is counted and shown as unknown.' }),
  ])
  .meta({ id: 'N8nEvent' });

export const WebhookQuery = z.strictObject({
  instance_id: identifier
    .optional()
    .meta({ description: 'The n8n instance of all events that do not name theirs.' }),
});

export const N8nInstanceSchema = z
  .object({
    instance_id: z.string(),
    n8n_version: z.string().nullable(),
    first_seen: z.string(),
    last_seen: z.string(),
    inventoried_at: time,
    workflows: z.object({
      total: z.number(),
      active: z.number(),
      archived: z.number(),
      deleted: z.number(),
    }),
    processes: z.array(
      z.object({
        role: z.string(),
        started_at: z.string(),
        reported_at: z.string(),
        hooks_version: z.string(),
        n8n_version: z.string().nullable(),
        hooks: z.record(z.string(), z.unknown()),
      }),
    ),
  })
  .meta({ id: 'N8nInstance' }) satisfies z.ZodType<N8nInstance>;

export const N8nWorkflowQuery = z.strictObject({
  ...paging,
  instance_id: identifier.optional(),
  workflow_id: identifier.optional(),
  active: yesOrNo.optional(),
  archived: yesOrNo.optional(),
  deleted: yesOrNo
    .optional()
    .meta({ description: 'true: those that are gone. They are left out otherwise.' }),
  text: identifier.optional().meta({ description: 'Part of the name or id.' }),
}) satisfies z.ZodType<N8nWorkflowFilter>;

export const N8nKnownWorkflowSchema = z
  .object({
    instance_id: z.string().nullable(),
    workflow_id: z.string(),
    name: z.string().nullable(),
    state: z.enum(ENTITY_STATES).nullable(),
    state_at: time,
    state_cause: z.string().nullable(),
    active: z.boolean(),
    archived: z.boolean(),
    deleted_at: time,
    version_id: z.string().nullable(),
    active_version_id: z.string().nullable(),
    definition_hash: z.string().nullable(),
    project: z
      .object({ id: z.string(), name: z.string().optional(), type: z.string().optional() })
      .nullable(),
    tags: z.array(z.string()),
    trigger_count: number,
    node_count: number,
    inventory_id: z.string().nullable(),
    first_seen: z.string(),
    seen_at: time,
    registered: z.boolean(),
  })
  .meta({ id: 'N8nKnownWorkflow' }) satisfies z.ZodType<N8nKnownWorkflow>;

export const N8nEventQuery = z.strictObject({
  ...paging,
  instance_id: identifier.optional(),
  handling: z.enum(N8N_HANDLINGS).optional(),
}) satisfies z.ZodType<N8nEventFilter>;

export const N8nEventCountSchema = z
  .object({
    name: z.string(),
    instance_id: z.string().nullable(),
    handling: z.enum(N8N_HANDLINGS),
    events: z.number(),
    first_seen: z.string(),
    last_seen: z.string(),
    samples: z.array(z.object({ at: z.string(), event: z.unknown() })),
  })
  .meta({ id: 'N8nEventCount' }) satisfies z.ZodType<N8nEventCount>;
