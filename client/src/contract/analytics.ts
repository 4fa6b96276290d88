import type { EntityState, EntityType, GapKind, HealthStatus, Protocol } from './vocabulary.ts';

/** Latencies in milliseconds, within 2 % of the true quantile; `null` when nothing was timed. */
export interface Latency {
  avg_ms: number | null;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  max_ms: number | null;
}

export interface ProtocolTotals extends Latency {
  protocol: Protocol;
  calls: number;
  errors: number;
  /** 0 to 1. */
  error_rate: number;
  tokens_used: number;
}

export interface Overview {
  /** Start of the window, ISO 8601. */
  since: string;
  window_seconds: number;
  totals: Omit<ProtocolTotals, 'protocol'>;
  protocols: ProtocolTotals[];
  entities: {
    total: number;
    /** 0 to 1; `null` with no entity. */
    healthy_share: number | null;
    by_state: Partial<Record<EntityState, number>>;
    by_health: Partial<Record<HealthStatus, number>>;
    by_type: Record<EntityType, number>;
  };
  gaps: { open: number; muted: number; by_kind: Partial<Record<GapKind, number>> };
}

/** One source calling one target over one protocol. */
export interface CommunicationPattern extends Latency {
  source_id: string;
  target_id: string;
  protocol: Protocol;
  calls: number;
  errors: number;
  error_rate: number;
  tokens_used: number;
  last_seen: string;
}

/** One source calling one target, over whatever protocols. */
export interface CommunicationPair extends Omit<CommunicationPattern, 'protocol'> {
  protocols: Protocol[];
}
