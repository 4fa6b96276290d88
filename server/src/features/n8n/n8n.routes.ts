import { z } from 'zod';
import type { BatchResult } from '@rollcall/client/contract';
import { BatchResultSchema } from '../../platform/http/batch.ts';
import { fromCursor, pageOf, paging, sortField, toPage } from '../../platform/http/page.ts';
import { batchRoute, route, type Principal, type Route } from '../../platform/http/route.ts';
import {
  N8nEventCountSchema,
  N8nEventQuery,
  N8nEventSchema,
  N8nInstanceSchema,
  N8nKnownWorkflowSchema,
  N8nWorkflowQuery,
  WebhookQuery,
} from './n8n.schema.ts';
import type { N8nStore } from './n8n.store.ts';

interface Needs {
  store: N8nStore;
  take: (
    principal: Principal,
    items: unknown[],
    receipt: string,
    instance_id?: string,
  ) => Promise<BatchResult>;
}

export function n8nRoutes({ store, take }: Needs): Route[] {
  return [
    batchRoute({
      path: '/api/v1/n8n/webhook',
      access: 'telemetry:write',
      summary: 'Tell what happens in n8n',
      description:
        'Events of Rollcall’s n8n hooks, of n8n’s log streaming or log file, items of the n8n Trigger and Error Trigger nodes, or anything that names a workflow and an event; one, an array, or NDJSON, at most 10,000. Executions are stored, workflows register themselves and follow n8n’s state. What nobody knows is counted and shown by GET /api/v1/n8n/events.',
      query: WebhookQuery,
      item: N8nEventSchema,
      response: BatchResultSchema,
      handle: (request) =>
        take(request, request.body, request.requestId, request.query.instance_id),
    }),
    route({
      method: 'get',
      path: '/api/v1/n8n/instances',
      access: 'registry:read',
      summary: 'List n8n instances and how their hooks are doing',
      query: z.strictObject(paging),
      response: pageOf(N8nInstanceSchema),
      handle: async ({ tenant, query: { limit, cursor } }) =>
        toPage(await store.listInstances(tenant, limit, fromCursor(cursor, [sortField.text]))),
    }),
    route({
      method: 'get',
      path: '/api/v1/n8n/workflows',
      access: 'registry:read',
      summary: 'List workflows as n8n has them',
      description: 'What n8n told last, whether or not the registry has it.',
      query: N8nWorkflowQuery,
      response: pageOf(N8nKnownWorkflowSchema),
      handle: async ({ tenant, query: { limit, cursor, ...filter } }) => {
        const after = fromCursor(cursor, [sortField.text, sortField.text]);
        return toPage(await store.listWorkflows(tenant, filter, limit, after));
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/n8n/events',
      access: 'telemetry:read',
      summary: 'Count n8n events by name',
      description: 'Unknown ones come with their latest samples, redacted.',
      query: N8nEventQuery,
      response: pageOf(N8nEventCountSchema),
      handle: async ({ tenant, query: { limit, cursor, ...filter } }) => {
        const after = fromCursor(cursor, [sortField.text, sortField.text]);
        return toPage(await store.listEvents(tenant, filter, limit, after));
      },
    }),
  ];
}
