import type { ExecutionDetail } from './executions.ts';
import type {
  EntityState,
  GapKind,
  GapSeverity,
  HealthStatus,
  Protocol,
  RunStatus,
} from './vocabulary.ts';

/** What can be watched. Each is also the name of its events. */
export const LIVE_TOPICS = ['executions', 'telemetry', 'registry', 'gaps'] as const;
export type LiveTopic = (typeof LIVE_TOPICS)[number];

/** Runs that began, went on or ended. Their rows are read where they are needed. */
export interface LiveExecutions {
  executions: { id: string; workflow_id: string; status: RunStatus }[];
}

/** Telemetry that was stored since the last such event, at most one event a second and server. */
export interface LiveTelemetry {
  accepted: number;
  /** Of these, with the status error or timeout. */
  errors: number;
  by_protocol: Partial<Record<Protocol, number>>;
}

/** An entity was registered, or its state or health changed. */
export interface LiveRegistry {
  entity_type: string;
  entity_id: string;
  /** Null when it was registered just now. */
  from_state: EntityState | null;
  to_state: EntityState;
  from_health: HealthStatus | null;
  to_health: HealthStatus;
  reason: string | null;
}

/** Gaps that a check opened or closed, at most a hundred an event. */
export interface LiveGaps {
  gaps: {
    id: string;
    change: 'opened' | 'closed';
    kind: GapKind;
    severity: GapSeverity;
    entity_type: string;
    entity_id: string;
  }[];
}

/** First in every stream of the fleet: from here on it is complete. */
export interface LiveReady {
  topics: LiveTopic[];
}

/** Something may have been missed: read again what is shown. The stream goes on from here. */
export interface LiveReset {
  /** What was seen last is kept no more, or is no event id of this server's database. */
  reason: 'too_old' | 'unknown_id';
}

/** Last in a stream that the server ends; with `retry` false, connecting again leads nowhere. */
export interface LiveClosed {
  /** As in problem documents, such as `shutting_down` or `invalid_key`. */
  code: string;
  retry: boolean;
}

/** Event names of `GET /api/v1/live` and what each carries. */
export interface LiveEvents {
  ready: LiveReady;
  executions: LiveExecutions;
  telemetry: LiveTelemetry;
  registry: LiveRegistry;
  gaps: LiveGaps;
  reset: LiveReset;
  closed: LiveClosed;
}

/** What is new about a run: the fields that changed, and of its nodes' runs those that are new or changed. */
export type LiveExecutionChange = Partial<ExecutionDetail> & Pick<ExecutionDetail, 'id'>;

/** Event names of `GET /api/v1/executions/{id}/live` and what each carries. */
export interface LiveExecutionEvents {
  /** First. */
  execution: ExecutionDetail;
  change: LiveExecutionChange;
  /** Last: it has come to its end. */
  end: Pick<ExecutionDetail, 'id' | 'status'>;
  closed: LiveClosed;
}
