import type { ExecutionReport } from '../../client/src/contract/index.ts';
import type { Names } from './route-examples.ts';

/** A report that says as much as it may. */
export function executionExample({ word, entity_id, event_id }: Names): ExecutionReport {
  const minute = new Date(Math.floor(Date.now() / 60_000) * 60_000);
  const at = minute.toISOString();
  const error = { type: 'Timeout', message: `${word} failed`, stack: 'at A', node: 'A' };
  const trace_id = event_id.replaceAll('-', '');
  const span_id = trace_id.slice(0, 15).padStart(16, '1');
  return {
    execution_id: `${entity_id}-run`,
    instance_id: `${word}-instance`,
    session_id: `${word}-session`,
    workflow_id: entity_id,
    workflow_name: `${word} workflow`,
    workflow_version: `${word}-version`,
    definition_hash: 'sha256:0',
    status: 'error',
    mode: 'trigger',
    started_at: at,
    completed_at: at,
    duration_ms: 12.5,
    wait_till: at,
    at,
    source: 'client',
    project_id: 'default',
    trace_id,
    retry_of: `${word}-first`,
    parent_execution_id: `${word}-caller`,
    parent_workflow_id: `${word}-parent`,
    last_node: 'A',
    error,
    tokens_used: 1,
    cost_micros: 1,
    currency: 'EUR',
    metadata: { word },
    node_executions: [
      {
        node_id: `${word}-node`,
        node_name: 'A',
        node_type: 'n8n-nodes-base.noOp',
        run_index: 0,
        retry_index: 0,
        attempts: 2,
        status: 'error',
        started_at: at,
        completed_at: at,
        duration_ms: 1,
        prep_duration_ms: 1,
        exec_duration_ms: 1,
        post_duration_ms: 1,
        items_in: 1,
        items_out: 1,
        previous_nodes: ['B'],
        tokens_used: 1,
        cost_micros: 1,
        model: 'gpt-4o',
        child_execution_id: `${word}-child`,
        error,
        metadata: { word },
      },
    ],
    node_marks: [
      {
        mark_id: event_id,
        node_name: 'B',
        node_id: `${word}-other-node`,
        node_type: 'n8n-nodes-base.noOp',
        kind: 'failed',
        at,
        error_message: word,
      },
    ],
    telemetry_spans: [
      {
        span_id,
        parent_span_id: '1111111111111111',
        trace_id,
        name: word,
        kind: 'client',
        status: 'error',
        status_message: 'no',
        started_at: at,
        ended_at: at,
        attributes: { word },
        events: [{ name: 'exception', at, attributes: { word } }],
        links: [{ trace_id, span_id, attributes: { word } }],
        resource: { word },
      },
    ],
    telemetry_events: [
      {
        event_id,
        name: 'node.started',
        at,
        level: 'info',
        message: word,
        node_name: 'A',
        span_id,
        data: { word },
      },
    ],
    shared_state_snapshots: [{ sequence: 0, at, node_name: 'A', phase: 'post', state: { word } }],
  };
}
