import type { ExecutionReport, ReportedStatus, RunError } from '@rollcall/client/contract';
import type { Attributes } from './attributes.ts';
import type { Span } from './decode.ts';

/** A workflow as a run of it tells. */
export interface SeenWorkflow {
  workflow_id: string;
  workflow_name: string | null;
  /** n8n's `versionId` of what ran. */
  version: string | null;
  /** Whether n8n ran it on its own, and so in its published version. */
  is_published: boolean;
  instance_id: string | null;
  n8n_version: string | null;
  /** n8n's project, which is none of Rollcall's. */
  n8n_project_id: string | null;
  node_count: number | null;
  /** When the run that told of it began. */
  seen_at: string;
}

/** One run of a workflow, from its `workflow.execute` span. */
export interface WorkflowRun {
  span: Span;
  report: ExecutionReport & { execution_id: string };
  workflow: SeenWorkflow;
}

const STATUSES = new Set<string>([
  'new',
  'running',
  'waiting',
  'success',
  'error',
  'crashed',
  'canceled',
  'unknown',
] satisfies ReportedStatus[]);
const ENDED = new Set<ReportedStatus>(['success', 'error', 'crashed', 'canceled']);

/** Modes in which n8n runs what is published; the others may run a draft. */
const PRODUCTION = new Set(['trigger', 'webhook']);

/** What a `workflow.execute` span of n8n says of its run; `undefined` for every other span. */
export function workflowRun(span: Span): WorkflowRun | undefined {
  if (span.name !== 'workflow.execute') return undefined;
  const { attributes, resource } = span;
  const workflowId = identifier(attributes, 'n8n.workflow.id');
  const executionId = identifier(attributes, 'n8n.execution.id');
  if (!workflowId || !executionId) return undefined;
  const status = statusOf(span);
  const instanceId = identifier(resource, 'n8n.instance.id');
  const name = identifier(attributes, 'n8n.workflow.name');
  const version = identifier(attributes, 'n8n.workflow.version_id');
  const mode = identifier(attributes, 'n8n.execution.mode');
  const retryOf = identifier(attributes, 'n8n.execution.retry_of');
  const error = errorOf(span);
  const ended = ENDED.has(status);
  // A span that goes on after waiting begins in the middle of its run.
  const begins = !isContinuation(span);
  const workflow: SeenWorkflow = {
    workflow_id: workflowId,
    workflow_name: name ?? null,
    version: version ?? null,
    is_published: mode !== undefined && PRODUCTION.has(mode),
    instance_id: instanceId ?? null,
    n8n_version: identifier(resource, 'service.version') ?? null,
    n8n_project_id: identifier(attributes, 'n8n.project.id') ?? null,
    node_count: count(attributes, 'n8n.workflow.node_count') ?? null,
    seen_at: span.started_at,
  };
  const report: WorkflowRun['report'] = {
    execution_id: executionId,
    ...(instanceId ? { instance_id: instanceId } : {}),
    workflow_id: workflowId,
    ...(name ? { workflow_name: name } : {}),
    ...(version ? { workflow_version: version } : {}),
    status,
    ...(mode ? { mode } : {}),
    ...(begins ? { started_at: span.started_at } : {}),
    ...(ended && span.ended_at ? { completed_at: span.ended_at } : {}),
    ...(ended && begins && span.duration_ms !== null ? { duration_ms: span.duration_ms } : {}),
    at: span.ended_at ?? span.started_at,
    source: 'otlp',
    trace_id: span.trace_id,
    ...(retryOf ? { retry_of: retryOf } : {}),
    ...(error ? { error } : {}),
    metadata: metadataOf(span, workflow),
  };
  return { span, report, workflow };
}

/** Whether this span goes on where an earlier one of the same run stopped to wait. */
export const isContinuation = ({ links }: Span): boolean =>
  links?.some(({ attributes }) => attributes?.['n8n.continuation.reason'] === 'resume') ?? false;

function statusOf(span: Span): ReportedStatus {
  const said = text(span.attributes, 'n8n.execution.status');
  if (said && STATUSES.has(said)) return said as ReportedStatus;
  if (!span.ended_at) return 'running';
  return span.status === 'error' ? 'error' : 'success';
}

/** From the `exception` event, else from what the attributes say. */
function errorOf(span: Span): RunError | undefined {
  if (span.status !== 'error') return undefined;
  const { type, message, stack } = exceptionOf(span);
  const errorType = identifier(span.attributes, 'n8n.execution.error_type') ?? type;
  if (!errorType && !message && !span.status_message) return undefined;
  return {
    ...(errorType ? { type: errorType } : {}),
    message: message ?? span.status_message ?? errorType ?? 'The run failed',
    ...(stack ? { stack } : {}),
  };
}

/** What the last `exception` event of a span says. */
export function exceptionOf({ events }: Span): { type?: string; message?: string; stack?: string } {
  const attributes = events?.findLast(({ name }) => name === 'exception')?.attributes ?? {};
  const type = identifier(attributes, 'exception.type');
  const message = text(attributes, 'exception.message');
  const stack = text(attributes, 'exception.stacktrace');
  return {
    ...(type ? { type } : {}),
    ...(message ? { message } : {}),
    ...(stack ? { stack } : {}),
  };
}

const CUSTOM = /^n8n\.(?:workflow|project)\.custom\./;
const TAGS_AT_MOST = 30;

function metadataOf(span: Span, workflow: SeenWorkflow): Record<string, unknown> {
  const custom = Object.keys(span.attributes)
    .filter((name) => CUSTOM.test(name))
    .slice(0, TAGS_AT_MOST)
    .map((name) => [name, identifier(span.attributes, name) ?? null]);
  const role = identifier(span.resource, 'n8n.instance.role');
  return {
    ...(workflow.n8n_project_id ? { n8n_project_id: workflow.n8n_project_id } : {}),
    ...(workflow.n8n_version ? { n8n_version: workflow.n8n_version } : {}),
    ...(role ? { instance_role: role } : {}),
    ...(workflow.node_count === null ? {} : { node_count: workflow.node_count }),
    ...(custom.length > 0 ? { tags: Object.fromEntries(custom) } : {}),
  };
}

const IDENTIFIER_LENGTH = 255;

export function text(attributes: Attributes, name: string): string | undefined {
  const value = attributes[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A text or number as an identifier of at most 255 characters. */
export function identifier(attributes: Attributes, name: string): string | undefined {
  const value = attributes[name];
  if (typeof value === 'number') return String(value);
  return text(attributes, name)?.slice(0, IDENTIFIER_LENGTH).toWellFormed();
}

const COUNT_AT_MOST = 1e12;

/** A number of things, sent as a number or as text. */
export function count(attributes: Attributes, name: string): number | undefined {
  const value = attributes[name];
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && number >= 0 && number <= COUNT_AT_MOST
    ? Math.round(number)
    : undefined;
}
