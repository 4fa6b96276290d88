import type { EntityType } from './vocabulary.ts';

/**
 * What a limit on silence follows from: `limit`, the entity's own `silent_after_seconds`; `schedule`, the triggers in its
 * workflow; `learned`, its history; `history`, a history that is too short to tell; `rule`, the limit of its type.
 */
export const CADENCE_BASES = ['limit', 'schedule', 'learned', 'history', 'rule'] as const;
export type CadenceBasis = (typeof CADENCE_BASES)[number];

/** How often an entity speaks, and by when it has to again. */
export interface Cadence {
  entity_type: EntityType;
  entity_id: string;
  /** Null for what is not active: nothing is expected of it. */
  basis: CadenceBasis | null;
  last_activity: string | null;
  /** When the next sign of life is due. */
  expected_at: string | null;
  /** That, and the grace: from then on it is silent. */
  silent_at: string | null;
  grace_seconds: number | null;
  /** Rules of its schedules that could be read. */
  schedule_rules: number;
  /** Zone of its schedules; null where neither the workflow nor its instance names one. */
  timezone: string | null;
  longest_gap_seconds: number | null;
  /** Pauses between two arrivals that were learned from, and their quantiles. */
  samples: number;
  p50_seconds: number | null;
  p95_seconds: number | null;
  p99_seconds: number | null;
  /** 0 to 1; below 0.5 silence proves nothing. */
  confidence: number | null;
  /** Share of weeks with an arrival, for each hour of the week in UTC from Monday 00:00. */
  hour_of_week: number[] | null;
  computed_at: string | null;
}

/** Zone of an instance's schedules whose workflows name none; null: not known. */
export interface InstanceTimezone {
  instance_id: string;
  /** IANA name, such as Europe/Berlin. */
  timezone: string | null;
}
