import {
  FIX_ACTIONS,
  FIX_STATUSES,
  type BulkFixRequest,
  type BulkFixResult,
  type GapFix,
  type GapFixFilter,
  type GapFixOutcome,
  type GapFixRequest,
  type GapFixResult,
} from '@rollcall/client/contract';
import { z } from 'zod';
import { entityType, gapKind, identifier, moment, text } from '../../platform/http/fields.ts';
import { paging } from '../../platform/http/page.ts';
import { GapCheckSchema, GapQuery, GapSchema } from './gaps.schema.ts';

const action = z.enum(FIX_ACTIONS);
const status = z.enum(FIX_STATUSES);

const choice = {
  action: action.optional(),
  dry_run: z.boolean().optional(),
  entity_type: entityType.optional(),
  parent_type: entityType.optional(),
  parent_id: identifier.optional(),
  new_state: z.enum(['active', 'inactive', 'error', 'archived']).optional(),
  credential: text(255).optional(),
  reason: text(2000).optional(),
  until: moment.optional(),
};

export const GapFixRequestSchema = z
  .strictObject({ ...choice, entity_name: text(255).optional() })
  .meta({ id: 'GapFixRequest' }) satisfies z.ZodType<GapFixRequest>;

const changes = z.array(
  z.object({
    entity: z.object({ entity_type: z.string(), entity_id: z.string() }),
    field: z.string(),
    from: z.unknown(),
    to: z.unknown(),
  }),
);

export const GapFixResultSchema = z
  .object({
    action,
    summary: z.string(),
    dry_run: z.boolean(),
    fix_id: z.uuid().nullable(),
    status: status.nullable(),
    changes,
    gap: GapSchema,
  })
  .meta({ id: 'GapFixResult' }) satisfies z.ZodType<GapFixResult>;

export const GapFixSchema = z
  .object({
    id: z.uuid(),
    gap_id: z.uuid(),
    kind: gapKind,
    entity_type: z.string(),
    entity_id: z.string(),
    action,
    summary: z.string(),
    arguments: z.record(z.string(), z.unknown()),
    actor: z.string(),
    at: z.string(),
    status,
    error: z.string().nullable(),
    changes,
    finished_at: z.string().nullable(),
    undone_at: z.string().nullable(),
    undone_by: z.string().nullable(),
  })
  .meta({ id: 'GapFix' }) satisfies z.ZodType<GapFix>;

export const GapFixQuery = z.strictObject({
  ...paging,
  gap_id: z.uuid().optional(),
  kind: gapKind.optional(),
  action: action.optional(),
  status: status.optional(),
  entity_type: entityType.optional(),
  entity_id: identifier.optional(),
  from: moment.optional(),
  to: moment.optional(),
}) satisfies z.ZodType<GapFixFilter>;

export const GapFixPath = z.object({ id: z.uuid() });

export const GapFixOutcomeSchema = z
  .object({ fix: GapFixSchema, gap: GapSchema })
  .meta({ id: 'GapFixOutcome' }) satisfies z.ZodType<GapFixOutcome>;

/** Of gaps in one transaction. */
export const MOST_FIXES = 1000;

export const BulkFixRequestSchema = z
  .strictObject({
    ...choice,
    filter: GapQuery.omit({ limit: true, cursor: true }),
    limit: z.number().int().min(1).max(MOST_FIXES).optional(),
    cursor: paging.cursor,
  })
  .meta({ id: 'BulkFixRequest' }) satisfies z.ZodType<BulkFixRequest>;

export const BulkFixResultSchema = z
  .object({
    dry_run: z.boolean(),
    fixed: z.number(),
    refused: z.number(),
    items: z.array(
      z.object({
        gap_id: z.uuid(),
        kind: gapKind,
        entity_type: z.string(),
        entity_id: z.string(),
        status: z.enum(['fixed', 'refused']),
        code: z.string().nullable(),
        message: z.string().nullable(),
        action: action.nullable(),
        summary: z.string().nullable(),
        fix_id: z.uuid().nullable(),
        changes,
      }),
    ),
    next_cursor: z.string().nullable(),
    check: GapCheckSchema.nullable(),
  })
  .meta({ id: 'BulkFixResult' }) satisfies z.ZodType<BulkFixResult>;
