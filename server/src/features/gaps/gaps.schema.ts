import {
  FIX_ACTIONS,
  GAP_CHANGES,
  type Gap,
  type GapCheck,
  type GapDetail,
  type GapFilter,
  type GapMuteRequest,
  type GapRule,
  type GapSimulation,
  type GapSimulationRequest,
} from '@rollcall/client/contract';
import { z } from 'zod';
import {
  entityType,
  gapGrade,
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
    grade: gapGrade,
    entity_type: z.string(),
    entity_id: z.string(),
    entity_name: z.string(),
    summary: z.string(),
    evidence: z.record(z.string(), z.unknown()),
    first_seen: z.string(),
    last_seen: z.string(),
    closed_at: z.string().nullable(),
    inhibited_by: z.string().nullable(),
    inhibits: z.number(),
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

const InhibitedGapSchema = z.object({
  id: z.uuid(),
  kind: gapKind,
  entity_type: z.string(),
  entity_id: z.string(),
  summary: z.string(),
  first_seen: z.string(),
});

export const GapDetailSchema = GapSchema.extend({
  history: z.array(
    z.object({
      at: z.string(),
      change: z.enum(GAP_CHANGES),
      from: z.string().nullable(),
      to: z.string().nullable(),
      evidence: z.record(z.string(), z.unknown()).nullable(),
    }),
  ),
  inhibited: z.array(InhibitedGapSchema),
}).meta({ id: 'GapDetail' }) satisfies z.ZodType<GapDetail>;

export const GapSimulationRequestSchema = z
  .strictObject({
    ahead_seconds: z.number().int().min(1).max(34_560_000),
    limit: z.number().int().min(1).max(1000).optional(),
  })
  .meta({ id: 'GapSimulationRequest' }) satisfies z.ZodType<GapSimulationRequest>;

export const GapSimulationSchema = z
  .object({
    from: z.string(),
    until: z.string(),
    total: z.number(),
    items: z.array(
      z.object({
        at: z.string(),
        kind: gapKind,
        entity_type: z.string(),
        entity_id: z.string(),
        severity: gapSeverity,
        grade: gapGrade,
        summary: z.string(),
        evidence: z.record(z.string(), z.unknown()),
      }),
    ),
  })
  .meta({ id: 'GapSimulation' }) satisfies z.ZodType<GapSimulation>;

export const GapCheckSchema = z
  .object({
    checked_at: z.string(),
    mode: z.enum(['full', 'incremental']),
    duration_ms: z.number(),
    opened: z.number(),
    closed: z.number(),
    open: z.number(),
    muted: z.number(),
    inhibited: z.number(),
    cannot_tell: z.number(),
    by_kind: byKind,
  })
  .meta({ id: 'GapCheck' }) satisfies z.ZodType<GapCheck>;

export const GapQuery = z.strictObject({
  ...paging,
  kind: gapKind.optional(),
  state: gapState.optional().meta({ description: 'Open ones when left out.' }),
  severity: gapSeverity.optional(),
  grade: gapGrade.optional(),
  entity_type: entityType.optional(),
  entity_id: identifier.optional(),
  inhibited_by: z
    .uuid()
    .optional()
    .meta({ description: 'With state=inhibited: what one gap explains.' }),
}) satisfies z.ZodType<GapFilter>;

export const GapPath = z.object({ id: z.uuid() });

export const GapMuteRequestSchema = z
  .strictObject({ reason: text(2000), until: moment })
  .meta({ id: 'GapMuteRequest' }) satisfies z.ZodType<GapMuteRequest>;

export const GapRuleSchema = z
  .strictObject({
    entity_type: z.union([z.literal('*'), entityType]),
    needs_parent: z.boolean(),
    silent_after_seconds: limitSeconds,
    stuck_after_seconds: limitSeconds,
    grace_seconds: z.number().int().min(0).max(315_360_000).optional(),
  })
  .meta({ id: 'GapRule' }) satisfies z.ZodType<GapRule>;
