import type { ExecutionReport, FieldError, RunError } from '@rollcall/client/contract';
import type { Redactor } from '../../platform/redact.ts';

export type Refusal = FieldError;

export interface Door {
  redactor: Redactor;
  now: Date;
  /** Days that executions are kept. */
  days: number;
}

/** Clocks of other machines may be ahead by this much. */
const AHEAD_MS = 3_600_000;
const DAY_MS = 86_400_000;
const LONGEST_MESSAGE = 8_000;
const LONGEST_STACK = 32_000;

/** A valid report with its times judged and its texts redacted, or why it is refused. */
export function complete(report: ExecutionReport, door: Door): ExecutionReport | Refusal {
  return wrongTime(report, door) ?? redacted(report, door.redactor);
}

function wrongTime(report: ExecutionReport, { now, days }: Door): Refusal | undefined {
  const latest = now.getTime() + AHEAD_MS;
  const oldest = now.getTime() - days * DAY_MS;
  const judge = (path: string, moment: string | undefined): Refusal | undefined => {
    if (moment === undefined) return undefined;
    const time = Date.parse(moment);
    if (time > latest) {
      const message = 'is more than an hour ahead of the server’s clock';
      return { path, code: 'timestamp_in_future', message };
    }
    if (time < oldest) {
      const message = `is older than the ${days} days that executions are kept`;
      return { path, code: 'timestamp_too_old', message };
    }
    return undefined;
  };
  // What is told now may have begun long ago, and waited since.
  const told = (['at', 'completed_at', 'started_at'] as const).filter((field) => report[field]);
  for (const [place, field] of told.entries()) {
    const wrong = judge(field, report[field]);
    if (wrong && (place === 0 || wrong.code === 'timestamp_in_future')) return wrong;
  }
  for (const [index, span] of (report.telemetry_spans ?? []).entries()) {
    const wrong = judge(`telemetry_spans.${index}.started_at`, span.started_at);
    if (wrong) return wrong;
  }
  return undefined;
}

function redacted(report: ExecutionReport, { text, metadata }: Redactor): ExecutionReport {
  const error = (told: RunError): RunError => ({
    ...told,
    message: text(told.message).slice(0, LONGEST_MESSAGE).toWellFormed(),
    ...(told.stack !== undefined && {
      stack: text(told.stack).slice(0, LONGEST_STACK).toWellFormed(),
    }),
  });
  const result = { ...report };
  if (report.error) result.error = error(report.error);
  if (report.metadata) result.metadata = metadata(report.metadata);
  if (report.node_executions) {
    result.node_executions = report.node_executions.map((node) => ({
      ...node,
      ...(node.error && { error: error(node.error) }),
      ...(node.metadata && { metadata: metadata(node.metadata) }),
    }));
  }
  if (report.node_marks) {
    result.node_marks = report.node_marks.map((mark) => ({
      ...mark,
      ...(mark.error_message && { error_message: text(mark.error_message) }),
    }));
  }
  if (report.telemetry_spans) {
    result.telemetry_spans = report.telemetry_spans.map((span) => ({
      ...span,
      ...(span.status_message && { status_message: text(span.status_message) }),
      ...(span.attributes && { attributes: metadata(span.attributes) }),
      ...(span.resource && { resource: metadata(span.resource) }),
      ...(span.events && { events: span.events.map(withRedacted(metadata)) }),
      ...(span.links && { links: span.links.map(withRedacted(metadata)) }),
    }));
  }
  if (report.telemetry_events) {
    result.telemetry_events = report.telemetry_events.map((event) => ({
      ...event,
      ...(event.message && { message: text(event.message) }),
      ...(event.data && { data: metadata(event.data) }),
    }));
  }
  if (report.shared_state_snapshots) {
    result.shared_state_snapshots = report.shared_state_snapshots.map((snapshot) => ({
      ...snapshot,
      state: metadata({ state: snapshot.state }).state,
    }));
  }
  return result;
}

const withRedacted =
  (metadata: Redactor['metadata']) =>
  <Part extends { attributes?: Record<string, unknown> }>(part: Part): Part =>
    part.attributes ? { ...part, attributes: metadata(part.attributes) } : part;
