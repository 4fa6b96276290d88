import { hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { N8nProject, SyncProgress } from '@rollcall/client/contract';
import { Problem } from '../../platform/problem.ts';
import type { ApiPage, ApiWorkflow, N8nApi } from './n8n-api.ts';

/** What is known from last time. */
export interface Known {
  /** Digests of workflows by id. */
  seen: Record<string, string>;
  /** Whether workflows are read that are as they were. */
  full: boolean;
}

export interface Inventory {
  workflows: number;
  /** Ids of workflows that were known and are not there any more. */
  vanished: string[];
  seen: Record<string, string>;
  /** Whether n8n told the projects. */
  hasProjects: boolean;
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
/** So many that are missing are each asked for: pages shift when something is deleted while they are read. */
const ASKED_AT_MOST = 100;
const PAGES_AT_MOST = 4_000;

/** What a page of workflows says. */
export interface Page<Words> {
  /** Of those that differ from what is known. */
  words: Words[];
  versions: Version[];
}

export interface Version {
  workflow_id: string;
  version_id: string | null;
}

export interface InventorySteps<Words> {
  tell: (news: Partial<SyncProgress>) => Promise<void>;
  read: (workflow: ApiWorkflow, project: N8nProject | undefined) => Words | undefined;
  /** Stores what a page says, while the next one is on its way. */
  apply: (page: Page<Words>) => Promise<void>;
}

/**
 * Lists all workflows of an n8n. One that was there last time and is not listed is asked for by itself before it counts
 * as vanished.
 * @throws Problem as `N8nApi`; `n8n_endless` when pages lead nowhere
 */
export async function readInventory<Words>(
  api: N8nApi,
  { seen, full }: Known,
  { tell, read, apply }: InventorySteps<Words>,
): Promise<Inventory> {
  const projects = await api.listProjects();
  const found = new Map<string, string>();
  let applying = Promise.resolve();

  function take(workflow: ApiWorkflow, { words, versions }: Page<Words>): void {
    const id = String(workflow.id);
    const project = projectOf(workflow, projects);
    const digest = digestOf(workflow, project);
    const isNews = full || !Object.hasOwn(seen, id) || seen[id] !== digest;
    const said = isNews ? read(workflow, project) : undefined;
    if (said !== undefined) words.push(said);
    const { versionId } = workflow;
    const version_id = typeof versionId === 'string' && VERSION.test(versionId) ? versionId : null;
    versions.push({ workflow_id: id, version_id });
    found.set(id, digest);
  }

  async function takeAll(workflows: ApiWorkflow[]): Promise<void> {
    const page: Page<Words> = { words: [], versions: [] };
    for (const workflow of workflows) {
      take(workflow, page);
      // One takes up to some milliseconds, and others wait to be answered.
      await nextTurn();
    }
    await applying;
    applying = apply(page);
    // Whoever waits for it hears of a failure.
    applying.catch(() => undefined);
  }

  let cursor: string | null = null;
  let coming = listPage(api);
  for (let pages = 1; ; pages += 1) {
    const page: ApiPage<ApiWorkflow> = await coming;
    const isLast = page.cursor === null;
    if (!isLast && (page.cursor === cursor || pages >= PAGES_AT_MOST)) throw endless();
    cursor = page.cursor;
    // n8n makes the next page while this one is read.
    if (cursor !== null) coming = listPage(api, cursor);
    await takeAll(page.items);
    await tell({ pages, listed: found.size });
    if (isLast) break;
  }

  const missing = Object.keys(seen).filter((id) => !found.has(id));
  if (missing.length <= ASKED_AT_MOST) {
    for (const id of missing) {
      const workflow = await api.getWorkflow(id).catch(nothing);
      if (workflow) await takeAll([workflow]);
    }
  }
  await applying;
  return {
    workflows: found.size,
    vanished: missing.filter((id) => !found.has(id)),
    seen: Object.fromEntries(found),
    hasProjects: projects !== undefined,
  };
}

/** Whoever waits for it hears of a failure. */
function listPage(api: N8nApi, cursor?: string): Promise<ApiPage<ApiWorkflow>> {
  const page = api.listWorkflows(cursor);
  page.catch(() => undefined);
  return page;
}

function nothing(error: unknown): undefined {
  // Whoever may not read it does not see it any more.
  if (error instanceof Problem && /^n8n_(workflow_not_found|key_lacks_scope)$/.test(error.code)) {
    return undefined;
  }
  throw error;
}

const endless = (): Problem =>
  new Problem(422, 'n8n_endless', {
    detail: 'n8n’s list of workflows does not come to an end: its pages lead back to one another.',
  });

/** Personal projects bear a person's name, which stays out. */
function projectOf(
  { shared }: ApiWorkflow,
  projects: Awaited<ReturnType<N8nApi['listProjects']>>,
): N8nProject | undefined {
  const owner = (Array.isArray(shared) ? (shared as unknown[]) : []).find(
    (share): share is { projectId: string; project?: { name?: unknown; type?: unknown } } =>
      typeof share === 'object' &&
      share !== null &&
      (share as { role?: unknown }).role === 'workflow:owner' &&
      typeof (share as { projectId?: unknown }).projectId === 'string',
  );
  if (!owner || owner.projectId === '' || owner.projectId.length > 255) return undefined;
  const { name, type } = projects?.get(owner.projectId) ?? owner.project ?? {};
  return {
    id: owner.projectId,
    ...(typeof type === 'string' && type !== '' && { type: type.slice(0, 64) }),
    ...(typeof name === 'string' && name && type === 'team' && { name: name.slice(0, 255) }),
  };
}

function digestOf(workflow: ApiWorkflow, project: N8nProject | undefined): string {
  const tags = Array.isArray(workflow.tags)
    ? workflow.tags.map((tag: unknown) => (tag as { name?: unknown } | null)?.name)
    : null;
  const content = JSON.stringify([FIELDS.map((name) => workflow[name]), tags, project]);
  return hash('blake2b512', content, 'base64url').slice(0, 22);
}
