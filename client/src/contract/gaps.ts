import type { EntityType, GapKind, GapSeverity, GapState } from './vocabulary.ts';

/** What may be done about a gap in one call. */
export const FIX_ACTIONS = [
  'register',
  'reparent',
  'detach',
  'set_state',
  'mark_deleted',
  'drop_dependency',
  'mute',
] as const;
export type FixAction = (typeof FIX_ACTIONS)[number];

export interface FixOffer {
  action: FixAction;
  /** One line: what the call will do. */
  summary: string;
  /** Arguments that the call will use when none are given. */
  arguments: Record<string, unknown>;
  /** Arguments that the caller must add. */
  needs: string[];
}

export interface Gap {
  id: string;
  kind: GapKind;
  state: GapState;
  severity: GapSeverity;
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
  muted_until: string | null;
  mute_reason: string | null;
  /** First is the default; empty on a closed gap. */
  fixes: FixOffer[];
}

export interface GapFilter {
  kind?: GapKind;
  state?: GapState;
  severity?: GapSeverity;
  entity_type?: EntityType;
  entity_id?: string;
}

export interface GapCheck {
  checked_at: string;
  duration_ms: number;
  opened: number;
  closed: number;
  open: number;
  muted: number;
  by_kind: Partial<Record<GapKind, number>>;
}

export interface GapFixRequest {
  /** The gap's first offer when left out. */
  action?: FixAction;
  /** For `register`, `reparent`. */
  entity_type?: EntityType;
  entity_name?: string;
  parent_type?: EntityType;
  parent_id?: string;
  /** For `set_state`. */
  new_state?: 'active' | 'inactive' | 'error' | 'archived';
  /** For `mute`. */
  reason?: string;
  until?: string;
}

export interface GapFixResult {
  action: FixAction;
  /** What was done, in one line. */
  summary: string;
  gap: Gap;
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
}
