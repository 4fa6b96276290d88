import { hash } from 'node:crypto';
import type { EntityState, HealthStatus, N8nProject } from '@rollcall/client/contract';
import { Problem } from '../../../platform/problem.ts';
import type { Outline } from '../outline.ts';
import { readFacts } from '../read-workflow.ts';
import { storable } from './fields.ts';
import type { Word, WorkflowFacts, WorkflowWords } from './heard.ts';

/** What somebody says of a workflow; what is left out is not said. */
export interface WorkflowSaying {
  workflow_id: string;
  /** Whether the workflow is there by this; not so when it is told to be gone. */
  present: boolean;
  /** Whether the registry takes it up from this alone. */
  register?: boolean;
  name?: string;
  description?: string;
  state?: EntityState;
  /** What makes the state so, such as `workflow.activated`. */
  cause?: string;
  health?: HealthStatus;
  version_id?: string;
  active_version_id?: string | null;
  project?: N8nProject;
  tags?: string[];
  trigger_count?: number;
  node_count?: number;
  inventory?: string;
  /** Null when the definition is known to have changed, but not to what. */
  definition?: string | null;
  /** What the definition says, where it has been read. */
  facts?: WorkflowFacts;
  /** n8n workflow JSON, as much of it as there is; to be read for its facts. */
  json?: Record<string, unknown>;
  /** Of the definition as n8n stores it. */
  outline?: Outline;
}

/** Where two events are of one moment, the state that takes more to get to. */
const STATE_RANKS: Partial<Record<EntityState, number>> = {
  inactive: 1,
  active: 2,
  archived: 3,
  deleted: 4,
};

const PLAIN = [
  'name',
  'description',
  'health',
  'version_id',
  'active_version_id',
  'project',
  'tags',
  'trigger_count',
  'node_count',
  'inventory',
  'definition',
] as const satisfies (keyof WorkflowSaying)[];

/**
 * A saying as words of one moment. `rank`: of words of the same moment, the higher ones hold; an inventory's are 0, an
 * event's 1.
 */
export function wordsOf(saying: WorkflowSaying, at: string, rank: 0 | 1): WorkflowWords {
  const micros = Date.parse(at) * 1000;
  const said: Record<string, Word> = {};
  for (const field of PLAIN) {
    if (saying[field] !== undefined) said[field] = [micros, rank, saying[field]];
  }
  const { state, cause = 'told', json, outline } = saying;
  if (state) said.state = [micros, rank * (STATE_RANKS[state] ?? 1), state, cause];
  if (saying.present) said.present = [micros, rank, true];
  if (saying.present && saying.register) said.register = [micros, rank, true];
  const facts = saying.facts ?? (json && factsOf(json));
  if (facts) said.facts = [micros, rank, hashOf(facts)];
  return {
    workflow_id: saying.workflow_id,
    said,
    ...(facts && { facts }),
    ...(outline && { outline }),
  };
}

/** What a definition says; nothing when it is none, so that the rest of the event is kept. */
function factsOf(json: Record<string, unknown>): WorkflowFacts | undefined {
  try {
    const { capabilities, dependencies, metadata } = readFacts(json);
    return storableJson({ capabilities, dependencies, metadata }) as WorkflowFacts;
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

export const storableFacts = ({ capabilities, dependencies, metadata }: WorkflowFacts) =>
  storableJson({ capabilities, dependencies, metadata }) as WorkflowFacts;

const hashOf = (facts: WorkflowFacts): string => hash('sha256', JSON.stringify(facts), 'base64url');

function storableJson(value: unknown): unknown {
  if (typeof value === 'string') return storable(value, Infinity);
  if (Array.isArray(value)) return value.map(storableJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [storable(key, Infinity), storableJson(child)]),
  );
}
