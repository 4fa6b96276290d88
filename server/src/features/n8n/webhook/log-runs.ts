import type { ExecutionReport, NodeMarkReport, ReportedStatus } from '@rollcall/client/contract';
import { id, moment, present, text } from './fields.ts';
import type { Fields, Reading } from './heard.ts';
import type { Effects, LogEvent } from './log-events.ts';

/** n8n calls a run that was cancelled failed, too; only the message tells. */
const CANCELLED = /^The execution was cancelled/;
const LONGEST_MESSAGE = 2_000;

/** What an event says of a run; undefined for events that speak of none, or not whose it is. */
export function runEvent(event: LogEvent, { redactor }: Reading): Effects | undefined {
  const told = READERS.get(event.name)?.(event.payload, event, redactor.text);
  const report = told && reportOn(event, told);
  return report && { reports: [report] };
}

/** A report on the run that an event's payload names. */
export function reportOn(
  { payload, at, instance_id }: LogEvent,
  told: Partial<ExecutionReport>,
): ExecutionReport | undefined {
  const workflow_id = id(payload, 'workflowId');
  const execution_id = id(payload, 'executionId');
  if (!workflow_id || !execution_id) return undefined;
  const project = id(payload, 'projectId');
  const metadata = { ...(project && { n8n_project_id: project }), ...told.metadata };
  return present<ExecutionReport>({
    workflow_name: text(payload, 255, 'workflowName'),
    mode: text(payload, 64, 'mode'),
    status: 'unknown',
    ...told,
    execution_id,
    workflow_id,
    instance_id,
    at,
    source: 'log',
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
  });
}

type Reader = (
  payload: Fields,
  event: LogEvent,
  redact: (text: string) => string,
) => Partial<ExecutionReport> | undefined;

const status =
  (said: ReportedStatus): Reader =>
  () => ({ status: said });

const READERS = new Map<string, Reader>(
  Object.entries({
    // A run that goes on after waiting begins anew.
    'n8n.workflow.started': (_, event) => ({
      status: 'running',
      started_at: event.at,
      ...marked(event, { kind: 'paused' }),
    }),
    'n8n.workflow.success': (_, { at }) => ({ status: 'success', completed_at: at }),
    'n8n.workflow.failed': failed,
    'n8n.workflow.cancelled': (payload, { at }) => ({
      status: 'canceled',
      completed_at: at,
      metadata: present({ cancel_reason: text(payload, 64, 'reason') }),
    }),
    'n8n.node.started': (payload, event) => node(payload, event, 'started'),
    // Whether it went well is not said; a run that fails names the node that it failed at.
    'n8n.node.finished': (payload, event) => node(payload, event, 'finished'),
    'n8n.queue.job.enqueued': status('queued'),
    'n8n.queue.job.dequeued': status('running'),
    'n8n.queue.job.stalled': (_, { at, uuid }) => ({
      telemetry_events: [
        present({ event_id: uuid, name: 'job.stalled', at, level: 'warn' as const }),
      ],
    }),
    'n8n.audit.workflow.executed': (payload) => ({
      metadata: present({ started_by: text(payload, 64, 'source') }),
    }),
    'n8n.audit.workflow.waiting': (_, event) => ({
      status: 'waiting',
      ...marked(event, { kind: 'paused' }),
    }),
    'n8n.audit.workflow.resumed': (payload, event) => ({
      status: 'running',
      metadata: present({
        resumed_by: text(payload, 64, 'resumeSource'),
        resumed_at: moment(payload.responseAt) ?? event.at,
      }),
      ...marked(event, { kind: 'paused' }),
    }),
  } satisfies Record<string, Reader>),
);

/** What it says of a node is a moment of it: which time the node ran follows from all that are told. */
const marked = (
  { at, uuid }: LogEvent,
  mark: Omit<NodeMarkReport, 'at' | 'mark_id'>,
): Pick<ExecutionReport, 'node_marks'> => ({
  node_marks: [present<NodeMarkReport>({ ...mark, mark_id: uuid, at })],
});

function failed(
  payload: Fields,
  event: LogEvent,
  redact: (text: string) => string,
): Partial<ExecutionReport> {
  const { at } = event;
  const said = text(payload, LONGEST_MESSAGE, 'errorMessage');
  if (said && CANCELLED.test(said)) return { status: 'canceled', completed_at: at };
  const last_node = text(payload, 255, 'lastNodeExecuted');
  const message = redact(said ?? 'The run failed; n8n’s log does not say why.')
    .slice(0, LONGEST_MESSAGE)
    .toWellFormed();
  const error = { message, ...(last_node && { node: last_node }) };
  const node_type = text(payload, 255, 'errorNodeType');
  return present<Partial<ExecutionReport>>({
    status: 'error',
    completed_at: at,
    last_node,
    error,
    ...(last_node &&
      marked(event, {
        kind: 'failed',
        node_name: last_node,
        ...(node_type && { node_type }),
        error_message: message,
      })),
  });
}

function node(
  payload: Fields,
  event: LogEvent,
  kind: 'started' | 'finished',
): Partial<ExecutionReport> | undefined {
  const node_name = text(payload, 255, 'nodeName');
  if (!node_name) return undefined;
  const [node_id, node_type] = [id(payload, 'nodeId'), text(payload, 255, 'nodeType')];
  return marked(event, {
    kind,
    node_name,
    ...(node_id && { node_id }),
    ...(node_type && { node_type }),
  });
}
