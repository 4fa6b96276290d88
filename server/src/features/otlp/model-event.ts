import type { TelemetryEvent } from '@rollcall/client/contract';
import { eventId } from './event-id.ts';
import { count, identifier } from './n8n-spans.ts';
import type { ModelUse } from './otlp.store.ts';

const MICROS = 1_000_000;
const COST_AT_MOST = 1e12;

/** A model node's run as a call of its workflow, with what n8n's own attributes say of tokens and cost. */
export function modelEvent(use: ModelUse): TelemetryEvent {
  const { attributes, workflow_id, execution_id } = use;
  const node = identifier(attributes, 'n8n.node.name') ?? 'model';
  const cost = Number(attributes['n8n.node.custom.llm.cost.total'] ?? NaN) * MICROS;
  const model = identifier(attributes, 'n8n.node.custom.llm.model');
  return {
    event_id: eventId(use.trace_id, use.span_id),
    timestamp: use.started_at,
    protocol: 'n8n',
    source_id: workflow_id,
    target_id: model ?? identifier(attributes, 'n8n.node.type') ?? node,
    operation: node,
    status: use.status === 'error' ? 'error' : 'success',
    ...(use.duration_ms === null ? {} : { duration_ms: use.duration_ms }),
    tokens_used: use.tokens_used,
    ...(cost >= 0 && cost <= COST_AT_MOST
      ? { cost_micros: Math.round(cost), currency: 'USD' }
      : {}),
    ...(model ? { model } : {}),
    trace_id: use.trace_id,
    project_id: use.project_id,
    workflow_id,
    ...(execution_id ? { execution_id } : {}),
    metadata: {
      node_name: node,
      node_type: identifier(attributes, 'n8n.node.type') ?? null,
      input_tokens: count(attributes, 'n8n.node.custom.llm.tokens.in') ?? null,
      output_tokens: count(attributes, 'n8n.node.custom.llm.tokens.out') ?? null,
      estimated: attributes['n8n.node.custom.llm.tokens.estimated'] ?? null,
    },
  };
}
