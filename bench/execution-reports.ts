import { randomBytes } from 'node:crypto';
import type { ExecutionReport } from '../client/src/contract/index.ts';
import { seededRandom } from './events.ts';

const WORKFLOWS = 200;
const hex = (digits: number): string => randomBytes(digits / 2).toString('hex');

/** A finished n8n execution with so many nodes, spans and events, as the hooks and an SDK tell of one. */
export function makeReport(rows: number, number: number, now: number): ExecutionReport {
  const random = seededRandom(number);
  const workflow = `workflow-${Math.floor(random() * WORKFLOWS)}`;
  const trace_id = hex(32);
  const root = hex(16);
  const start = now - 60_000 - Math.floor(random() * 600_000);
  const at = (milliseconds: number): string => new Date(start + milliseconds).toISOString();
  const each = <Row>(make: (index: number, begin: number) => Row): Row[] =>
    Array.from({ length: rows }, (_, index) => make(index, index * 40));
  return {
    source: 'hooks',
    execution_id: `${number}`,
    instance_id: 'n8n-production-1',
    workflow_id: workflow,
    workflow_name: `Nightly sync of ${workflow}`,
    workflow_version: '8b1f6c1e-6f0c-4f7d-9d3c-1d2f3a4b5c6d',
    status: random() < 0.05 ? 'error' : 'success',
    mode: 'webhook',
    trace_id,
    started_at: at(0),
    completed_at: at(rows * 40),
    duration_ms: rows * 40,
    node_executions: each((index, begin) => ({
      node_id: `${workflow}-node-${index}`,
      node_name: `Step ${index}`,
      node_type: 'n8n-nodes-base.httpRequest',
      status: 'success',
      started_at: at(begin),
      duration_ms: Math.round(random() * 38_000) / 1000,
      items_in: 1,
      items_out: Math.ceil(random() * 40),
      previous_nodes: index > 0 ? [`Step ${index - 1}`] : [],
    })),
    telemetry_spans: each((index, begin) => ({
      trace_id,
      span_id: hex(16),
      parent_span_id: root,
      name: 'node.execute',
      kind: 'internal',
      status: 'ok',
      started_at: at(begin),
      ended_at: at(begin + 38),
      attributes: {
        'n8n.node.name': `Step ${index}`,
        'n8n.node.type': 'n8n-nodes-base.httpRequest',
        'n8n.node.items.input': 1,
        'n8n.node.items.output': 3,
      },
    })),
    telemetry_events: each((index, begin) => ({
      name: 'node.finished',
      at: at(begin + 38),
      level: 'info',
      node_name: `Step ${index}`,
      data: { items: 3 },
    })),
  };
}
