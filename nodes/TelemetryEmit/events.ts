import type { IExecuteFunctions } from 'n8n-workflow';

import type { TelemetryEvent } from '../../client/src/contract';
import { jsonObject, present } from '../shared/parameters.ts';
import { failureOf } from './itemError.ts';
import type { EventsPer, Operation } from './properties.ts';
import { endStep } from './steps.ts';

/**
 * The events that this run of the node reports. An event id is made here, once, so that a retry of
 * the delivery is never counted twice.
 */
export function buildEvents(context: IExecuteFunctions, operation: Operation): TelemetryEvent[] {
  const items = context.getInputData();
  if (operation === 'endStep') {
    const duration = endStep(context, context.getNodeParameter('step', 0) as string);
    return duration === undefined ? [] : [stepEvent(context, duration)];
  }
  const eventsPer = context.getNodeParameter('options.eventsPer', 0, 'run') as EventsPer;
  const build = operation === 'error' ? errorEvent : plainEvent;
  if (eventsPer === 'item') return items.map((_, index) => build(context, index));
  const first = operation === 'error' ? items.findIndex((item) => failureOf(item)) : 0;
  return [build(context, Math.max(first, 0))];
}

function plainEvent(context: IExecuteFunctions, index: number): TelemetryEvent {
  const text = (name: string) => context.getNodeParameter(name, index, '') as string;
  return complete(context, index, {
    protocol: text('protocol') as TelemetryEvent['protocol'],
    status: text('status') as TelemetryEvent['status'],
    source_id: text('source_id'),
    target_id: text('target_id'),
    operation: text('operation_name'),
  });
}

function stepEvent(context: IExecuteFunctions, duration: number): TelemetryEvent {
  return complete(context, 0, {
    status: context.getNodeParameter('status', 0) as TelemetryEvent['status'],
    operation: context.getNodeParameter('step', 0) as string,
    duration_ms: duration,
  });
}

function errorEvent(context: IExecuteFunctions, index: number): TelemetryEvent {
  const failure = failureOf(context.getInputData()[index]) ?? {
    error_type: 'Error',
    error_message: 'The input item holds no error details',
    metadata: {},
  };
  return complete(context, index, { ...failure, status: 'error' });
}

/** Fills in what nobody set from the execution that the node runs in. */
function complete(
  context: IExecuteFunctions,
  index: number,
  known: Partial<TelemetryEvent>,
): TelemetryEvent {
  const set = present(context.getNodeParameter('additionalFields', index, {}));
  const told: Partial<TelemetryEvent> = { ...present({ ...known }), ...set };
  const workflow = context.getWorkflow();
  const thisWorkflowId = String(workflow.id ?? 'unsaved-workflow');
  const workflowId = told.workflow_id ?? thisWorkflowId;
  const isThisWorkflow = workflowId === thisWorkflowId;
  return {
    event_id: crypto.randomUUID(),
    protocol: 'n8n',
    source_id: workflowId,
    target_id: workflowId,
    operation: context.getNode().name,
    status: 'success',
    execution_id: (isThisWorkflow && context.getExecutionId()) || undefined,
    ...told,
    workflow_id: workflowId,
    timestamp: new Date(told.timestamp ?? Date.now()).toISOString(),
    metadata: {
      workflow_name: workflow.name,
      node_name: context.getNode().name,
      mode: context.getMode(),
      instance_id: context.getInstanceId(),
      item_count: context.getInputData().length,
      ...known.metadata,
      ...jsonObject(context, index, 'Metadata (JSON)', set.metadata),
    },
  };
}
