import type { N8nWorkflow } from '../../client/src/contract/index.ts';
import { field, id } from './read.ts';
import { pickStoredWorkflow } from './workflow.ts';

/** What is used of the repository of workflows that n8n hands to hooks (TypeORM). */
interface Workflows {
  find(options: object): Promise<unknown[]>;
}

export interface InventoryPage {
  /** From 1. */
  page: number;
  /** On the last page, when nothing was left out. */
  pages?: number;
  complete: boolean;
  workflows: N8nWorkflow[];
  /** When this page's first workflow was read. */
  readAt: string;
}

/** Workflows that are held at once: pinned data aside, one may take megabytes. */
const AT_ONCE = 20;
const PAGE_CHARACTERS = 300_000;
const MOST_WORKFLOWS = 100_000;

const COLUMNS = [
  'id',
  'name',
  'active',
  'isArchived',
  'versionId',
  'activeVersionId',
  'triggerCount',
  'createdAt',
  'updatedAt',
  'nodes',
  'connections',
  'settings',
];

/** From the fullest question to the plainest: versions of n8n differ in what they have. */
const QUESTIONS = [
  { select: COLUMNS, relations: ['tags', 'shared', 'shared.project'] },
  { relations: ['tags', 'shared', 'shared.project'] },
  { relations: ['tags'] },
  {},
];

/**
 * Reads every workflow that n8n has stored, a few at a time, and hands them on in pages; the last one says whether it
 * was all. `goOn` is asked before each page and may wait; false ends it early.
 *
 * @throws what the database throws; no page says `complete` then
 */
export async function readInventory(
  repository: unknown,
  now: () => string,
  hand: (page: InventoryPage) => void,
  goOn: () => Promise<boolean>,
): Promise<void> {
  const ids = await allIds(repository as Workflows);
  const wanted = ids.slice(0, MOST_WORKFLOWS);
  let next = firstPage(now());
  let size = 0;
  for (let start = 0; start < wanted.length; start += AT_ONCE) {
    const readAt = now();
    const some = wanted.slice(start, start + AT_ONCE);
    for (const workflow of await readWorkflows(repository, some)) {
      const characters = JSON.stringify(workflow).length;
      if (next.workflows.length > 0 && size + characters > PAGE_CHARACTERS) {
        if (!(await goOn())) return;
        hand(next);
        next = { page: next.page + 1, complete: false, workflows: [], readAt };
        size = 0;
      }
      next.workflows.push(workflow);
      size += characters;
    }
  }
  if (!(await goOn())) return;
  hand(wanted.length < ids.length ? next : { ...next, complete: true, pages: next.page });
}

const firstPage = (readAt: string): InventoryPage => ({
  page: 1,
  complete: false,
  workflows: [],
  readAt,
});

/** These workflows as they are stored now; those that are gone are left out. At most a few ids. */
export async function readWorkflows(repository: unknown, ids: string[]): Promise<N8nWorkflow[]> {
  const rows = await ask(repository as Workflows, ids);
  const workflows: N8nWorkflow[] = [];
  for (const row of rows) {
    const workflow = pickStoredWorkflow(row);
    if (workflow) workflows.push(workflow);
    await breath();
  }
  return workflows;
}

async function allIds(repository: Workflows): Promise<string[]> {
  const rows = await repository.find({ select: ['id'], order: { id: 'ASC' } });
  return rows.flatMap((row) => id(field(row, 'id')) ?? []);
}

async function ask(repository: Workflows, ids: string[]): Promise<unknown[]> {
  const where = ids.map((one) => ({ id: one }));
  let failure: unknown;
  for (const question of QUESTIONS) {
    try {
      return await repository.find({ ...question, where });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** Lets n8n do what waits before the next workflow is looked at. */
const breath = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
