import {
  DELIVERY_STATUSES,
  WEBHOOK_EVENTS,
  type CreatedWebhook,
  type Webhook,
  type WebhookDelivery,
  type WebhookFilter,
  type WebhookPayload,
  type WebhookRequest,
} from '@rollcall/client/contract';
import { z } from 'zod';
import {
  entityState,
  entityType,
  gapKind,
  gapSeverity,
  text,
  url,
} from '../../platform/http/fields.ts';
import { paging } from '../../platform/http/page.ts';

const event = z.enum(WEBHOOK_EVENTS);
const status = z.enum(DELIVERY_STATUSES);
const some = <Item extends z.ZodType>(item: Item) => z.array(item).min(1).max(50);

const WebhookFilterSchema = z
  .strictObject({
    kinds: some(gapKind).optional(),
    severities: some(gapSeverity).optional(),
    grades: some(z.enum(['certain', 'likely'])).optional(),
    entity_types: some(entityType).optional(),
    states: some(entityState).optional(),
  })
  .meta({ id: 'WebhookFilter' }) satisfies z.ZodType<WebhookFilter>;

export const WebhookRequestSchema = z
  .strictObject({
    url: url(2000),
    events: some(event).optional(),
    filter: WebhookFilterSchema.optional(),
    description: text(500).optional(),
  })
  .meta({ id: 'WebhookRequest' }) satisfies z.ZodType<WebhookRequest>;

export const WebhookSchema = z
  .object({
    id: z.uuid(),
    url: z.string(),
    events: z.array(event),
    filter: WebhookFilterSchema,
    description: z.string().nullable(),
    created_at: z.string(),
    created_by: z.string(),
    ended_at: z.string().nullable(),
    ended_because: z.string().nullable(),
  })
  .meta({ id: 'Webhook' }) satisfies z.ZodType<Webhook>;

export const CreatedWebhookSchema = WebhookSchema.extend({ secret: z.string() }).meta({
  id: 'CreatedWebhook',
}) satisfies z.ZodType<CreatedWebhook>;

export const DeliverySchema = z
  .object({
    id: z.uuid(),
    number: z.number(),
    event: z.enum([...WEBHOOK_EVENTS, 'webhook.test']),
    status,
    attempts: z.number(),
    created_at: z.string(),
    next_attempt_at: z.string().nullable(),
    last_attempt_at: z.string().nullable(),
    delivered_at: z.string().nullable(),
    response_status: z.number().nullable(),
    last_error: z.string().nullable(),
    body: z.custom<WebhookPayload>().meta({ type: 'object' }),
  })
  .meta({ id: 'WebhookDelivery' }) satisfies z.ZodType<WebhookDelivery>;

export const WebhookQuery = z.strictObject({
  ...paging,
  url: text(2000).optional().meta({ description: 'Those that lead exactly there.' }),
});

export const DeliveryQuery = z.strictObject({ ...paging, status: status.optional() });
export const WebhookPath = z.object({ id: z.uuid() });
export const DeliveryPath = z.object({ id: z.uuid(), delivery_id: z.uuid() });
