/** What the operator knows of an n8n's own record of executions: verdicts on silence depend on it. */
export interface EvidenceFlags {
  /** Only a share of the executions is reported. */
  sampled: boolean;
  /** Manual executions are not reported. */
  production_only: boolean;
  /** n8n does not save executions that succeed. */
  saves_no_success: boolean;
  /** Hours after which n8n deletes executions; null when it keeps them. */
  prunes_after: number | null;
}

export interface ConnectionRequest extends Partial<EvidenceFlags> {
  /** Where n8n is: `https://n8n.example.com`, with its path where it has one. */
  base_url: string;
  /** Of n8n (Settings, n8n API). Encrypted at rest, never shown again. */
  api_key: string;
  /** The host of `base_url` when left out. */
  name?: string;
  labels?: string[];
  /** Between two inventories; 300 when left out. */
  interval_seconds?: number;
  /** No inventory but those that are asked for. */
  paused?: boolean;
  /** n8n's own id, as its hooks and traces tell it. Found by evidence when left out. */
  instance_id?: string;
  /** Whether n8n is asked now whether address and key are right; true when left out. */
  check?: boolean;
}

export type ConnectionChanges = Partial<ConnectionRequest>;

export const SYNC_STATES = ['idle', 'queued', 'running'] as const;
export type SyncState = (typeof SYNC_STATES)[number];

export const SYNC_PHASES = ['workflows', 'applying', 'executions'] as const;
export type SyncPhase = (typeof SYNC_PHASES)[number];

/** How far an inventory has come. */
export interface SyncProgress {
  phase: SyncPhase;
  /** Of workflows, as n8n answered them. */
  pages: number;
  /** Workflows that n8n has told so far. */
  listed: number;
  /** Workflows that have been applied. */
  applied: number;
  /** How many are to be applied; null while they are being listed. */
  total: number | null;
  executions: number;
}

export interface SyncResult {
  /** `full`: every workflow was applied; `delta`: those that differ from last time. */
  kind: 'full' | 'delta';
  workflows: number;
  applied: number;
  /** Ids of workflows that n8n no longer has, at most 100. */
  vanished: string[];
  vanished_count: number;
  executions: number;
  /** More executions had come since last time than are read at once. */
  executions_truncated: boolean;
  /** Whether n8n told the projects of workflows, which needs a licence. */
  projects: boolean;
  duration_ms: number;
}

export interface ConnectionSync {
  id: string | null;
  state: SyncState;
  requested_at: string | null;
  started_at: string | null;
  progress: SyncProgress | null;
}

export interface Connection extends EvidenceFlags {
  id: string;
  name: string;
  base_url: string;
  /** The last 4 characters of the API key. */
  key_hint: string;
  labels: string[];
  interval_seconds: number;
  paused: boolean;
  /** Under which instance its workflows and executions stand; `connection:<id>` while that is not known. */
  instance_id: string;
  /** Who says so. */
  instance_by: 'operator' | 'evidence' | 'unknown';
  project_id: string;
  created_at: string;
  created_by: string;
  updated_at: string;
  sync: ConnectionSync;
  /** When an inventory last came to its end. */
  synced_at: string | null;
  next_sync_at: string | null;
  last_result: SyncResult | null;
  /** Why the latest inventory did not; null when it did. */
  last_error: { code: string; detail: string; at: string } | null;
  workflows: { total: number; active: number; gone: number };
}

/** An inventory that was asked for. */
export interface SyncJob {
  id: string;
  connection_id: string;
  state: SyncState;
  requested_at: string;
}
