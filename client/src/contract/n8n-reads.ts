import type { N8nProject } from './n8n.ts';
import type { EntityState } from './vocabulary.ts';

/** An n8n instance, as its own words tell. */
export interface N8nInstance {
  instance_id: string;
  n8n_version: string | null;
  first_seen: string;
  last_seen: string;
  /** When the latest inventory began that came whole. */
  inventoried_at: string | null;
  workflows: { total: number; active: number; archived: number; deleted: number };
  /** Latest word first. */
  processes: N8nProcess[];
}

/** The hooks in one process of n8n. */
export interface N8nProcess {
  role: string;
  started_at: string;
  reported_at: string;
  hooks_version: string;
  n8n_version: string | null;
  /** As in `N8nHooksStatusEvent`, without `started_at`. */
  hooks: Record<string, unknown>;
}

/** A workflow as n8n has it. Whether it is unreported, missing or drifted is for gap checks to say. */
export interface N8nKnownWorkflow {
  /** Null where nobody said which instance has it. */
  instance_id: string | null;
  workflow_id: string;
  name: string | null;
  state: EntityState | null;
  state_at: string | null;
  /** What made it so, such as `workflow.activated` or `inventory`. */
  state_cause: string | null;
  active: boolean;
  archived: boolean;
  deleted_at: string | null;
  version_id: string | null;
  active_version_id: string | null;
  /** Of the definition as n8n stores it; null where that is not known. */
  definition_hash: string | null;
  project: N8nProject | null;
  tags: string[];
  trigger_count: number | null;
  node_count: number | null;
  /** The latest inventory that it stood in. */
  inventory_id: string | null;
  first_seen: string;
  /** When n8n spoke of it last. */
  seen_at: string | null;
  /** Whether the registry has it. */
  registered: boolean;
}

export interface N8nWorkflowFilter {
  instance_id?: string;
  workflow_id?: string;
  active?: boolean;
  archived?: boolean;
  deleted?: boolean;
  text?: string;
}

/** `applied`: it changed what is known; `noted`: known, and counted only; `unknown`: counted, with samples. */
export const N8N_HANDLINGS = ['applied', 'noted', 'unknown'] as const;
export type N8nHandling = (typeof N8N_HANDLINGS)[number];

export interface N8nEventCount {
  name: string;
  instance_id: string | null;
  handling: N8nHandling;
  events: number;
  /** By the clock of n8n. */
  first_seen: string;
  last_seen: string;
  /** Of unknown events the latest few, redacted, newest first. */
  samples: { at: string; event: unknown }[];
}

export interface N8nEventFilter {
  instance_id?: string;
  handling?: N8nHandling;
}
