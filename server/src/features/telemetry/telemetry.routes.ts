import type { BatchResult } from '@rollcall/client/contract';
import { BatchResultSchema } from '../../platform/http/batch.ts';
import { fromCursor, pageOf, sortField, toPage } from '../../platform/http/page.ts';
import { batchRoute, route, type Principal, type Route } from '../../platform/http/route.ts';
import {
  StoredTelemetryEventSchema,
  TelemetryEventSchema,
  TelemetryQuery,
} from './telemetry.schema.ts';
import type { TelemetryStore } from './telemetry.store.ts';

interface Needs {
  store: TelemetryStore;
  ingest: (principal: Principal, items: unknown[], receipt: string) => Promise<BatchResult>;
}

export function telemetryRoutes({ store, ingest }: Needs): Route[] {
  return [
    batchRoute({
      path: '/api/v1/telemetry',
      access: 'telemetry:write',
      summary: 'Send telemetry',
      description:
        'One event, an array, or NDJSON; at most 10,000 events. Each is judged by itself; 200 means that what is called accepted is committed, 422 that nothing was kept.',
      item: TelemetryEventSchema,
      response: BatchResultSchema,
      handle: (request) => ingest(request, request.body, request.requestId),
    }),
    route({
      method: 'get',
      path: '/api/v1/telemetry',
      access: 'telemetry:read',
      summary: 'Read telemetry, newest first',
      query: TelemetryQuery,
      response: pageOf(StoredTelemetryEventSchema),
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
  ];
}
