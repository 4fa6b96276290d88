import type {
  CreatedWebhook,
  DeliveryStatus,
  Webhook,
  WebhookDelivery,
  WebhookPayload,
  WebhookRequest,
} from '@rollcall/client/contract';
import type { Database } from '../../platform/database/port.ts';
import type { Rows } from '../../platform/http/page.ts';
import type { Outcome } from './outcome.ts';

/** A delivery that somebody has claimed for one attempt. */
export interface ClaimedDelivery {
  tenant: string;
  id: string;
  webhook_id: string;
  url: string;
  sealed_secret: string;
  body: WebhookPayload;
  /** This one included. */
  attempts: number;
  due_since: string;
}

interface Author {
  tenant: string;
  actor: string;
}

interface Claim {
  claim: string;
  now: Date;
  leaseSeconds: number;
}

export type NewWebhook = Required<Pick<WebhookRequest, 'url' | 'events' | 'filter'>> & {
  description: string | null;
  sealedSecret: string;
};

export const webhooksStore = (database: Database) => ({
  create: ({ tenant, actor }: Author, webhook: NewWebhook, now: Date, most: number) =>
    database.call<Omit<CreatedWebhook, 'secret'>>('create_webhook', {
      p_tenant: tenant,
      p_url: webhook.url,
      p_events: webhook.events,
      p_filter: webhook.filter,
      p_description: webhook.description,
      p_sealed_secret: webhook.sealedSecret,
      p_actor: actor,
      p_now: now.toISOString(),
      p_most: most,
    }),

  get: (tenant: string, webhook: string) =>
    database.call<Webhook>('get_webhook', { p_tenant: tenant, p_webhook: webhook }),

  list: (tenant: string, url: string | undefined, limit: number, after: unknown[] | null) =>
    database.call<Rows<Webhook>>('list_webhooks', {
      p_tenant: tenant,
      p_url: url ?? null,
      p_limit: limit,
      p_after: after,
    }),

  remove: (tenant: string, webhook: string) =>
    database.call<Webhook>('delete_webhook', { p_tenant: tenant, p_webhook: webhook }),

  deliveries: (
    tenant: string,
    webhook: string,
    status: DeliveryStatus | undefined,
    limit: number,
    after: unknown[] | null,
  ) =>
    database.call<Rows<WebhookDelivery>>('list_webhook_deliveries', {
      p_tenant: tenant,
      p_webhook: webhook,
      p_status: status ?? null,
      p_limit: limit,
      p_after: after,
    }),

  retry: (tenant: string, webhook: string, delivery: string, now: Date) =>
    database.call<WebhookDelivery>('retry_webhook_delivery', {
      p_tenant: tenant,
      p_webhook: webhook,
      p_delivery: delivery,
      p_now: now.toISOString(),
    }),

  beginTest: ({ tenant, actor }: Author, webhook: string, { claim, now, leaseSeconds }: Claim) =>
    database.call<ClaimedDelivery>('begin_webhook_test', {
      p_tenant: tenant,
      p_webhook: webhook,
      p_actor: actor,
      p_now: now.toISOString(),
      p_claim: claim,
      p_lease_seconds: leaseSeconds,
    }),

  tenantsWithDeliveries: (now: Date) =>
    database.call<string[]>('tenants_with_deliveries', { p_now: now.toISOString() }),

  /** @param patience failed attempts after which a delivery is overtaken by those behind it */
  claim: (tenant: string, { claim, now, leaseSeconds }: Claim, patience: number, limit: number) =>
    database.call<ClaimedDelivery[]>('claim_webhook_deliveries', {
      p_tenant: tenant,
      p_now: now.toISOString(),
      p_claim: claim,
      p_lease_seconds: leaseSeconds,
      p_patience: patience,
      p_limit: limit,
    }),

  /** `null` when the claim has passed to somebody else, or the subscription is gone. */
  settle: (delivery: ClaimedDelivery, claim: string, outcome: Outcome, now: Date) =>
    database.call<WebhookDelivery | null>('settle_webhook_delivery', {
      p_tenant: delivery.tenant,
      p_delivery: delivery.id,
      p_claim: claim,
      p_outcome: outcome.outcome,
      p_response_status: outcome.responseStatus,
      p_error: outcome.error,
      p_now: now.toISOString(),
      p_next_at: outcome.nextAt?.toISOString() ?? null,
    }),

  trim: (tenant: string, now: Date, deliveredDays: number, deadDays: number) =>
    database.call<{ removed: number }>('trim_webhook_deliveries', {
      p_tenant: tenant,
      p_now: now.toISOString(),
      p_delivered_days: deliveredDays,
      p_dead_days: deadDays,
    }),
});

export type WebhooksStore = ReturnType<typeof webhooksStore>;
