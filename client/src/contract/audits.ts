import type { EntityState, EntityType, GapKind, GapSeverity } from './vocabulary.ts';

export const AUDIT_FORMATS = ['json', 'md', 'html'] as const;
export type AuditFormat = (typeof AUDIT_FORMATS)[number];

/** What can have happened to the fleet within a time, in the order of the report. */
export const AUDIT_SECTIONS = [
  'appeared',
  'vanished',
  'drifted',
  'silent',
  'other',
  'fixed',
] as const;
export type AuditSectionName = (typeof AUDIT_SECTIONS)[number];

/** One thing that happened. */
export interface AuditItem {
  entity_type: EntityType;
  entity_id: string;
  entity_name: string;
  at: string;
  /** One sentence. */
  what: string;
  /** For gaps; null when the registry tells of it. */
  kind: GapKind | null;
  severity: GapSeverity | null;
  gap_id: string | null;
  /** Who registered or changed it; null where nobody is known. */
  by: string | null;
  /** State now; null when the registry does not know it. */
  current_state: EntityState | null;
  /** Of gaps: whether it is closed by now. */
  closed: boolean;
  /** Path on the server: of the gap, else of the entity. */
  link: string;
}

export interface AuditSection {
  /** All of them, however many are listed. */
  total: number;
  /** Latest first, at most 500. */
  items: AuditItem[];
}

/** A fleet from one moment to another. */
export interface AuditReport {
  /** Inclusive. */
  from: string;
  /** Exclusive. */
  to: string;
  sections: Record<AuditSectionName, AuditSection>;
  /** At the end of the time. */
  fleet: {
    entities: number;
    by_type: Record<string, number>;
    by_state: Partial<Record<EntityState, number>>;
  };
  /** Open at the end of the time, muted ones left out. */
  open: {
    total: number;
    muted: number;
    by_kind: Partial<Record<GapKind, number>>;
    by_severity: Partial<Record<GapSeverity, number>>;
  };
}

/** A report that was kept. */
export interface AuditSummary {
  id: string;
  period_from: string;
  period_to: string;
  created_at: string;
  /** Totals by section. */
  totals: Record<AuditSectionName, number>;
  open_gaps: number;
}

export interface Audit {
  id: string;
  created_at: string;
  report: AuditReport;
}
