import type { Gap } from './gaps.ts';
import type { StateChange } from './registry.ts';
import type { EntityState, EntityType, GapGrade, GapKind, GapSeverity } from './vocabulary.ts';

/** What a subscription may be told of. `webhook.test` comes only when it is asked for. */
export const WEBHOOK_EVENTS = ['gap.opened', 'gap.closed', 'entity.state_changed'] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** Where a delivery stands. `dead`: given up after a day of attempts; it can be retried. */
export const DELIVERY_STATUSES = ['pending', 'delivered', 'dead'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** Of every field that is there, an event has one of the values. A field that an event has nothing of lets it through. */
export interface WebhookFilter {
  /** Of gaps. */
  kinds?: GapKind[];
  /** Of gaps. */
  severities?: GapSeverity[];
  /** Of gaps. What cannot be told for sure is never told. */
  grades?: Exclude<GapGrade, 'cannot_tell'>[];
  entity_types?: EntityType[];
  /** Of state changes: the state moved to. */
  states?: EntityState[];
}

export interface WebhookRequest {
  /** http or https, without a user or a password in it. */
  url: string;
  /** Everything when left out. */
  events?: WebhookEvent[];
  filter?: WebhookFilter;
  description?: string;
}

export interface Webhook {
  id: string;
  url: string;
  events: WebhookEvent[];
  filter: WebhookFilter;
  description: string | null;
  created_at: string;
  created_by: string;
  /** Set once the receiver has answered 410 Gone: nothing is sent any more. */
  ended_at: string | null;
  ended_because: string | null;
}

/** The secret is in this answer and nowhere else, ever. */
export interface CreatedWebhook extends Webhook {
  /** `whsec_` and 32 random bytes in base64, as Standard Webhooks has it. */
  secret: string;
}

/** What is sent, as JSON. The header `webhook-id` is the delivery's id, the same for every attempt. */
export type WebhookPayload =
  | { type: 'gap.opened' | 'gap.closed'; timestamp: string; data: Gap }
  | { type: 'entity.state_changed'; timestamp: string; data: EntityStateChange }
  | { type: 'webhook.test'; timestamp: string; data: { webhook_id: string; asked_by: string } };

export interface EntityStateChange extends Omit<StateChange, 'id'> {
  entity_type: EntityType;
  entity_id: string;
  entity_name: string;
}

export interface WebhookDelivery {
  id: string;
  /** Grows with time. */
  number: number;
  event: WebhookPayload['type'];
  status: DeliveryStatus;
  attempts: number;
  created_at: string;
  /** Null when there will be none. */
  next_attempt_at: string | null;
  last_attempt_at: string | null;
  delivered_at: string | null;
  /** HTTP status of the latest answer; null when there was none. */
  response_status: number | null;
  last_error: string | null;
  /** What is sent. */
  body: WebhookPayload;
}
