import {
  REPORT_SOURCES,
  RUN_STATUSES,
  SPAN_KINDS,
  SPAN_STATUSES,
  type ExecutionDetail,
  type ExecutionFilter,
  type ExecutionReference,
  type ExecutionSummary,
  type NodeExecution,
  type RunError,
  type RunEvent,
  type SpanTree,
} from '@rollcall/client/contract';
import { z } from 'zod';
import { identifier, moment, projectId, text } from '../../platform/http/fields.ts';
import { paging } from '../../platform/http/page.ts';

export const runStatus = z.enum(RUN_STATUSES);
const fields = z.record(z.string(), z.unknown());
const milliseconds = z.coerce.number().min(0).max(1e12);

const statuses = z
  .string()
  .max(200)
  .transform((value) => [...new Set(value.split(','))])
  .pipe(z.array(runStatus))
  .meta({
    description: `One or several, comma-separated: ${RUN_STATUSES.join(', ')}.`,
    override: { type: 'string' },
    example: 'error,lost',
  });

export const ExecutionQuery = z.strictObject({
  ...paging,
  workflow_id: identifier.optional(),
  status: statuses.optional(),
  mode: text(64).optional(),
  instance_id: identifier.optional(),
  project_id: projectId.optional(),
  parent_execution_id: identifier
    .optional()
    .meta({ description: 'Runs that this one called, by the id that its own system gave it.' }),
  trace_id: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'must be 32 lower-case hex digits')
    .optional(),
  session_id: identifier.optional(),
  from: moment.optional().meta({ description: 'Began at this time or after.' }),
  to: moment.optional().meta({ description: 'Began before this time.' }),
  min_duration_ms: milliseconds.optional(),
  max_duration_ms: milliseconds.optional(),
  error_type: text(255).optional(),
  text: text(200).optional().meta({
    description: 'Part of the workflow’s id or name, of the error’s message, or of the run’s id.',
  }),
}) satisfies z.ZodType<ExecutionFilter>;

export const ExecutionPath = z.object({ id: identifier });
const instance = { instance_id: identifier.optional() };
export const InstanceQuery = z.strictObject(instance);

export const SpanQuery = z.strictObject({
  ...paging,
  limit: z.coerce.number().int().min(1).max(5_000).default(1_000),
  ...instance,
});

export const EventQuery = z.strictObject({
  ...paging,
  ...instance,
  level: z.enum(['debug', 'info', 'warn', 'error']).optional(),
  name: text(255).optional(),
  node_name: text(255).optional(),
});

export const StateQuery = z.strictObject({ ...paging, ...instance });

export const ComparisonQuery = z.strictObject({
  left: identifier,
  right: identifier,
  left_instance_id: identifier.optional(),
  right_instance_id: identifier.optional(),
});

export const RegressionQuery = z.strictObject({
  ...paging,
  workflow_id: identifier,
  ...instance,
  from: moment.optional(),
  to: moment.optional(),
});

export const ExecutionReferenceSchema = z
  .object({
    id: z.uuid(),
    execution_id: z.string().nullable(),
    workflow_id: z.string(),
    workflow_name: z.string().nullable(),
    status: runStatus,
    started_at: z.string().nullable(),
    duration_ms: z.number().nullable(),
  })
  .meta({ id: 'ExecutionReference' }) satisfies z.ZodType<ExecutionReference>;

export const ExecutionSummarySchema = z
  .object({
    ...ExecutionReferenceSchema.shape,
    instance_id: z.string().nullable(),
    session_id: z.string().nullable(),
    project_id: z.string(),
    workflow_version: z.string().nullable(),
    mode: z.string().nullable(),
    began: z.string(),
    completed_at: z.string().nullable(),
    trace_id: z.string().nullable(),
    parent_execution_id: z.string().nullable(),
    retry_of: z.string().nullable(),
    error_type: z.string().nullable(),
    error_message: z.string().nullable(),
    error_node: z.string().nullable(),
    last_node: z.string().nullable(),
    tokens_used: z.number().nullable(),
    cost_micros: z.number().nullable(),
    currency: z.string().nullable(),
    lost_at: z.string().nullable(),
    late_end: z.boolean(),
    end_untold: z.boolean(),
    sources: z.array(z.enum(REPORT_SOURCES)),
  })
  .meta({ id: 'ExecutionSummary' }) satisfies z.ZodType<ExecutionSummary>;

