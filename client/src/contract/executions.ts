import type { ReportSource } from './execution-report.ts';
import type { RunStatus } from './vocabulary.ts';

/** One run in a list. */
export interface ExecutionSummary {
  /** Rollcall's id: stands in every route. */
  id: string;
  /** The id its own system gave it. */
  execution_id: string | null;
  instance_id: string | null;
  session_id: string | null;
  workflow_id: string;
  workflow_name: string | null;
  workflow_version: string | null;
  status: RunStatus;
  mode: string | null;
  started_at: string | null;
  completed_at: string | null;
  /** Milliseconds. */
  duration_ms: number | null;
  /** Who told of it. */
  sources: ReportSource[];
}
