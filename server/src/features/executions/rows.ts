import { hash } from 'node:crypto';
import type {
  ExecutionReport,
  NodeExecutionReport,
  NodeMarkReport,
  RunEventReport,
  RunStatus,
  SpanReport,
} from '@rollcall/client/contract';
import { isEnd, meaningOf } from './status.ts';
import { micros, momentOf, rankOf } from './said.ts';

/** The rows below an execution as the database takes them, by their identity within it. */
export interface Rows {
  nodes: Map<string, NodeRow>;
  marks: Map<string, object>;
  spans: Map<string, object>;
  events: Map<string, object>;
  states: Map<number, object>;
}

interface NodeRow {
  status: RunStatus;
  at: string;
  [column: string]: unknown;
}

export const noRows = (): Rows => ({
  nodes: new Map(),
  marks: new Map(),
  spans: new Map(),
  events: new Map(),
  states: new Map(),
});

export const sizeOf = ({ nodes, marks, spans, events, states }: Rows): number =>
  nodes.size + marks.size + spans.size + events.size + states.size;

/** Adds the rows of a report to those that others have brought of the same run. */
export function addRows(rows: Rows, report: ExecutionReport, now: Date): void {
  for (const node of report.node_executions ?? []) addNode(rows, node, report, now);
  for (const mark of report.node_marks ?? []) {
    const row = markRow(mark, report);
    rows.marks.set(JSON.stringify([row.source, row.node_name, row.kind, row.at, row.mark_id]), row);
  }
  for (const span of report.telemetry_spans ?? []) {
    rows.spans.set(`${span.trace_id}:${span.span_id}`, spanRow(span));
  }
  for (const event of report.telemetry_events ?? []) {
    const row = eventRow(event, report);
    rows.events.set(row.event_id, row);
  }
  for (const [index, snapshot] of (report.shared_state_snapshots ?? []).entries()) {
    const sequence = snapshot.sequence ?? index;
    if (!rows.states.has(sequence)) rows.states.set(sequence, { ...snapshot, sequence });
  }
}

function addNode(rows: Rows, node: NodeExecutionReport, report: ExecutionReport, now: Date): void {
  const source = report.source ?? 'client';
  const status = meaningOf(node.status) ?? 'running';
  const { error, run_index = 0, retry_index = 0, ...said } = node;
  const row: NodeRow = {
    ...said,
    workflow_id: report.workflow_id,
    run_index,
    retry_index,
    source,
    rank: rankOf(source),
    at: node.completed_at ?? node.started_at ?? momentOf(report, now),
    status,
    duration_ms: node.duration_ms ?? lasted(node),
    error_type: error?.type ?? (node.status === 'crashed' ? 'crashed' : undefined),
    error_message: error?.message,
    error_stack: error?.stack,
  };
  putNode(rows, JSON.stringify([node.node_name, run_index, retry_index, source]), row);
}

function putNode({ nodes }: Rows, key: string, row: NodeRow): void {
  const known = nodes.get(key);
  nodes.set(key, known ? better(known, row) : row);
}

/** Adds later rows to earlier ones. */
export function joinRows(into: Rows, from: Rows): void {
  for (const [key, row] of from.nodes) putNode(into, key, row);
  for (const [key, row] of from.marks) into.marks.set(key, row);
  for (const [key, row] of from.spans) into.spans.set(key, row);
  for (const [key, row] of from.events) into.events.set(key, row);
  for (const [key, row] of from.states) if (!into.states.has(key)) into.states.set(key, row);
}

function lasted({ started_at, completed_at }: NodeExecutionReport): number | undefined {
  if (!started_at || !completed_at) return undefined;
  return Math.max(0, (micros(completed_at) - micros(started_at)) / 1000);
}

/** An end wins over what is none, then the later word; each fills in what the other leaves out. As in SQL. */
function better(one: NodeRow, other: NodeRow): NodeRow {
  const before =
    Number(isEnd(other.status)) - Number(isEnd(one.status)) ||
    micros(other.at) - micros(one.at) ||
    Number(other.status > one.status) - Number(other.status < one.status);
  const [best, rest] = before >= 0 ? [other, one] : [one, other];
  const stated = Object.entries(best).filter(([, value]) => value !== undefined);
  return { ...rest, ...Object.fromEntries(stated) };
}

const spanRow = (span: SpanReport): object => ({
  kind: 'internal',
  status: 'unset',
  ...span,
});

function eventRow(event: RunEventReport, report: ExecutionReport) {
  return { ...event, event_id: event.event_id?.toLowerCase() ?? eventId(event, report) };
}

function markRow(mark: NodeMarkReport, report: ExecutionReport) {
  const source = report.source ?? 'client';
  return {
    ...mark,
    workflow_id: report.workflow_id,
    source,
    rank: rankOf(source),
    mark_id: mark.mark_id?.toLowerCase() ?? eventId(mark, report),
  };
}

/** The same word, told again without an id, is the same event. */
function eventId(word: RunEventReport | NodeMarkReport, report: ExecutionReport): string {
  const digits = hash('sha256', JSON.stringify([report.workflow_id, report.execution_id, word]));
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-8${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}
