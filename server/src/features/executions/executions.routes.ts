import type { ExecutionReport, IngestedExecution } from '@rollcall/client/contract';
import { route, type Route } from '../../platform/http/route.ts';
import { ExecutionReportSchema, IngestedExecutionSchema } from './executions.schema.ts';
import type { Origin } from './executions.ts';

type Ingest = (origin: Origin, report: ExecutionReport) => Promise<IngestedExecution>;

export function executionsRoutes(ingest: Ingest): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/v1/executions/ingest',
      access: 'telemetry:write',
      summary: 'Report an execution with its nodes, spans, events and shared state',
      description:
        'All of it is stored, or nothing. Idempotent on execution_id, or on session_id, workflow_id and started_at; what is told of the same run later is added. 201 when it is new.',
      largeBody: true,
      body: ExecutionReportSchema,
      response: IngestedExecutionSchema,
      status: ({ status }) => (status === 'created' ? 201 : 200),
      handle: (request) => ingest(request, request.body),
    }),
  ];
}
