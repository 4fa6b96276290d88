import { instrumentWorkflow, uninstrumentWorkflow, type InsertedNode } from './instrument.ts';
import { copyWorkflow } from './workflow.ts';

/** What `POST /api/v1/workflows/instrument` is asked. */
export interface InstrumentRequest {
  /** n8n workflow JSON, as exported. */
  workflow: Record<string, unknown>;
  options?: {
    /** Name of the *Rollcall API* credential in n8n; `Rollcall` when left out. */
    credential?: string;
    /** Its id in n8n, where it is known. */
    credential_id?: string;
    /** Whether each run registers the workflow; true when left out. */
    register?: boolean;
  };
  /** Takes out what instrumenting has put in. */
  remove?: boolean;
}

export interface InstrumentResult {
  /** The request's, with Rollcall's nodes in it, or without them. */
  workflow: Record<string, unknown>;
  /** Whether it differs from the request's. */
  changed: boolean;
  /** What was put in. */
  inserted: InsertedNode[];
  /** Names of nodes that were taken out. */
  removed: string[];
}

/**
 * Instruments a workflow, or takes out what instrumenting has put in, and says what that changed. Pure.
 *
 * @throws {WorkflowFormatError}
 */
export function editWorkflow({
  workflow,
  options = {},
  remove = false,
}: InstrumentRequest): InstrumentResult {
  const given = copyWorkflow(workflow);
  const { credential, credential_id: credentialId, register } = options;
  const done = remove
    ? { workflow: uninstrumentWorkflow(given), inserted: [] }
    : instrumentWorkflow(given, { credential, credentialId, register });
  const left = new Set(done.workflow.nodes.map(({ name }) => name));
  const removed = given.nodes.map(({ name }) => name).filter((name) => !left.has(name));
  return { ...done, removed, changed: done.inserted.length + removed.length > 0 };
}
