import {
  DEFINITION_DIFFERENCES,
  NODE_DIFFERENCES,
  NODE_PHASES,
  SPAN_STATUSES,
  type ExecutionComparison,
  type StateSnapshot,
  type Timeline,
  type ValueDiff,
  type VersionChange,
} from '@rollcall/client/contract';
import { z } from 'zod';
import {
  ExecutionReferenceSchema,
  ExecutionSummarySchema,
  runStatus,
} from './execution-reads.schema.ts';

const stretch = { offset_ms: z.number(), duration_ms: z.number() };
const nodeRun = { run_index: z.number(), retry_index: z.number() };
const node = { node_id: z.string(), node_name: z.string() };

const TimelineBarSchema = z.object({
  ...stretch,
  ...nodeRun,
  attempts: z.number().nullable(),
  status: runStatus,
  open: z.boolean(),
  wait_ms: z.number(),
  on_critical_path: z.boolean(),
  phases: z.array(z.object({ ...stretch, phase: z.enum(NODE_PHASES) })),
  spans: z.array(
    z.object({
      ...stretch,
      span_id: z.string(),
      name: z.string(),
      status: z.enum(SPAN_STATUSES),
      depth: z.number(),
      open: z.boolean(),
    }),
  ),
  items_in: z.number().nullable(),
  items_out: z.number().nullable(),
  tokens_used: z.number().nullable(),
  error: z.object({ type: z.string().nullable(), message: z.string() }).nullable(),
  child_execution_id: z.string().nullable(),
  child: ExecutionReferenceSchema.nullable(),
});

export const TimelineSchema = z
  .object({
    execution: ExecutionSummarySchema,
    origin: z.string(),
    duration_ms: z.number(),
    open: z.boolean(),
    lanes: z.array(
      z.object({
        ...node,
        node_type: z.string().nullable(),
        bars: z.array(TimelineBarSchema),
        unplaced: z.array(z.object({ ...nodeRun, status: runStatus, carried_over: z.boolean() })),
      }),
    ),
    critical_path: z.array(z.object({ ...stretch, ...node, ...nodeRun, wait_ms: z.number() })),
    gaps: z.array(z.object({ ...stretch, kind: z.enum(['waiting', 'idle']) })),
    truncated: z.boolean(),
  })
  .meta({ id: 'Timeline' }) satisfies z.ZodType<Timeline>;

const ValueDiffSchema = z
  .object({
    changes: z.array(
      z.object({
        op: z.enum(['added', 'removed', 'changed']),
        path: z.string(),
        from: z.unknown().optional(),
        to: z.unknown().optional(),
      }),
    ),
    truncated: z.boolean(),
  })
  .meta({ id: 'ValueDiff' }) satisfies z.ZodType<ValueDiff>;

export const StateSnapshotSchema = z
  .object({
    sequence: z.number(),
    at: z.string(),
    node_name: z.string().nullable(),
    phase: z.enum(['before', 'prep', 'exec', 'post', 'after']).nullable(),
    state: z.unknown(),
    diff: ValueDiffSchema.nullable(),
  })
  .meta({ id: 'StateSnapshot' }) satisfies z.ZodType<StateSnapshot>;

const NodeTotalsSchema = z
  .object({
    status: runStatus,
    runs: z.number(),
    retries: z.number(),
    duration_ms: z.number().nullable(),
    items_in: z.number().nullable(),
    items_out: z.number().nullable(),
    tokens_used: z.number().nullable(),
    cost_micros: z.number().nullable(),
    error_type: z.string().nullable(),
    error_message: z.string().nullable(),
  })
  .meta({ id: 'NodeTotals' });

const definitionChanges = {
  nodes: z
    .array(
      z.object({
        node_id: z.string().nullable(),
        node_name: z.string(),
        node_type: z.string(),
        previous_name: z.string().nullable(),
        changes: z.array(z.enum(DEFINITION_DIFFERENCES)),
      }),
    )
    .nullable()
    .meta({ description: 'Null: the definitions are not known.' }),
  connections: z
    .array(
      z.object({
        change: z.enum(['added', 'removed']),
        source: z.string(),
        type: z.string(),
        output: z.number(),
        target: z.string(),
        input: z.number(),
      }),
    )
    .nullable(),
  more_changes: z.boolean(),
};

export const ExecutionComparisonSchema = z
  .object({
    left: ExecutionSummarySchema,
    right: ExecutionSummarySchema,
    workflow: z.object({
      same_workflow: z.boolean(),
      left_version: z.string().nullable(),
      right_version: z.string().nullable(),
      left_hash: z.string().nullable(),
      right_hash: z.string().nullable(),
      definition: z.enum(['same', 'changed', 'unknown']),
      ...definitionChanges,
    }),
    duration_delta_ms: z.number().nullable(),
    nodes: z.array(
      z.object({
        ...node,
        node_type: z.string().nullable(),
        left: NodeTotalsSchema.nullable(),
        right: NodeTotalsSchema.nullable(),
        differences: z.array(z.enum(NODE_DIFFERENCES)),
        state: ValueDiffSchema.nullable(),
      }),
    ),
    differing: z.number(),
    state: ValueDiffSchema.nullable(),
    truncated: z.boolean(),
  })
  .meta({ id: 'ExecutionComparison' }) satisfies z.ZodType<ExecutionComparison>;

const VersionSideSchema = z
  .object({
    version: z.string(),
    definition_hash: z.string().nullable(),
    runs: z.number(),
    errors: z.number(),
    median_duration_ms: z.number().nullable(),
  })
  .meta({ id: 'VersionSide' });

const RunMarkSchema = z
  .object({ id: z.uuid(), execution_id: z.string().nullable(), began: z.string() })
  .meta({ id: 'RunMark' });

export const VersionChangeSchema = z
  .object({
    workflow_id: z.string(),
    changed_at: z.string(),
    before: VersionSideSchema,
    after: VersionSideSchema,
    last_good: RunMarkSchema.nullable(),
    first_bad: RunMarkSchema.nullable(),
    error_type: z.string().nullable(),
    error_message: z.string().nullable(),
    duration_ratio: z.number().nullable(),
    ...definitionChanges,
    verdict: z.enum(['broken', 'slower', 'fine']),
  })
  .meta({ id: 'VersionChange' }) satisfies z.ZodType<VersionChange>;
