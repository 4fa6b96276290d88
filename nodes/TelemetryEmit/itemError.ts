import type { IDataObject, INodeExecutionData } from 'n8n-workflow';

import type { TelemetryEvent } from '../../client/src/contract';
import { textOf } from '../shared/parameters.ts';

const LONGEST_MESSAGE = 4000;

/**
 * The failure that an item tells of, or `undefined` when it tells of none: an Error Trigger's item
 * (of a failed execution, or of a trigger that could not start), or an item that left a node
 * through its error output.
 */
export function failureOf(
  item: INodeExecutionData | undefined,
): Partial<TelemetryEvent> | undefined {
  if (!item) return undefined;
  const { execution, trigger, workflow, error } = item.json;
  const failed = isObject(execution) ? execution : isObject(trigger) ? trigger : undefined;
  if (failed?.error && isObject(workflow)) return failedExecution(failed, workflow);
  if (item.error) return describe(item.error);
  return error ? describe(error) : undefined;
}

function failedExecution(execution: IDataObject, workflow: IDataObject): Partial<TelemetryEvent> {
  const { id, url, mode, lastNodeExecuted, retryOf, error } = execution;
  const workflowId = textOf(workflow.id);
  return {
    ...describe(error, textOf(lastNodeExecuted)),
    source_id: workflowId,
    target_id: workflowId,
    workflow_id: workflowId,
    execution_id: textOf(id),
    metadata: { workflow_name: workflow.name, mode, execution_url: url, retry_of: retryOf },
  };
}

function describe(error: unknown, failedNode?: string): Partial<TelemetryEvent> {
  if (!isObject(error)) return { error_type: 'Error', error_message: cut(String(error)) };
  const { name, message, description, node, httpCode } = error;
  return {
    error_type: textOf(name) ?? 'Error',
    error_message: cut([message, description].filter(Boolean).map(String).join(': ')),
    operation: failedNode ?? (isObject(node) ? textOf(node.name) : undefined),
    metadata: { http_code: httpCode ?? undefined },
  };
}

function cut(message: string): string {
  return message.slice(0, LONGEST_MESSAGE);
}

function isObject(value: unknown): value is IDataObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
