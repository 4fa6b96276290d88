import type { RunEventReport, TelemetryEvent } from '@rollcall/client/contract';
import { count, field, id, present, text } from './fields.ts';
import type { Effects, LogEvent } from './log-events.ts';
import { reportOn } from './log-runs.ts';

const PREFIX = 'n8n.ai.';
/** Prompts and answers stand in the same text as the counts; beyond this nobody looks for them. */
const LONGEST_MESSAGE = 2_000_000;

/**
 * What an event of an AI node says: a word within its run, and for models and tools a call. Prompts, answers,
 * documents and tool arguments stand in `msg`, of which only counts and names are taken.
 */
export function aiEvent(event: LogEvent): Effects | undefined {
  const { name, at, uuid, payload } = event;
  if (!name.startsWith(PREFIX)) return undefined;
  const node_name = text(payload, 255, 'nodeName');
  const msg = messageOf(payload.msg);
  const tokens = tokensOf(msg);
  const model = text(field(msg, 'options'), 255, 'model', 'model_name', 'modelName');
  const failed = name.endsWith('.error');
  const word = present<RunEventReport>({
    event_id: uuid,
    name: name.slice('n8n.'.length),
    at,
    level: failed ? 'error' : 'info',
    node_name,
    data: present({ node_type: text(payload, 255, 'nodeType'), model, ...tokens }),
  });
  const report = reportOn(event, { telemetry_events: [word] });
  if (!report) return undefined;
  const call = callOf(event, { model, node_name, tool: toolOf(msg) });
  return {
    reports: [report],
    ...(call && {
      telemetry: [
        { ...call, ...(tokens.total_tokens !== undefined && { tokens_used: tokens.total_tokens }) },
      ],
    }),
  };
}

interface Called {
  model: string | undefined;
  node_name: string | undefined;
  tool: string | undefined;
}

function callOf(event: LogEvent, { model, node_name, tool }: Called): TelemetryEvent | undefined {
  const { name, at, uuid, payload, instance_id } = event;
  const isModel = name === 'n8n.ai.llm.generated' || name === 'n8n.ai.llm.error';
  const isTool = name === 'n8n.ai.tool.called';
  const source_id = id(payload, 'workflowId');
  const target = (isModel ? model : tool) ?? node_name ?? text(payload, 255, 'nodeType');
  if (!source_id || !target || !(isModel || isTool)) return undefined;
  return present<TelemetryEvent>({
    event_id: uuid,
    timestamp: at,
    protocol: 'n8n',
    source_id,
    target_id: target,
    operation: node_name ?? name,
    status: name.endsWith('.error') ? 'error' : 'success',
    model: isModel ? model : undefined,
    workflow_id: source_id,
    execution_id: id(payload, 'executionId'),
    metadata: present({
      event: name,
      node_name,
      node_type: text(payload, 255, 'nodeType'),
      workflow_name: text(payload, 255, 'workflowName'),
      instance_id,
    }),
  });
}

/** `msg` is JSON in a text. */
function messageOf(msg: unknown): unknown {
  if (typeof msg !== 'string' || msg.length > LONGEST_MESSAGE) return msg;
  try {
    return JSON.parse(msg) as unknown;
  } catch {
    return undefined;
  }
}

function tokensOf(msg: unknown) {
  const response = field(msg, 'response');
  const counted = field(response, 'tokenUsage');
  const usage = counted ?? field(response, 'tokenUsageEstimate');
  const input_tokens = count(usage, 'promptTokens');
  const output_tokens = count(usage, 'completionTokens');
  const sum =
    input_tokens === undefined && output_tokens === undefined
      ? undefined
      : (input_tokens ?? 0) + (output_tokens ?? 0);
  return present({
    input_tokens,
    output_tokens,
    total_tokens: count(usage, 'totalTokens') ?? sum,
    estimated: usage !== undefined && counted === undefined ? true : undefined,
  }) as { total_tokens?: number; [name: string]: unknown };
}

const toolOf = (msg: unknown): string | undefined =>
  text(field(msg, 'tool'), 255, 'name') ?? text(msg, 255, 'toolName', 'tool');
