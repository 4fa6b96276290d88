import {
  FIX_ACTIONS,
  type Gap,
  type GapCheck,
  type GapFilter,
  type GapFixRequest,
  type GapFixResult,
  type GapMuteRequest,
  type GapRule,
} from '@rollcall/client/contract';
import { z } from 'zod';
import {
  entityType,
  gapKind,
  gapSeverity,
  gapState,
  identifier,
  moment,
  text,
} from '../../platform/http/fields.ts';
import { paging } from '../../platform/http/page.ts';

const fixAction = z.enum(FIX_ACTIONS);
const byKind = z.partialRecord(gapKind, z.number());
const limitSeconds = z.number().int().min(1).max(315_360_000);

export const GapSchema = z
  .object({
    id: z.uuid(),
    kind: gapKind,
    state: gapState,
    severity: gapSeverity,
    entity_type: z.string(),
    entity_id: z.string(),
    entity_name: z.string(),
    summary: z.string(),
    evidence: z.record(z.string(), z.unknown()),
    first_seen: z.string(),
    last_seen: z.string(),
    closed_at: z.string().nullable(),
    muted_until: z.string().nullable(),
    mute_reason: z.string().nullable(),
    fixes: z.array(
      z.object({
        action: fixAction,
        summary: z.string(),
        arguments: z.record(z.string(), z.unknown()),
        needs: z.array(z.string()),
      }),
    ),
  })
  .meta({ id: 'Gap' }) satisfies z.ZodType<Gap>;

export const GapCheckSchema = z
  .object({
    checked_at: z.string(),
    duration_ms: z.number(),
    opened: z.number(),
    closed: z.number(),
    open: z.number(),
    muted: z.number(),
    by_kind: byKind,
  })
  .meta({ id: 'GapCheck' }) satisfies z.ZodType<GapCheck>;

export const GapQuery = z.strictObject({
  ...paging,
  kind: gapKind.optional(),
  state: gapState.optional().meta({ description: 'Open ones when left out.' }),
  severity: gapSeverity.optional(),
  entity_type: entityType.optional(),
  entity_id: identifier.optional(),
}) satisfies z.ZodType<GapFilter>;

export const GapPath = z.object({ id: z.uuid() });

export const GapFixRequestSchema = z
  .strictObject({
    action: fixAction.optional(),
    entity_type: entityType.optional(),
    entity_name: text(255).optional(),
    parent_type: entityType.optional(),
    parent_id: identifier.optional(),
    new_state: z.enum(['active', 'inactive', 'error', 'archived']).optional(),
    reason: text(2000).optional(),
    until: moment.optional(),
  })
  .meta({ id: 'GapFixRequest' }) satisfies z.ZodType<GapFixRequest>;

export const GapFixResultSchema = z
  .object({ action: fixAction, summary: z.string(), gap: GapSchema })
  .meta({ id: 'GapFixResult' }) satisfies z.ZodType<GapFixResult>;

export const GapMuteRequestSchema = z
  .strictObject({ reason: text(2000), until: moment })
  .meta({ id: 'GapMuteRequest' }) satisfies z.ZodType<GapMuteRequest>;

export const GapRuleSchema = z
  .strictObject({
    entity_type: z.union([z.literal('*'), entityType]),
    needs_parent: z.boolean(),
    silent_after_seconds: limitSeconds,
    stuck_after_seconds: limitSeconds,
  })
  .meta({ id: 'GapRule' }) satisfies z.ZodType<GapRule>;
