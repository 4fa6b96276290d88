import { hash } from 'node:crypto';
import type { N8nProject } from '@rollcall/client/contract';
import { storedWorkflow } from './stored-workflows.ts';
import { field, id, isFields } from './webhook/fields.ts';
import type { WorkflowWords } from './webhook/heard.ts';

/** What the pages of one inventory are read with. */
export interface PageReading {
  /** The moment they speak of, ISO 8601. */
  at: string;
  /** UUID of the inventory. */
  inventory: string;
  /** Digests of workflows by id, as they were last time. */
  seen: Record<string, string>;
  /** Whether workflows are read that are as they were. */
  full: boolean;
  /** By id; undefined where n8n does not tell them. */
  projects: ReadonlyMap<string, { name: string; type: string }> | undefined;
}

/** A workflow that stands in a page. */
export interface StoredWorkflow {
  workflow_id: string;
  version_id: string | null;
  /** Differs when something in it does that matters here. */
  digest: string;
  /** Left out when it is as it was. */
  words?: WorkflowWords;
}

/** What makes a difference in a workflow as n8n's API answers it; static data changes with every poll of a trigger. */
const FIELDS = [
  'id',
  'name',
  'active',
  'isArchived',
  'versionId',
  'activeVersionId',
  'triggerCount',
  'nodes',
  'connections',
  'settings',
] as const;
const VERSION = /^[\w-]{1,64}$/;

/** The workflows of a page as n8n's API answers it; undefined when it is no such page. */
export function workflowsIn(text: string): unknown[] | undefined {
  try {
    const data = field(JSON.parse(text), 'data');
    return Array.isArray(data) ? (data as unknown[]) : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined without an id: it is nobody's. */
export function readStored(
  workflow: unknown,
  { at, inventory, seen, full, projects }: PageReading,
): StoredWorkflow | undefined {
  const workflow_id = id(workflow, 'id');
  if (!isFields(workflow) || workflow_id === undefined) return undefined;
  const project = projectOf(workflow, projects);
  const digest = digestOf(workflow, project);
  const { versionId } = workflow;
  const version_id = typeof versionId === 'string' && VERSION.test(versionId) ? versionId : null;
  const isNews = full || !Object.hasOwn(seen, workflow_id) || seen[workflow_id] !== digest;
  const words = isNews ? storedWorkflow(workflow, at, project, inventory) : undefined;
  return { workflow_id, version_id, digest, ...(words && { words }) };
}

/** Personal projects bear a person's name, which stays out. */
function projectOf(
  { shared }: Record<string, unknown>,
  projects: PageReading['projects'],
): N8nProject | undefined {
  const owner = (Array.isArray(shared) ? (shared as unknown[]) : []).find(
    (share) =>
      field(share, 'role') === 'workflow:owner' && typeof field(share, 'projectId') === 'string',
  );
  const projectId = field(owner, 'projectId');
  if (typeof projectId !== 'string' || projectId === '' || projectId.length > 255) return undefined;
  const told = projects?.get(projectId) ?? field(owner, 'project');
  const [name, type] = [field(told, 'name'), field(told, 'type')];
  return {
    id: projectId,
    ...(typeof type === 'string' && type !== '' && { type: type.slice(0, 64) }),
    ...(typeof name === 'string' && name && type === 'team' && { name: name.slice(0, 255) }),
  };
}

function digestOf(workflow: Record<string, unknown>, project: N8nProject | undefined): string {
  const tags = Array.isArray(workflow.tags)
    ? workflow.tags.map((tag: unknown) => (tag as { name?: unknown } | null)?.name)
    : null;
  const content = JSON.stringify([FIELDS.map((name) => workflow[name]), tags, project]);
  return hash('blake2b512', content, 'base64url').slice(0, 22);
}
