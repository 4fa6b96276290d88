import type {
  Audit,
  AuditItem,
  AuditReport,
  AuditSectionName,
  AuditSummary,
} from '@rollcall/client/contract';
import { AUDIT_SECTIONS } from '@rollcall/client/contract';
import type { Database } from '../../platform/database/port.ts';
import type { Rows } from '../../platform/http/page.ts';

type Unlinked = Omit<AuditReport, 'sections'> & {
  sections: Record<AuditSectionName, { total: number; items: Omit<AuditItem, 'link'>[] }>;
};

/** Items that a section lists. */
const MOST_ITEMS = 500;

export const auditReportStore = (database: Database) => ({
  report: async (tenant: string, from: Date, now: Date): Promise<AuditReport> =>
    withLinks(
      await database.call<Unlinked>('audit_report', {
        p_tenant: tenant,
        p_from: from.toISOString(),
        p_now: now.toISOString(),
        p_most: MOST_ITEMS,
      }),
    ),

  /** The id of the report that was kept now; `null` when the week's is there already. */
  keepWeekly: (tenant: string, now: Date) =>
    database.call<string | null>('keep_weekly_audit', {
      p_tenant: tenant,
      p_now: now.toISOString(),
      p_most: MOST_ITEMS,
    }),

  list: (tenant: string, limit: number, after: unknown[] | null) =>
    database.call<Rows<AuditSummary>>('list_audits', {
      p_tenant: tenant,
      p_limit: limit,
      p_after: after,
    }),

  get: async (tenant: string, audit: string): Promise<Audit> => {
    const kept = await database.call<Omit<Audit, 'report'> & { report: Unlinked }>('get_audit', {
      p_tenant: tenant,
      p_audit: audit,
    });
    return { ...kept, report: withLinks(kept.report) };
  },
});

export type AuditReportStore = ReturnType<typeof auditReportStore>;

function withLinks(report: Unlinked): AuditReport {
  const sections = {} as AuditReport['sections'];
  for (const name of AUDIT_SECTIONS) {
    const { total, items } = report.sections[name];
    sections[name] = { total, items: items.map((item) => ({ ...item, link: linkOf(item) })) };
  }
  return { ...report, sections };
}

const linkOf = ({ gap_id, entity_type, entity_id }: Omit<AuditItem, 'link'>): string =>
  gap_id
    ? `/api/v1/gaps/${gap_id}`
    : `/api/v1/entities/${encodeURIComponent(entity_type)}/${encodeURIComponent(entity_id)}`;
