import type { FixOffer } from './gap-fixes.ts';
import type { EntityType, GapGrade, GapKind, GapSeverity, GapState } from './vocabulary.ts';

export interface Gap {
  id: string;
  kind: GapKind;
  state: GapState;
  severity: GapSeverity;
  grade: GapGrade;
  entity_type: EntityType;
  entity_id: string;
  /** Name where the registry has one, else the id. */
  entity_name: string;
  /** One sentence that a person can act on. */
  summary: string;
  evidence: Record<string, unknown>;
  first_seen: string;
  last_seen: string;
  closed_at: string | null;
  /** The gap that explains this one. */
  inhibited_by: string | null;
  /** Gaps that this one explains. */
  inhibits: number;
  muted_until: string | null;
  mute_reason: string | null;
  /** First is the default; empty on a closed gap. */
  fixes: FixOffer[];
}

export const GAP_CHANGES = [
  'opened',
  'closed',
  'reopened',
  'muted',
  'unmuted',
  'severity',
  'grade',
  'inhibited',
  'released',
] as const;
export type GapChange = (typeof GAP_CHANGES)[number];

/** What became of a gap; `from` and `to` are severities, grades, or the gap that explains it. */
export interface GapHistoryEntry {
  at: string;
  change: GapChange;
  from: string | null;
  to: string | null;
  /** As it stood then. */
  evidence: Record<string, unknown> | null;
}

export interface InhibitedGap {
  id: string;
  kind: GapKind;
  entity_type: EntityType;
  entity_id: string;
  summary: string;
  first_seen: string;
}

/** A gap with the latest hundred of its changes, and up to a hundred gaps that it explains. */
export interface GapDetail extends Gap {
  history: GapHistoryEntry[];
  inhibited: InhibitedGap[];
}

export interface GapSimulationRequest {
  /** How far to look ahead: up to 400 days. */
  ahead_seconds: number;
  /** Most items in the answer, the soonest; 1 to 1000, 100 when left out. */
  limit?: number;
}

/** A gap that would open if nothing reported until then. */
export interface ComingGap {
  at: string;
  kind: GapKind;
  entity_type: EntityType;
  entity_id: string;
  severity: GapSeverity;
  grade: GapGrade;
  /** As it would read at `until`. */
  summary: string;
  evidence: Record<string, unknown>;
}

export interface GapSimulation {
  from: string;
  until: string;
  total: number;
  /** Soonest first. */
  items: ComingGap[];
}

export interface GapFilter {
  kind?: GapKind;
  state?: GapState;
  severity?: GapSeverity;
  grade?: GapGrade;
  entity_type?: EntityType;
  entity_id?: string;
  /** Only with `state=inhibited`: those that this gap explains. */
  inhibited_by?: string;
}

export interface GapCheck {
  checked_at: string;
  /** `incremental`: only what may have changed since the last check was looked at. */
  mode: 'full' | 'incremental';
  duration_ms: number;
  opened: number;
  closed: number;
  open: number;
  muted: number;
  inhibited: number;
  cannot_tell: number;
  by_kind: Partial<Record<GapKind, number>>;
}

export interface GapMuteRequest {
  reason: string;
  /** ISO 8601 in the future. */
  until: string;
}

/** Limits for one entity type; `*` speaks for every type without a rule of its own. */
export interface GapRule {
  entity_type: string;
  needs_parent: boolean;
  silent_after_seconds: number;
  stuck_after_seconds: number;
  /** Beyond what a schedule or history leads to expect; kept when left out, 300 in a new rule. */
  grace_seconds?: number;
}