const StoredErrorSchema = z
  .object({
    type: z.string().optional(),
    message: z.string(),
    stack: z.string().optional(),
    node: z.string().optional(),
  })
  .meta({ id: 'StoredRunError' }) satisfies z.ZodType<RunError>;

const NodeExecutionSchema = z
  .object({
    node_id: z.string(),
    node_name: z.string(),
    node_type: z.string().nullable(),
    run_index: z.number(),
    retry_index: z.number(),
    attempts: z.number().nullable(),
    status: runStatus,
    started_at: z.string().nullable(),
    completed_at: z.string().nullable(),
    duration_ms: z.number().nullable(),
    prep_duration_ms: z.number().nullable(),
    exec_duration_ms: z.number().nullable(),
    post_duration_ms: z.number().nullable(),
    items_in: z.number().nullable(),
    items_out: z.number().nullable(),
    previous_nodes: z.array(z.string()),
    tokens_used: z.number().nullable(),
    cost_micros: z.number().nullable(),
    model: z.string().nullable(),
    child_execution_id: z.string().nullable(),
    error: StoredErrorSchema.nullable(),
    metadata: fields.nullable(),
  })
  .meta({ id: 'NodeExecution' }) satisfies z.ZodType<NodeExecution>;

export const ExecutionDetailSchema = z
  .object({
    ...ExecutionSummarySchema.shape,
    definition_hash: z.string().nullable(),
    status_at: z.string(),
    wait_till: z.string().nullable(),
    error: StoredErrorSchema.nullable(),
    metadata: fields.nullable(),
    first_reported_at: z.string(),
    updated_at: z.string(),
    counts: z.object({
      node_executions: z.number(),
      telemetry_spans: z.number(),
      telemetry_events: z.number(),
      shared_state_snapshots: z.number(),
    }),
    node_executions: z.array(NodeExecutionSchema),
    nodes_truncated: z.boolean(),
    parent: ExecutionReferenceSchema.nullable(),
    children: z.array(ExecutionReferenceSchema),
    children_truncated: z.boolean(),
    repeats: ExecutionReferenceSchema.nullable(),
    retries: z.array(ExecutionReferenceSchema),
  })
  .meta({ id: 'ExecutionDetail' }) satisfies z.ZodType<ExecutionDetail>;

export const SpanTreeSchema: z.ZodType<SpanTree> = z
  .object({
    trace_id: z.string(),
    span_id: z.string(),
    parent_span_id: z.string().nullable(),
    name: z.string(),
    kind: z.enum(SPAN_KINDS),
    status: z.enum(SPAN_STATUSES),
    status_message: z.string().nullable(),
    started_at: z.string(),
    ended_at: z.string().nullable(),
    duration_ms: z.number().nullable(),
    node_name: z.string().nullable(),
    attributes: fields,
    events: z.array(z.object({ name: z.string(), at: z.string(), attributes: fields.optional() })),
    links: z.array(
      z.object({ trace_id: z.string(), span_id: z.string(), attributes: fields.optional() }),
    ),
    resource: fields.nullable(),
    parent_missing: z.boolean(),
    get children(): z.ZodType<SpanTree[]> {
      return z.array(SpanTreeSchema);
    },
  })
  .meta({ id: 'SpanTree' });

export const RunEventSchema = z
  .object({
    event_id: z.uuid(),
    at: z.string(),
    name: z.string(),
    level: z.enum(['debug', 'info', 'warn', 'error']),
    message: z.string().nullable(),
    node_name: z.string().nullable(),
    span_id: z.string().nullable(),
    data: fields.nullable(),
  })
  .meta({ id: 'RunEvent' }) satisfies z.ZodType<RunEvent>;
