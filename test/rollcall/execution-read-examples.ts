import type { ExecutionReport } from '../../client/src/contract/index.ts';
import { executionExample } from './execution-example.ts';
import type { Names, RouteExample } from './route-examples.ts';

const HOUR_MS = 3_600_000;

/** A run of the example's workflow in an older version, before the example and without the rows below it. */
export function earlierExecution(names: Names): ExecutionReport {
  const { started_at = '', ...example } = executionExample(names);
  const at = new Date(Date.parse(started_at) - HOUR_MS).toISOString();
  return {
    ...example,
    execution_id: `${names.word}-other`,
    session_id: `${names.word}-other`,
    trace_id: 'f'.repeat(32),
    workflow_version: `${names.word}-before`,
    started_at: at,
    completed_at: at,
    at,
    status: 'success',
    node_executions: [],
    telemetry_spans: [],
    telemetry_events: [],
    shared_state_snapshots: [],
  };
}

/** What reads executions, by route: good requests about the two of them. */
export function executionReadExamples(
  names: Names,
  page: (path: string, filter: Record<string, string>) => RouteExample[],
): Record<string, RouteExample[]> {
  const { word, entity_id } = names;
  const params = { id: `${entity_id}-run` };
  const instance = { instance_id: `${word}-instance` };
  const one: RouteExample[] = [{ params, query: instance }, { params }];
  const time = { from: '2001-01-01T00:00:00Z', to: '2199-01-01T00:00:00Z' };
  const other = `${word}-other`;
  return {
    'GET /api/v1/executions': page('/api/v1/executions', {
      workflow_id: entity_id,
      status: 'error,success',
      mode: 'trigger',
      ...instance,
      project_id: 'default',
      parent_execution_id: `${word}-caller`,
      trace_id: names.event_id.replaceAll('-', ''),
      session_id: `${word}-session`,
      ...time,
      min_duration_ms: '1',
      max_duration_ms: '1000',
      error_type: 'Timeout',
      text: word,
    }),
    'GET /api/v1/executions/compare': [
      {
        query: {
          left: other,
          right: params.id,
          left_instance_id: instance.instance_id,
          right_instance_id: instance.instance_id,
        },
      },
      { query: { left: params.id, right: other } },
    ],
    'GET /api/v1/executions/regressions': [
      { query: { limit: '2', workflow_id: entity_id, ...instance, ...time } },
      { query: { workflow_id: entity_id } },
    ],
    'GET /api/v1/executions/:id': one,
    'GET /api/v1/executions/:id/live': one.map(({ query }) => ({
      params,
      query: { ...query, follow: 'false' },
    })),
    'GET /api/v1/executions/:id/timeline': one,
    'GET /api/v1/executions/:id/telemetry-spans': [
      { params, query: { limit: '2', ...instance } },
      ...one,
    ],
    'GET /api/v1/executions/:id/telemetry-events': [
      {
        params,
        query: { limit: '2', ...instance, level: 'info', name: 'node.started', node_name: 'A' },
      },
      ...one,
    ],
    'GET /api/v1/executions/:id/state': [{ params, query: { limit: '2', ...instance } }, ...one],
  };
}
