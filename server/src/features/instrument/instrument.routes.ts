import {
  editWorkflow,
  WorkflowFormatError,
  type InstrumentRequest,
  type InstrumentResult,
} from '@rollcall/client/contract';
import { route, type Route } from '../../platform/http/route.ts';
import { invalid } from '../../platform/problem.ts';
import { InstrumentRequestSchema, InstrumentResultSchema } from './instrument.schema.ts';

export function instrumentRoutes(): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/v1/workflows/instrument',
      access: 'registry:write',
      summary: 'Put Rollcall’s nodes into n8n workflow JSON, or take them out',
      description:
        'Answers the workflow; nothing is stored, here or in n8n. A second call changes nothing.',
      body: InstrumentRequestSchema,
      largeBody: true,
      response: InstrumentResultSchema,
      handle: ({ body }) => edit(body),
    }),
  ];
}

/** @throws Problem 422 that names the place when it is no workflow */
function edit(request: InstrumentRequest): InstrumentResult {
  try {
    return editWorkflow(request);
  } catch (error) {
    if (!(error instanceof WorkflowFormatError)) throw error;
    const path = error.path ? `workflow.${error.path}` : 'workflow';
    throw invalid([{ path, code: 'not_a_workflow', message: error.reason }]);
  }
}
