import type { Scope, WebhookEvent, WebhookRequest } from '@rollcall/client/contract';
import { WEBHOOK_EVENTS } from '@rollcall/client/contract';
import type { Clock } from '../../platform/clock.ts';
import { fromCursor, pageOf, sortField, toPage } from '../../platform/http/page.ts';
import { route, type Principal, type Route } from '../../platform/http/route.ts';
import { DestinationError } from '../../platform/outbound/destination.ts';
import { invalid, Problem } from '../../platform/problem.ts';
import type { DeliveryWorker } from './delivery.ts';
import { makeSecret } from './signature.ts';
import {
  CreatedWebhookSchema,
  DeliveryPath,
  DeliveryQuery,
  DeliverySchema,
  WebhookPath,
  WebhookQuery,
  WebhookRequestSchema,
  WebhookSchema,
} from './webhooks.schema.ts';
import type { WebhooksStore } from './webhooks.store.ts';

interface Needs {
  store: WebhooksStore;
  worker: Pick<DeliveryWorker, 'test'>;
  /** @throws DestinationError */
  checkUrl: (url: string) => Promise<unknown>;
  /** Encrypts a secret. */
  seal: (secret: string) => string;
  clock: Clock;
}

const MOST_WEBHOOKS = 100;
/** What a key needs to be told of an event. */
const NEEDED: Record<WebhookEvent, Scope> = {
  'gap.opened': 'gaps:read',
  'gap.closed': 'gaps:read',
  'entity.state_changed': 'registry:read',
};

export function webhooksRoutes({ store, worker, checkUrl, seal, clock }: Needs): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/v1/webhooks',
      access: 'gaps:write',
      summary: 'Subscribe an address to events',
      description:
        'The answer holds the secret that deliveries are signed with, once. Events need their read scopes: gap.* gaps:read (gaps:write will do), entity.state_changed registry:read. Without `events`, all that the key may read.',
      body: WebhookRequestSchema,
      response: CreatedWebhookSchema,
      status: () => 201,
      conflict: `There are ${MOST_WEBHOOKS} webhooks already`,
      async handle({ body, ...principal }) {
        const events = allowed(principal, body);
        await checkUrl(body.url).catch(refuseUrl);
        const secret = makeSecret();
        const webhook = await store.create(
          principal,
          {
            url: body.url,
            events,
            filter: body.filter ?? {},
            description: body.description ?? null,
            sealedSecret: seal(secret),
          },
          clock(),
          MOST_WEBHOOKS,
        );
        return { ...webhook, secret };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/webhooks',
      access: 'gaps:read',
      summary: 'List subscriptions, oldest first',
      query: WebhookQuery,
      response: pageOf(WebhookSchema),
      handle: async ({ tenant, query: { limit, cursor, url } }) =>
        toPage(
          await store.list(
            tenant,
            url,
            limit,
            fromCursor(cursor, [sortField.timestamp, sortField.uuid]),
          ),
        ),
    }),
    route({
      method: 'get',
      path: '/api/v1/webhooks/:id',
      access: 'gaps:read',
      summary: 'One subscription',
      params: WebhookPath,
      response: WebhookSchema,
      handle: ({ tenant, params }) => store.get(tenant, params.id),
    }),
    route({
      method: 'delete',
      path: '/api/v1/webhooks/:id',
      access: 'gaps:write',
      summary: 'End a subscription',
      description: 'What was on its way to it is dropped.',
      params: WebhookPath,
      response: WebhookSchema,
      handle: ({ tenant, params }) => store.remove(tenant, params.id),
    }),
    route({
      method: 'get',
      path: '/api/v1/webhooks/:id/deliveries',
      access: 'gaps:read',
      summary: 'What was sent to a subscription, latest first',
      description: 'Needs registry:read too where the subscription is told of state changes.',
      params: WebhookPath,
      query: DeliveryQuery,
      response: pageOf(DeliverySchema),
      async handle({ params, query: { limit, cursor, status }, ...principal }) {
        const after = fromCursor(cursor, [sortField.number]);
        const { events } = await store.get(principal.tenant, params.id);
        allowed(principal, { events });
        return toPage(await store.deliveries(principal.tenant, params.id, status, limit, after));
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/webhooks/:id/deliveries/:delivery_id/retry',
      access: 'gaps:write',
      summary: 'Send a delivery again that was given up, or that waits',
      params: DeliveryPath,
      response: DeliverySchema,
      conflict: 'It has arrived, or the subscription has ended',
      handle: ({ tenant, params }) => store.retry(tenant, params.id, params.delivery_id, clock()),
    }),
    route({
      method: 'post',
      path: '/api/v1/webhooks/:id/test',
      access: 'gaps:write',
      summary: 'Send a test event now, once',
      description: 'Answers when the receiver has answered, or after ten seconds.',
      params: WebhookPath,
      response: DeliverySchema,
      handle: (request) => worker.test(request, request.params.id),
    }),
  ];
}

/**
 * The events that are asked for, else all that the key may read.
 * @throws Problem 403 for one that it may not
 */
function allowed(
  { scopes }: Pick<Principal, 'scopes'>,
  { events }: Pick<WebhookRequest, 'events'>,
): WebhookEvent[] {
  const may = (event: WebhookEvent): boolean =>
    scopes.includes('admin') ||
    scopes.includes(NEEDED[event]) ||
    (NEEDED[event] === 'gaps:read' && scopes.includes('gaps:write'));
  const refused = events?.find((event) => !may(event));
  if (refused) {
    throw new Problem(403, 'missing_scope', {
      detail: `To be told of ${refused} this key lacks the scope ${NEEDED[refused]}.`,
    });
  }
  return events ? [...new Set(events)] : WEBHOOK_EVENTS.filter(may);
}

/** @throws Problem 422 that names what is wrong with the address */
function refuseUrl(error: unknown): never {
  if (!(error instanceof DestinationError)) throw error;
  throw invalid([{ path: 'url', code: error.code, message: error.message }]);
}
