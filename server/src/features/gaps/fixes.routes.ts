import { fromCursor, pageOf, sortField, toPage } from '../../platform/http/page.ts';
import { route, type Route } from '../../platform/http/route.ts';
import {
  BulkFixRequestSchema,
  BulkFixResultSchema,
  GapFixOutcomeSchema,
  GapFixPath,
  GapFixQuery,
  GapFixRequestSchema,
  GapFixResultSchema,
  GapFixSchema,
} from './fixes.schema.ts';
import type { FixesStore } from './fixes.store.ts';
import type { GapFixing } from './fixes.ts';

export function fixesRoutes(store: FixesStore, fixing: GapFixing): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/v1/gaps/:id/fix',
      access: 'gaps:write',
      summary: 'Fix a gap',
      description:
        'Does the first of the gap’s offers unless `action` names another, then checks again. With `dry_run` it answers what would change, and changes nothing.',
      params: GapFixPath,
      body: GapFixRequestSchema,
      response: GapFixResultSchema,
      conflict:
        'The gap is closed, a fix of it in n8n is pending, there is nothing to change, or no connection leads to its n8n',
      handle: (request) => fixing.fix(request, request.params.id, request.body),
    }),
    route({
      method: 'post',
      path: '/api/v1/gaps/fix',
      access: 'gaps:write',
      summary: 'Fix all gaps that fit a filter',
      description:
        'In one transaction, at most 1,000 a call; a gap that cannot be fixed is answered with the reason and holds nothing up. Fixes in n8n are made one after another, at most 20 a call.',
      body: BulkFixRequestSchema,
      response: BulkFixResultSchema,
      handle: (request) => fixing.fixMany(request, request.body),
    }),
    route({
      method: 'get',
      path: '/api/v1/gaps/fixes',
      access: 'gaps:read',
      summary: 'What was done about gaps, newest first',
      query: GapFixQuery,
      response: pageOf(GapFixSchema),
      handle: async ({ tenant, query: { limit, cursor, ...filter } }) =>
        toPage(
          await store.list(
            tenant,
            filter,
            limit,
            fromCursor(cursor, [sortField.timestamp, sortField.uuid]),
          ),
        ),
    }),
    route({
      method: 'get',
      path: '/api/v1/gaps/fixes/:id',
      access: 'gaps:read',
      summary: 'One fix',
      params: GapFixPath,
      response: GapFixSchema,
      handle: ({ tenant, params }) => store.get(tenant, params.id),
    }),
    route({
      method: 'post',
      path: '/api/v1/gaps/fixes/:id/undo',
      access: 'gaps:write',
      summary: 'Undo a fix',
      description: 'Puts back what was there, in the registry or in n8n, then checks again.',
      params: GapFixPath,
      conflict: 'It was changed since, or the fix is undone or pending',
      response: GapFixOutcomeSchema,
      handle: (request) => fixing.undo(request, request.params.id),
    }),
    route({
      method: 'post',
      path: '/api/v1/gaps/fixes/:id/retry',
      access: 'gaps:write',
      summary: 'Retry a pending fix in n8n',
      description: 'Finds out whether n8n has done it, and asks again if it has not.',
      params: GapFixPath,
      conflict: 'It is not pending, or was changed in n8n since',
      response: GapFixOutcomeSchema,
      handle: (request) => fixing.retry(request, request.params.id),
    }),
  ];
}
