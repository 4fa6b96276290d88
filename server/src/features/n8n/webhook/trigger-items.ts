import type { ExecutionReport, TelemetryEvent } from '@rollcall/client/contract';
import { field, id, isFields, moment, momentOf, present, text, tooEarly } from './fields.ts';
import type { Fields, Heard, Reading, Refusal } from './heard.ts';
import { wordsOf } from './workflow-words.ts';

const LONGEST_MESSAGE = 2_000;

/** What the n8n Trigger node says, and the event that it means. It fires for its own workflow, which is published. */
const TRIGGERED = new Map([
  ['Workflow published', 'workflow.activated'],
  ['Workflow updated', 'workflow.updated'],
  ['Instance started', 'instance.started'],
]);

/** An item of the n8n Trigger node; undefined when it is none. */
export function n8nTriggerItem(item: Fields, reading: Reading): Heard | Refusal | undefined {
  const event = field(item, 'event');
  const workflow_id = id(item, 'workflow_id');
  if (typeof event !== 'string' || !workflow_id || !isFromTrigger(event)) return undefined;
  const at = momentOf(item, reading, 'timestamp');
  if (typeof at !== 'string') return at;
  const instance_id = id(item, 'instance_id') ?? reading.instance_id;
  const heard: Heard = {
    name: `n8n-trigger: ${event}`,
    handling: 'noted',
    at,
    ...(field(item, 'timestamp') !== undefined && { identity: JSON.stringify(item) }),
    ...(instance_id && { instance_id }),
  };
  const cause = TRIGGERED.get(event);
  if (!cause) return heard;
  const saying = { workflow_id, present: true, register: true, state: 'active' as const, cause };
  return { ...heard, handling: 'applied', workflows: [wordsOf(saying, at, 1)] };
}

const isFromTrigger = (event: string): boolean =>
  TRIGGERED.has(event) || event === 'Manual execution';

/** An item of the Error Trigger node: a run that failed, or a trigger that did before there was a run. */
export function errorTriggerItem(item: Fields, reading: Reading): Heard | Refusal | undefined {
  const workflow = field(item, 'workflow');
  const workflow_id = id(workflow, 'id');
  const execution = field(item, 'execution');
  const trigger = field(item, 'trigger');
  if (!workflow_id || field(item, 'event') !== undefined) return undefined;
  const failure = isFields(execution) ? execution : isFields(trigger) ? trigger : undefined;
  if (!failure || !('error' in failure)) return undefined;
  const error = errorOf(failure, reading);
  const at = moment(field(field(failure, 'error'), 'timestamp')) ?? reading.now.toISOString();
  const early = tooEarly(at, 'execution.error.timestamp', reading.now);
  if (early) return early;
  const instance_id = id(item, 'instance_id') ?? reading.instance_id;
  const heard = { at, handling: 'applied' as const, ...(instance_id && { instance_id }) };
  const workflow_name = text(workflow, 255, 'name');
  const execution_id = id(execution, 'id');
  if (!execution_id) {
    const event = triggerFailure(workflow_id, { at, error, workflow_name, instance_id });
    return { ...heard, name: 'error-trigger: trigger failed', telemetry: [event] };
  }
  const report = present<ExecutionReport>({
    execution_id,
    instance_id,
    workflow_id,
    workflow_name,
    status: 'error',
    mode: text(failure, 64, 'mode'),
    at,
    source: 'webhook',
    retry_of: id(failure, 'retryOf'),
    last_node: error.node,
    error,
  });
  const identity = JSON.stringify(['error-trigger', instance_id, workflow_id, execution_id]);
  return { ...heard, name: 'error-trigger: execution failed', identity, reports: [report] };
}

function errorOf(failure: Fields, { redactor }: Reading) {
  const error = field(failure, 'error');
  const said =
    text(error, LONGEST_MESSAGE, 'message', 'description') ?? 'The run failed without a message.';
  const type = text(error, 255, 'name') ?? text(field(error, 'cause'), 255, 'name');
  const node = text(failure, 255, 'lastNodeExecuted') ?? text(field(error, 'node'), 255, 'name');
  const message = redactor.text(said).slice(0, LONGEST_MESSAGE).toWellFormed();
  return { message, ...(type && { type }), ...(node && { node }) };
}

interface Failure {
  at: string;
  error: ReturnType<typeof errorOf>;
  workflow_name: string | undefined;
  instance_id: string | undefined;
}

const triggerFailure = (
  workflow_id: string,
  { at, error, workflow_name, instance_id }: Failure,
): TelemetryEvent =>
  present<TelemetryEvent>({
    timestamp: at,
    protocol: 'n8n',
    source_id: workflow_id,
    target_id: workflow_id,
    operation: error.node ?? 'trigger',
    status: 'error',
    workflow_id,
    error_type: error.type,
    error_message: error.message,
    metadata: present({ event: 'trigger failed', workflow_name, instance_id }),
  });
