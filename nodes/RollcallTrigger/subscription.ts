import type { IDataObject, IHookFunctions, JsonObject } from 'n8n-workflow';
import { NodeApiError, NodeOperationError } from 'n8n-workflow';

import type { CreatedWebhook, Page, Webhook, WebhookRequest } from '../../client/src/contract';
import { list } from '../shared/parameters.ts';
import { askRollcall } from '../shared/transport.ts';

/** What the node remembers of its subscription between activations; n8n keeps it with the workflow. */
export interface Remembered {
  webhookId?: string;
  secret?: string;
  /** Ids of the latest deliveries, oldest first. */
  delivered?: string[];
}

const PATH = '/api/v1/webhooks';
const TIMEOUT_MS = 10_000;

/** Whether Rollcall knows this very subscription, and would tell it what the node asks for now. */
export async function isSubscribed(context: IHookFunctions): Promise<boolean> {
  const { webhookId, secret } = rememberedBy(context);
  if (!webhookId || !secret) return false;
  const wanted = wantedBy(context);
  const known = await subscriptionsOf(context, wanted.url);
  return known.some(
    (webhook) =>
      webhook.id === webhookId &&
      webhook.ended_at === null &&
      sameAs(webhook.events, wanted.events) &&
      sameAs(webhook.filter, wanted.filter),
  );
}

/** Subscribes, and ends every other subscription of the same address: nobody has their secrets any more. */
export async function subscribe(context: IHookFunctions): Promise<void> {
  const wanted = wantedBy(context);
  const created = await askRollcall<CreatedWebhook>(context, {
    method: 'POST',
    path: PATH,
    body: { ...wanted },
    timeout: TIMEOUT_MS,
  });
  Object.assign(context.getWorkflowStaticData('node'), {
    webhookId: created.id,
    secret: created.secret,
  });
  await endOthers(context, wanted.url, created.id);
}

/** Ends the subscription. One that is gone already is as good. */
export async function unsubscribe(context: IHookFunctions): Promise<void> {
  const data = context.getWorkflowStaticData('node');
  const { webhookId } = data as Remembered;
  if (webhookId) await end(context, webhookId);
  await endOthers(context, urlOf(context));
  delete data.webhookId;
  delete data.secret;
  delete data.delivered;
}

const rememberedBy = (context: IHookFunctions): Remembered => context.getWorkflowStaticData('node');

async function endOthers(context: IHookFunctions, url: string, kept?: string): Promise<void> {
  for (const { id } of await subscriptionsOf(context, url)) {
    if (id !== kept) await end(context, id);
  }
}

async function subscriptionsOf(context: IHookFunctions, url: string): Promise<Webhook[]> {
  const query = { url, limit: 100 };
  const request = { method: 'GET', path: PATH, query, timeout: TIMEOUT_MS } as const;
  return (await askRollcall<Page<Webhook>>(context, request)).items;
}

async function end(context: IHookFunctions, id: string): Promise<void> {
  const path = `${PATH}/${encodeURIComponent(id)}`;
  try {
    await askRollcall<Webhook>(context, { method: 'DELETE', path, timeout: TIMEOUT_MS });
  } catch (error) {
    const failure = new NodeApiError(context.getNode(), error as JsonObject);
    if (failure.httpCode !== '404') throw failure;
  }
}

type Wanted = Required<Omit<WebhookRequest, 'description'>> & { description: string };

function wantedBy(context: IHookFunctions): Wanted {
  const events = context.getNodeParameter('events') as Wanted['events'];
  if (events.length === 0) {
    throw new NodeOperationError(context.getNode(), 'No event is chosen', {
      description: 'Choose at least one under "Events".',
    });
  }
  const { id, name = '' } = context.getWorkflow();
  return {
    url: urlOf(context),
    events,
    filter: filterOf(context.getNodeParameter('filters', {}) as IDataObject),
    description: `n8n workflow ${name} (${id ?? ''})`.slice(0, 500),
  };
}

/** Fields with at least one value; types are written as a list with commas. */
function filterOf(filters: IDataObject): Wanted['filter'] {
  const fields = { ...filters, entity_types: list(filters.entity_types) };
  return Object.fromEntries(
    Object.entries(fields).filter(([, values]) => Array.isArray(values) && values.length > 0),
  );
}

function urlOf(context: IHookFunctions): string {
  const url = context.getNodeWebhookUrl('default');
  if (url) return url;
  throw new NodeOperationError(context.getNode(), 'n8n has no webhook address for this node');
}

/** Whether both hold the same values, in whatever order. */
function sameAs(one: object, other: object): boolean {
  return canonical(one) === canonical(other);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(String).sort().join()}]`;
  return Object.entries(value as object)
    .map(([key, values]) => `${key}:${canonical(values)}`)
    .sort()
    .join(';');
}
