import type { ExecutionReport, ReportedStatus } from '../../client/src/contract/index.ts';
import { pickNodeRuns, statusOf } from './node-runs.ts';
import { field, id, moment, present, text } from './read.ts';
import { pickError } from './run-errors.ts';

/** n8n writes this year for "until somebody calls". */
const UNTIL_CALLED = '3000';

const GOES_ON: ReadonlySet<ReportedStatus> = new Set(['new', 'running', 'waiting']);

/**
 * What n8n's `workflow.postExecute` tells of a run, field by field. Undefined without a workflow's or a run's id.
 * `at` is the moment of the hook, ISO 8601.
 */
export function pickExecution(
  run: unknown,
  workflow: unknown,
  executionId: unknown,
  { at, payloads }: { at: string; payloads: boolean },
): ExecutionReport | undefined {
  const workflowId = id(field(workflow, 'id'));
  const runId = id(executionId);
  if (workflowId === undefined || runId === undefined) return undefined;
  const data = field(run, 'data');
  const result = field(data, 'resultData');
  const status = statusOf(field(run, 'status')) ?? impliedStatus(run);
  const stopped = moment(field(run, 'stoppedAt'));
  const waitTill = moment(field(run, 'waitTill'));
  const nodes = pickNodeRuns(field(result, 'runData'), field(workflow, 'nodes'), payloads);
  return present<ExecutionReport>({
    execution_id: runId,
    workflow_id: workflowId,
    workflow_name: text(field(workflow, 'name'), 255),
    workflow_version: id(field(workflow, 'versionId')),
    status,
    mode: text(field(run, 'mode'), 64),
    started_at: moment(field(run, 'startedAt')),
    completed_at: GOES_ON.has(status) ? undefined : stopped,
    wait_till: status === 'waiting' && !waitTill?.startsWith(UNTIL_CALLED) ? waitTill : undefined,
    at: stopped ?? at,
    source: 'hooks',
    retry_of: id(field(run, 'retryOf')),
    parent_execution_id: id(field(data, 'parentExecution', 'executionId')),
    parent_workflow_id: id(field(data, 'parentExecution', 'workflowId')),
    last_node: text(field(result, 'lastNodeExecuted'), 255),
    error: status === 'success' ? undefined : pickError(field(result, 'error')),
    tokens_used: nodes.tokens,
    metadata: nodes.omitted > 0 ? { node_executions_omitted: nodes.omitted } : undefined,
    node_executions: nodes.runs,
  });
}

function impliedStatus(run: unknown): ReportedStatus {
  if (field(run, 'finished') === true) return 'success';
  return field(run, 'data', 'resultData', 'error') === undefined ? 'unknown' : 'error';
}
