import type { TelemetryEvent } from '@rollcall/client/contract';
import { aiEvent, outcomeOf } from './ai-spans.ts';
import type { Span } from './decode.ts';
import { eventId } from './event-id.ts';
import { workflowRun, type WorkflowRun } from './n8n-spans.ts';

export interface Meaning {
  /** Every span, and where it hangs. */
  placed: PlacedSpan[];
  /** Runs of n8n workflows, each with the span that tells of it. */
  runs: WorkflowRun[];
  /** Calls of models, tools, agents and workflows. */
  events: TelemetryEvent[];
}

export interface PlacedSpan {
  span: Span;
  /** The run that it tells of, or else the nearest one above it. */
  run?: WorkflowRun;
  /** Without a run: the nearest ancestor's id that the request does not hold. */
  anchor?: string;
}

/** Spans that say nothing in the words of the conventions; most there are. */
const OF_N8N = new Set(['workflow.execute', 'node.execute']);

type Place = Pick<PlacedSpan, 'run' | 'anchor'>;

/**
 * What the spans of one request say, as far as they know of each other. What hangs on spans of other requests is put
 * together in the database (otlp.sql).
 */
export function meaningOf(spans: Span[]): Meaning {
  const byId = new Map(spans.map((span) => [keyOf(span.trace_id, span.span_id), span]));
  const places = new Map<Span, Place>();
  const runs: WorkflowRun[] = [];
  for (const span of spans) {
    const run = workflowRun(span);
    if (run) runs.push(run);
    if (run) places.set(span, { run });
  }

  const parentOf = (span: Span): Span | undefined =>
    span.parent_span_id ? byId.get(keyOf(span.trace_id, span.parent_span_id)) : undefined;

  /** Each span is walked over once: what is found is kept for all that were on the way. */
  function placeOf(span: Span): Place {
    const way: Span[] = [];
    let place: Place = {};
    let above: Span | undefined = span;
    while (above) {
      const known = places.get(above);
      if (known) {
        place = known;
        break;
      }
      way.push(above);
      // Until more is known; it also ends the walk in a trace that is a circle.
      places.set(above, {});
      const parent = parentOf(above);
      if (above.parent_span_id && !parent) place = { anchor: above.parent_span_id };
      above = parent;
    }
    for (const below of way) places.set(below, place);
    return place;
  }

  /** The nearest run above a run's span that is another one: after waiting, a run hangs on its own earlier span. */
  function parentRunOf(run: WorkflowRun): WorkflowRun | undefined {
    const passed = new Set<WorkflowRun>();
    let above: WorkflowRun | undefined = run;
    while (above && isSameRun(run, above) && !passed.has(above)) {
      passed.add(above);
      const parent = parentOf(above.span);
      above = parent && placeOf(parent).run;
    }
    return above && !isSameRun(run, above) ? above : undefined;
  }

  const events: TelemetryEvent[] = [];
  for (const run of runs) {
    const parent = parentRunOf(run)?.report;
    if (parent) {
      run.report.parent_execution_id = parent.execution_id;
      run.report.parent_workflow_id = parent.workflow_id;
    }
    if (run.report.completed_at) events.push(runEvent(run));
  }
  const placed = spans.map((span): PlacedSpan => ({ span, ...placeOf(span) }));
  for (const { span, run } of placed) {
    const event = OF_N8N.has(span.name) ? undefined : aiEvent(span);
    if (!event) continue;
    if (run) {
      event.workflow_id = run.report.workflow_id;
      event.execution_id = run.report.execution_id;
    }
    events.push(event);
  }
  return { placed, runs, events };
}

const keyOf = (traceId: string, spanId: string): string => `${traceId}:${spanId}`;

const isSameRun = ({ report: one }: WorkflowRun, { report: other }: WorkflowRun): boolean =>
  one.execution_id === other.execution_id && one.instance_id === other.instance_id;

/** A run that has ended as one communication: its caller's with the workflow, or the workflow's with itself. */
function runEvent({ span, report, workflow }: WorkflowRun): TelemetryEvent {
  const { error } = report;
  return {
    event_id: eventId(span.trace_id, span.span_id),
    timestamp: report.completed_at ?? span.started_at,
    protocol: 'n8n',
    source_id: report.parent_workflow_id ?? report.workflow_id,
    target_id: report.workflow_id,
    operation: span.name,
    status: report.status === 'canceled' ? 'cancelled' : outcomeOf(span).status,
    ...(report.duration_ms === undefined ? {} : { duration_ms: report.duration_ms }),
    trace_id: span.trace_id,
    workflow_id: report.workflow_id,
    execution_id: report.execution_id,
    ...(error?.type ? { error_type: error.type } : {}),
    ...(error ? { error_message: error.message } : {}),
    metadata: {
      workflow_name: workflow.workflow_name,
      workflow_version: workflow.version,
      instance_id: workflow.instance_id,
      mode: report.mode ?? null,
    },
  };
}
