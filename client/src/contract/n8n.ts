import type { NodeHashes } from './definition-hash.ts';
import type { ExecutionReport } from './execution-report.ts';
import type { BatchResult } from './telemetry.ts';

/**
 * One node of a workflow, with the few fields that capabilities, dependencies and schedules are read
 * from. What else stands in the node has not left n8n.
 */
export interface N8nNode {
  id?: string;
  name: string;
  type: string;
  typeVersion?: number;
  disabled?: true;
  webhookId?: string;
  /**
   * A choice of the node's own, in n8n's shape: cadence of triggers, webhook paths, called workflows and MCP
   * servers, model names. An expression stands as `={{}}`: what it says has not left n8n.
   */
  parameters?: Record<string, unknown>;
  /** Types of the credentials, as keys of empty objects: no id, no name, no value. */
  credentials?: Record<string, Record<string, never>>;
  /** Of what else stands in the node; with `definition: 'stored'` only. */
  hashes?: NodeHashes;
}

/** By source node, by type of connection, by output: the nodes that it leads to. */
export type N8nConnections = Record<
  string,
  Record<string, { node: string; type?: string; index?: number }[][]>
>;

export interface N8nProject {
  id: string;
  /** Left out for personal projects, whose name is a person's. */
  name?: string;
  type?: string;
}

/** What n8n knows of a workflow. Everything but the id is left out where the hook did not tell it. */
export interface N8nWorkflow {
  id: string;
  name?: string;
  /** Whether n8n had it published; in `workflow.activated` and `.deactivated` the kind says so instead. */
  active?: boolean;
  is_archived?: boolean;
  version_id?: string;
  /** Version that is published; null when none is. */
  active_version_id?: string | null;
  trigger_count?: number;
  created_at?: string;
  updated_at?: string;
  /** Names. */
  tags?: string[];
  project?: N8nProject;
  /** Without sticky notes. */
  node_count?: number;
  nodes?: N8nNode[];
  connections?: N8nConnections;
  settings?: { errorWorkflow?: string; timezone?: string; executionTimeout?: number };
  /**
   * `stored`: nodes and `definition_hash` are those of the definition as n8n stores it. `partial`: there was
   * too much of it, so nodes are missing. Left out: this event says nothing of the definition.
   */
  definition?: 'stored' | 'partial';
  /**
   * `sha256:<hex>` over all of the stored definition, by the rules of `definitionHash`; not over the fields above.
   * Only with `definition: 'stored'`.
   */
  definition_hash?: string;
}

export const N8N_WORKFLOW_KINDS = [
  'workflow.created',
  'workflow.updated',
  'workflow.activated',
  'workflow.deactivated',
  'workflow.archived',
  'workflow.unarchived',
  'workflow.deleted',
] as const;
export type N8nWorkflowKind = (typeof N8N_WORKFLOW_KINDS)[number];

export const N8N_EVENT_KINDS = [
  ...N8N_WORKFLOW_KINDS,
  'execution.started',
  'execution.finished',
  'inventory',
  'hooks.status',
] as const;
export type N8nEventKind = (typeof N8N_EVENT_KINDS)[number];

interface N8nEventOrigin {
  /** UUID; a retry carries the same one and is never counted twice. */
  id: string;
  /** ISO 8601, by n8n's clock. */
  occurred_at: string;
  /** As in n8n's traces (`n8n.instance.id`); the same for all processes of one n8n. */
  instance_id: string;
  /** Which of its processes tells. */
  instance_role?: 'main' | 'worker' | 'webhook' | 'cli';
  n8n_version?: string;
  hooks_version: string;
}

export interface N8nWorkflowEvent extends N8nEventOrigin {
  kind: N8nWorkflowKind;
  workflow: N8nWorkflow;
  /** Who did it, where n8n says: the global role, and nothing that names a person. */
  actor?: { role: string };
}

/**
 * A run that began, or that came to its end or to a stop on the way: `report.status` says which (`waiting` may come,
 * and the end later). Without items, stacks and addresses; error messages clipped and redacted.
 */
export interface N8nExecutionEvent extends N8nEventOrigin {
  kind: 'execution.started' | 'execution.finished';
  report: ExecutionReport;
}

/**
 * What n8n has stored, page by page. Workflows that no page of a complete inventory names, and that were not created
 * after it began, are gone. Pages may arrive in any order, and more than once.
 */
export interface N8nInventoryEvent extends N8nEventOrigin {
  kind: 'inventory';
  inventory: {
    /** UUID, the same for all of its pages. */
    id: string;
    /** When the first page was read, ISO 8601. */
    started_at: string;
    /** From 1. */
    page: number;
    /** How many there are: on the last page only. */
    pages?: number;
    /** On the last page, when every workflow of the instance stood in one of the pages. */
    complete: boolean;
    workflows: N8nWorkflow[];
  };
}

/** How the hooks themselves are doing; counts are since the process started. */
export interface N8nHooksStatusEvent extends N8nEventOrigin {
  kind: 'hooks.status';
  hooks: {
    when: 'ready' | 'periodic' | 'stop';
    /** Of this process, ISO 8601: counts start again with it. */
    started_at: string;
    accepted: number;
    /** Events the server refused. */
    rejected: number;
    /** Events that were given up: the queue was full, or sending them failed for good. */
    dropped: number;
    /** Events that wait, and their size. */
    queued: number;
    queued_bytes: number;
    /** Requests that failed. */
    failed_requests: number;
    /** Errors within the hooks; each is swallowed and counted. */
    errors: number;
    last_error?: string;
  };
}

/** One event of the hooks package; `POST /api/v1/n8n/webhook` takes one, an array, or NDJSON. */
export type N8nLifecycleEvent =
  N8nWorkflowEvent | N8nExecutionEvent | N8nInventoryEvent | N8nHooksStatusEvent;

/** Answer to `POST /api/v1/n8n/webhook`: 200 when any event was kept, 422 when none was. */
export type N8nWebhookResult = BatchResult;
