import type { BatchResult } from '@rollcall/client/contract';
import { BatchResultSchema } from '../../platform/http/batch.ts';
import { batchRoute, type Principal, type Route } from '../../platform/http/route.ts';
import { FactoryEventSchema } from './factories.schema.ts';

type Ingest = (principal: Principal, items: unknown[], receipt: string) => Promise<BatchResult>;

export function factoriesRoutes(ingest: Ingest): Route[] {
  return [
    batchRoute({
      path: '/api/v1/factories/events',
      access: 'registry:write',
      summary: 'Report what a factory makes',
      description:
        'One event, an array, or NDJSON; at most 500. Each records telemetry, registers the entity, moves its state (created, deploying, then active or error) and links its parent, in one transaction.',
      item: FactoryEventSchema,
      response: BatchResultSchema,
      handle: (request) => ingest(request, request.body, request.requestId),
    }),
  ];
}
