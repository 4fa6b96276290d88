import type { Gap, GapCheck, GapFilter } from './gaps.ts';
import type { EntityReference } from './registry.ts';
import type { EntityType, GapKind } from './vocabulary.ts';

/** What may be done about a gap in one call. */
export const FIX_ACTIONS = [
  'register',
  'reparent',
  'detach',
  'set_state',
  'mark_deleted',
  'drop_dependency',
  'accept_drift',
  'reactivate',
  'restore',
  'instrument',
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

/** How to do it; the same for one gap and for many. */
export interface FixChoice {
  /** The gap's first offer when left out. */
  action?: FixAction;
  /** Answers what it would change, and changes nothing. */
  dry_run?: boolean;
  /** For `register`. */
  entity_type?: EntityType;
  /** For `reparent`. */
  parent_type?: EntityType;
  parent_id?: string;
  /** For `set_state`. */
  new_state?: 'active' | 'inactive' | 'error' | 'archived';
  /** For `instrument`: name of the Rollcall credential in n8n; `Rollcall` when left out. */
  credential?: string;
  /** For `mute`. */
  reason?: string;
  until?: string;
}

export interface GapFixRequest extends FixChoice {
  /** For `register`. */
  entity_name?: string;
}

/** One field of one entity; in n8n, such as `nodes.Rollcall start`, `connections.Webhook` or `active`. */
export interface FixChange {
  entity: EntityReference;
  field: string;
  from: unknown;
  to: unknown;
}

/**
 * `pending`: n8n was asked to, and its answer is not known; it can be retried or undone. `failed`: nothing was changed.
 */
export const FIX_STATUSES = ['pending', 'done', 'failed', 'undone'] as const;
export type FixStatus = (typeof FIX_STATUSES)[number];

export interface GapFixResult {
  action: FixAction;
  /** What was done, in one line. */
  summary: string;
  dry_run: boolean;
  /** For the undo; null after a dry run. */
  fix_id: string | null;
  status: FixStatus | null;
  changes: FixChange[];
  /** As the check after the fix found it, or would find it. */
  gap: Gap;
}

/** A fix in the record. */
export interface GapFix {
  id: string;
  gap_id: string;
  kind: GapKind;
  entity_type: EntityType;
  entity_id: string;
  action: FixAction;
  summary: string;
  arguments: Record<string, unknown>;
  /** Name of the key that did it. */
  actor: string;
  at: string;
  status: FixStatus;
  /** Why it is pending, or failed. */
  error: string | null;
  changes: FixChange[];
  finished_at: string | null;
  undone_at: string | null;
  undone_by: string | null;
}

export interface GapFixFilter {
  gap_id?: string;
  kind?: GapKind;
  action?: FixAction;
  status?: FixStatus;
  entity_type?: EntityType;
  entity_id?: string;
  /** At or after, ISO 8601. */
  from?: string;
  /** Before. */
  to?: string;
}

/** Answer to an undo, and to a retry. */
export interface GapFixOutcome {
  fix: GapFix;
  gap: Gap;
}

export interface BulkFixRequest extends FixChoice {
  /** Which gaps; open ones unless `state` says otherwise. */
  filter: GapFilter;
  /** At most 1,000, which is the default; of fixes in n8n 20. */
  limit?: number;
  /** `next_cursor` of the answer before. */
  cursor?: string;
}

export interface BulkFixItem {
  gap_id: string;
  kind: GapKind;
  entity_type: EntityType;
  entity_id: string;
  status: 'fixed' | 'refused';
  /** Of a refusal: stable code and reason. */
  code: string | null;
  message: string | null;
  action: FixAction | null;
  summary: string | null;
  /** For the undo; null after a dry run. */
  fix_id: string | null;
  changes: FixChange[];
}

export interface BulkFixResult {
  dry_run: boolean;
  fixed: number;
  refused: number;
  items: BulkFixItem[];
  /** More gaps fit; null when these were the last. */
  next_cursor: string | null;
  /** What the check after the fixes found, or would find; null after a dry run of fixes in n8n. */
  check: GapCheck | null;
}
