import {
  REPORT_SOURCES,
  RUN_STATUSES,
  SPAN_KINDS,
  SPAN_STATUSES,
  type ExecutionReport,
  type IngestedExecution,
} from '@rollcall/client/contract';
import { z } from 'zod';
import {
  identifier,
  json,
  metadata,
  moment,
  projectId,
  prose,
  text,
} from '../../platform/http/fields.ts';
import { REPORTED_STATUSES } from './status.ts';

const MOST_NODES = 5_000;
const MOST_ROWS = 20_000;
const MOST_SNAPSHOTS = 1_000;
const STATE_BYTES = 262_144;

const WITHOUT_OFFSET = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?$/;

/** A moment that may come without an offset, which then means UTC; kept to microseconds. */
const time = z
  .string()
  .max(64)
  .transform((value) => (WITHOUT_OFFSET.test(value) ? `${value}Z` : value))
  .pipe(moment)
  .transform((value) => value.replace(/(\.\d{6})\d+/, '$1'))
  .meta({
    description: 'ISO 8601; UTC where no offset is given.',
    override: { type: 'string', format: 'date-time' },
  });

const milliseconds = z.number().min(0).max(1e12);
const count = z.number().int().min(0).max(1e12);
const status = z.enum(REPORTED_STATUSES);
const spanId = z.string().regex(/^(?!0+$)[0-9a-f]{16}$/, 'must be 16 lower-case hex digits');
const traceId = z.string().regex(/^(?!0+$)[0-9a-f]{32}$/, 'must be 32 lower-case hex digits');

const error = z
  .strictObject({
    type: text(255).optional(),
    message: prose(65_536),
    stack: prose(262_144).optional(),
    node: text(255).optional(),
  })
  .meta({ id: 'RunError' });

const node = z
  .strictObject({
    node_id: identifier.optional(),
    node_name: text(255),
    node_type: text(255).optional(),
    run_index: z.number().int().min(0).max(1e6).optional(),
    retry_index: z.number().int().min(0).max(1e6).optional(),
    attempts: z.number().int().min(0).max(1e6).optional(),
    status,
    started_at: time.optional(),
    completed_at: time.optional(),
    duration_ms: milliseconds.optional(),
    prep_duration_ms: milliseconds.optional(),
    exec_duration_ms: milliseconds.optional(),
    post_duration_ms: milliseconds.optional(),
    items_in: count.optional(),
    items_out: count.optional(),
    previous_nodes: z.array(text(255)).max(1_000).optional(),
    tokens_used: count.optional(),
    cost_micros: count.optional(),
    model: text(255).optional(),
    child_execution_id: identifier.optional(),
    error: error.optional(),
    metadata: metadata.optional(),
  })
  .meta({ id: 'NodeExecutionReport' });

const mark = z
  .strictObject({
    mark_id: z.uuid().optional(),
    node_name: text(255).optional(),
    node_id: identifier.optional(),
    node_type: text(255).optional(),
    kind: z.enum(['started', 'finished', 'failed', 'paused']),
    at: time,
    error_message: prose(8_000).optional(),
  })
  .refine(({ kind, node_name }) => (kind === 'paused') === (node_name === undefined), {
    error: 'names a node, except in a mark of the kind paused',
    path: ['node_name'],
    params: { code: 'required' },
  })
  .meta({ id: 'NodeMarkReport' });

const span = z
  .strictObject({
    span_id: spanId,
    parent_span_id: spanId.optional(),
    trace_id: traceId,
    name: text(1_000),
    kind: z.enum(SPAN_KINDS).optional(),
    status: z.enum(SPAN_STATUSES).optional(),
    status_message: prose(8_000).optional(),
    started_at: time,
    ended_at: time.optional(),
    attributes: metadata.optional(),
    events: z
      .array(z.strictObject({ name: text(255), at: time, attributes: metadata.optional() }))
      .max(1_000)
      .optional(),
    links: z
      .array(
        z.strictObject({ trace_id: traceId, span_id: spanId, attributes: metadata.optional() }),
      )
      .max(1_000)
      .optional(),
    resource: metadata.optional(),
  })
  .meta({ id: 'SpanReport' });

const event = z
  .strictObject({
    event_id: z.uuid().optional(),
    name: text(255),
    at: time,
    level: z.enum(['debug', 'info', 'warn', 'error']).optional(),
    message: prose(8_000).optional(),
    node_name: text(255).optional(),
    span_id: spanId.optional(),
    data: metadata.optional(),
  })
  .meta({ id: 'RunEventReport' });

const snapshot = z
  .strictObject({
    sequence: z.number().int().min(0).max(1e9).optional(),
    at: time,
    node_name: text(255).optional(),
    phase: z.enum(['before', 'prep', 'exec', 'post', 'after']).optional(),
    state: json(STATE_BYTES),
  })
  .meta({ id: 'StateSnapshotReport' });

export const ExecutionReportSchema = z
  .strictObject({
    execution_id: identifier.optional(),
    instance_id: identifier.optional(),
    session_id: identifier.optional(),
    workflow_id: identifier,
    workflow_name: text(255).optional(),
    workflow_version: text(255).optional(),
    definition_hash: text(255).optional(),
    status,
    mode: text(64).optional(),
    started_at: time.optional(),
    completed_at: time.optional(),
    duration_ms: milliseconds.optional(),
    wait_till: time.optional(),
    at: time.optional(),
    source: z.enum(REPORT_SOURCES).optional(),
    project_id: projectId.optional(),
    trace_id: traceId.optional(),
    retry_of: identifier.optional(),
    parent_execution_id: identifier.optional(),
    parent_workflow_id: identifier.optional(),
    last_node: text(255).optional(),
    error: error.optional(),
    tokens_used: count.optional(),
    cost_micros: count.optional(),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'must be three capital letters (ISO 4217)')
      .optional(),
    metadata: metadata.optional(),
    node_executions: z.array(node).max(MOST_NODES).optional(),
    node_marks: z.array(mark).max(MOST_NODES).optional(),
    telemetry_spans: z.array(span).max(MOST_ROWS).optional(),
    telemetry_events: z.array(event).max(MOST_ROWS).optional(),
    shared_state_snapshots: z.array(snapshot).max(MOST_SNAPSHOTS).optional(),
  })
  .refine(
    ({ execution_id, session_id, started_at, trace_id }) =>
      execution_id ?? trace_id ?? (session_id && started_at),
    {
      error:
        'give execution_id, or session_id with started_at, or trace_id: how else is the run found again',
      path: ['execution_id'],
      params: { code: 'required' },
    },
  )
  .meta({ id: 'ExecutionReport' }) satisfies z.ZodType<ExecutionReport>;

export const IngestedExecutionSchema = z
  .object({
    id: z.string(),
    execution_id: z.string(),
    status: z.enum(['created', 'updated', 'duplicate']),
    run_status: z.enum(RUN_STATUSES),
    stored: z.object({
      node_executions: z.number(),
      telemetry_spans: z.number(),
      telemetry_events: z.number(),
      shared_state_snapshots: z.number(),
    }),
  })
  .meta({ id: 'IngestedExecution' }) satisfies z.ZodType<IngestedExecution>;
