import type {
  BatchItemResult,
  ExecutionReport,
  N8nHandling,
  TelemetryEvent,
} from '@rollcall/client/contract';
import type { Redactor } from '../../../platform/redact.ts';
import type { Outline } from '../outline.ts';

/** [microseconds since 1970, rank where two are of one moment, value, ...]: the greatest is what holds. */
export type Word = [number, number, ...unknown[]];

/** What an event says of a workflow, field by field. */
export interface WorkflowWords {
  workflow_id: string;
  said: Record<string, Word>;
  /** What its definition says of it, for the registry. */
  facts?: WorkflowFacts;
  /** What its definition looks like, where that is known whole. */
  outline?: Outline;
}

export interface WorkflowFacts {
  capabilities: string[];
  dependencies: { entity_type: string; entity_id: string }[];
  metadata: Record<string, unknown>;
}

/** A page of an inventory that came. */
export interface InventoryPage {
  inventory_id: string;
  started_at: string;
  page: number;
  /** Only when nothing was left out. */
  pages: number | null;
}

/** The hooks in one process. */
export interface HooksProcess {
  role: string;
  started_at: string;
  hooks_version: string;
  hooks: Record<string, unknown>;
}

/** What one item of a request means. */
export interface Heard {
  /** Under which it is counted. */
  name: string;
  handling: N8nHandling;
  /** When it happened, ISO 8601 in UTC. */
  at: string;
  /** Its id as the sender made it; answers name it. */
  id?: string;
  /** By what the same event is known when it comes again: `id`, or else its content. Left out: it is never the same. */
  identity?: string;
  instance_id?: string;
  n8n_version?: string;
  reports?: ExecutionReport[];
  telemetry?: TelemetryEvent[];
  workflows?: WorkflowWords[];
  page?: InventoryPage;
  process?: HooksProcess;
}

/** Why an item is refused. */
export type Refusal = Required<Pick<BatchItemResult, 'code' | 'path' | 'message'>>;

/** What reading an item takes beside the item. */
export interface Reading {
  now: Date;
  redactor: Redactor;
  /** Instance that a request names for all items that do not know theirs. */
  instance_id?: string;
}

export type Fields = Record<string, unknown>;

export const isRefusal = (read: Heard | Refusal): read is Refusal => 'code' in read;
