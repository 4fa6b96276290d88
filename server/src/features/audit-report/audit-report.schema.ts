import {
  AUDIT_FORMATS,
  AUDIT_SECTIONS,
  type Audit,
  type AuditItem,
  type AuditReport,
  type AuditSectionName,
  type AuditSummary,
} from '@rollcall/client/contract';
import { z } from 'zod';
import { entityState, gapKind, gapSeverity, moment } from '../../platform/http/fields.ts';
import { paging } from '../../platform/http/page.ts';

/** An object with a field for each section. */
const bySection = <Value extends z.ZodType>(value: Value) =>
  z.object(
    Object.fromEntries(AUDIT_SECTIONS.map((name) => [name, value])) as Record<
      AuditSectionName,
      Value
    >,
  );
const counts = z.record(z.string(), z.number());

const AuditItemSchema = z
  .object({
    entity_type: z.string(),
    entity_id: z.string(),
    entity_name: z.string(),
    at: z.string(),
    what: z.string(),
    kind: gapKind.nullable(),
    severity: gapSeverity.nullable(),
    gap_id: z.uuid().nullable(),
    by: z.string().nullable(),
    current_state: entityState.nullable(),
    closed: z.boolean(),
    link: z.string(),
  })
  .meta({ id: 'AuditItem' }) satisfies z.ZodType<AuditItem>;

export const AuditReportSchema = z
  .object({
    from: z.string(),
    to: z.string(),
    sections: bySection(z.object({ total: z.number(), items: z.array(AuditItemSchema) })),
    fleet: z.object({
      entities: z.number(),
      by_type: counts,
      by_state: z.partialRecord(entityState, z.number()),
    }),
    open: z.object({
      total: z.number(),
      muted: z.number(),
      by_kind: z.partialRecord(gapKind, z.number()),
      by_severity: z.partialRecord(gapSeverity, z.number()),
    }),
  })
  .meta({ id: 'AuditReport' }) satisfies z.ZodType<AuditReport>;

export const AuditSummarySchema = z
  .object({
    id: z.uuid(),
    period_from: z.string(),
    period_to: z.string(),
    created_at: z.string(),
    totals: bySection(z.number()),
    open_gaps: z.number(),
  })
  .meta({ id: 'AuditSummary' }) satisfies z.ZodType<AuditSummary>;

export const AuditSchema = z
  .object({ id: z.uuid(), created_at: z.string(), report: AuditReportSchema })
  .meta({ id: 'Audit' }) satisfies z.ZodType<Audit>;

const format = z.enum(AUDIT_FORMATS).default('json');
const span = z
  .string()
  .regex(/^\d{1,4}[hdw]$/, 'must be a span such as 7d, 12h or 2w, or ISO 8601 with an offset');

export const AuditQuery = z.strictObject({
  since: z
    .union([span, moment])
    .default('7d')
    .meta({ description: 'A span until now, or a moment.' }),
  format,
});

export const KeptAuditQuery = z.strictObject({ format });
export const AuditsQuery = z.strictObject(paging);
export const AuditPath = z.object({ id: z.uuid() });
