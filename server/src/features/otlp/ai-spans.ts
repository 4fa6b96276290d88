import type { Protocol, TelemetryEvent, TelemetryStatus } from '@rollcall/client/contract';
import type { Span } from './decode.ts';
import { eventId } from './event-id.ts';
import { count, exceptionOf, identifier } from './n8n-spans.ts';

/** Operations of agents, and of the workflows that they are parts of. */
const AGENT_OPERATIONS = /^(invoke_agent|create_agent|invoke_workflow|plan)$/;
const MODEL_OPERATIONS = /^(chat|text_completion|generate_content|embeddings|completion)$/;

/** Who called whom over what, as far as a span of the semantic conventions says. */
interface Call {
  protocol: Protocol;
  source_id: string;
  target_id: string;
  operation: string;
}

/**
 * What a span of the GenAI, MCP or A2A semantic conventions says as telemetry; `undefined` for every other span.
 * Conventions still move, so names of their earlier versions are read too.
 */
export function aiEvent(span: Span): TelemetryEvent | undefined {
  const call = mcpCall(span) ?? genAiCall(span) ?? a2aCall(span);
  return call && describeCall(span, call);
}

function mcpCall(span: Span): Call | undefined {
  const method = of(span, 'mcp.method.name') ?? of(span, 'mcp.method');
  if (!method) return undefined;
  const tool = of(span, 'gen_ai.tool.name', 'mcp.tool.name', 'gen_ai.prompt.name');
  const peer = of(
    span,
    'mcp.server.name',
    'server.address',
    'peer.service',
    'network.peer.address',
  );
  const isServer = span.kind === 'server';
  return {
    protocol: 'mcp',
    source_id: isServer
      ? (of(span, 'mcp.client.name', 'client.address') ?? 'mcp-client')
      : caller(span),
    target_id: isServer ? serviceOf(span) : (peer ?? 'mcp-server'),
    operation: tool ?? method,
  };
}

function genAiCall(span: Span): Call | undefined {
  const model = of(span, 'gen_ai.request.model', 'gen_ai.response.model');
  const provider = of(span, 'gen_ai.provider.name', 'gen_ai.system');
  // The AI SDK names a provider and a model, and an operation of its own.
  const operation = of(span, 'gen_ai.operation.name') ?? (provider && model ? 'chat' : undefined);
  if (!operation) return undefined;
  if (operation === 'execute_tool') {
    const tool = of(span, 'gen_ai.tool.name') ?? span.name;
    return { protocol: 'a2a', source_id: caller(span), target_id: tool, operation };
  }
  if (AGENT_OPERATIONS.test(operation)) {
    const agent =
      of(span, 'gen_ai.agent.name', 'gen_ai.agent.id', 'gen_ai.workflow.name') ?? span.name;
    return { protocol: 'a2a', source_id: serviceOf(span), target_id: agent, operation };
  }
  const isModelCall = MODEL_OPERATIONS.test(operation) || model !== undefined;
  return isModelCall
    ? {
        protocol: 'http',
        source_id: caller(span),
        target_id: model ?? provider ?? 'model',
        operation,
      }
    : { protocol: 'a2a', source_id: caller(span), target_id: provider ?? operation, operation };
}

function a2aCall(span: Span): Call | undefined {
  if (!Object.keys(span.attributes).some((name) => name.startsWith('a2a.'))) return undefined;
  const operation = of(span, 'a2a.method', 'rpc.method') ?? span.name;
  const agent = of(span, 'a2a.agent.name', 'peer.service', 'server.address');
  return span.kind === 'server'
    ? {
        protocol: 'a2a',
        source_id: of(span, 'client.address') ?? 'a2a-client',
        target_id: serviceOf(span),
        operation,
      }
    : { protocol: 'a2a', source_id: caller(span), target_id: agent ?? 'a2a-agent', operation };
}

function describeCall(span: Span, call: Call): TelemetryEvent {
  const input =
    count(span.attributes, 'gen_ai.usage.input_tokens') ??
    count(span.attributes, 'gen_ai.usage.prompt_tokens');
  const output =
    count(span.attributes, 'gen_ai.usage.output_tokens') ??
    count(span.attributes, 'gen_ai.usage.completion_tokens');
  const tokens =
    input === undefined && output === undefined ? undefined : (input ?? 0) + (output ?? 0);
  const model = of(span, 'gen_ai.request.model', 'gen_ai.response.model');
  const conversation = of(span, 'gen_ai.conversation.id', 'a2a.task.id', 'a2a.context.id');
  return {
    event_id: eventId(span.trace_id, eventSpan(span, call)),
    timestamp: span.started_at,
    ...call,
    operation: call.operation.slice(0, 255),
    ...outcomeOf(span),
    ...(span.duration_ms === null ? {} : { duration_ms: span.duration_ms }),
    // An agent's usage is the sum of its model calls', which are told by themselves.
    ...(tokens === undefined || call.protocol === 'a2a' ? {} : { tokens_used: tokens }),
    ...(model ? { model } : {}),
    ...(conversation ? { correlation_id: conversation } : {}),
    trace_id: span.trace_id,
    metadata: told({
      span_id: span.span_id,
      span_name: span.name,
      service: of(span, 'service.name'),
      provider: of(span, 'gen_ai.provider.name', 'gen_ai.system'),
      agent_id: of(span, 'gen_ai.agent.id'),
      agent_name: of(span, 'gen_ai.agent.name'),
      tool_type: of(span, 'gen_ai.tool.type'),
      mcp_method: of(span, 'mcp.method.name', 'mcp.method'),
      a2a_state: of(span, 'a2a.task.state'),
      finish_reasons: span.attributes['gen_ai.response.finish_reasons'],
      input_tokens: input,
      output_tokens: output,
    }),
  };
}

/**
 * A call that both sides trace is one event: the called side's span is the child of the caller's, and whichever comes
 * first tells.
 */
const eventSpan = (span: Span, { protocol }: Call): string =>
  span.kind === 'server' && protocol !== 'http' && span.parent_span_id
    ? span.parent_span_id
    : span.span_id;

/** How a span went, in the words of telemetry. */
export function outcomeOf(span: Span): {
  status: TelemetryStatus;
  error_type?: string;
  error_message?: string;
} {
  if (span.status !== 'error') return { status: 'success' };
  const { type, message } = exceptionOf(span);
  const errorType = of(span, 'error.type') ?? type;
  const errorMessage = message ?? span.status_message;
  const status: TelemetryStatus = /time_?out|deadline/i.test(errorType ?? '')
    ? 'timeout'
    : /cancel|abort/i.test(errorType ?? '')
      ? 'cancelled'
      : 'error';
  return {
    status,
    ...(errorType ? { error_type: errorType } : {}),
    ...(errorMessage ? { error_message: errorMessage } : {}),
  };
}

const serviceOf = (span: Span): string => of(span, 'service.name') ?? 'unknown_service';
const caller = (span: Span): string =>
  of(span, 'gen_ai.agent.name', 'gen_ai.agent.id') ?? serviceOf(span);

/** The first of these attributes that is there, of the span or of its resource. */
function of({ attributes, resource }: Span, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = identifier(attributes, name) ?? identifier(resource, name);
    if (value) return value;
  }
  return undefined;
}

const told = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
