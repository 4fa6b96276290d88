import type { SyncProgress } from '@rollcall/client/contract';
import { Problem } from '../../platform/problem.ts';
import type { ListedPage, N8nApi, Projects } from './n8n-api.ts';

export interface Inventory {
  workflows: number;
  /** Ids of workflows that were known and are not there any more. */
  vanished: string[];
  /** Digests of workflows by id. */
  seen: Record<string, string>;
  /** Whether n8n told the projects. */
  hasProjects: boolean;
}

/** So many that are missing are each asked for: pages shift when something is deleted while they are read. */
const ASKED_AT_MOST = 100;
const PAGES_AT_MOST = 4_000;
/** Pages that are under way at a time: n8n makes one while others are read. */
const AHEAD = 3;

/** A workflow that stands in a page. */
export interface Listed<Words> {
  workflow_id: string;
  version_id: string | null;
  digest: string;
  /** Left out when it is as it was. */
  words?: Words;
}

/** Reads pages in whatever thread it likes. */
export interface PageReader<Words> {
  /** Takes the bytes for itself. Undefined when it is no page of workflows. */
  read(sent: Buffer<ArrayBuffer>): Promise<Listed<Words>[] | undefined>;
  readOne(workflow: unknown): Listed<Words> | undefined;
  close(): Promise<void>;
}

export interface InventorySteps<Words> {
  tell: (news: Partial<SyncProgress>) => Promise<void>;
  openReader: (projects: Projects | undefined) => PageReader<Words>;
  /** Stores what a page says, while the next one is on its way. */
  apply: (page: Listed<Words>[]) => Promise<void>;
}

/**
 * Lists all workflows of an n8n. One that was there last time and is not listed is asked for by itself before it counts
 * as vanished.
 * @param seen digests of workflows by id, as they were last time
 * @throws Problem as `N8nApi`; `n8n_endless` when pages lead nowhere
 */
export async function readInventory<Words>(
  api: N8nApi,
  seen: Record<string, string>,
  { tell, openReader, apply }: InventorySteps<Words>,
): Promise<Inventory> {
  const projects = await api.listProjects();
  const reader = openReader(projects);
  const found = new Map<string, string>();
  let applying = Promise.resolve();

  async function take(page: Listed<Words>[]): Promise<void> {
    for (const { workflow_id, digest } of page) found.set(workflow_id, digest);
    await applying;
    applying = apply(page);
    applying.catch(unheard);
  }

  try {
    let pages = 0;
    for await (const page of pagesOf((cursor) => api.listWorkflows(reader.read, cursor))) {
      await take(page);
      pages += 1;
      await tell({ pages, listed: found.size });
    }
    const missing = Object.keys(seen).filter((id) => !found.has(id));
    if (missing.length <= ASKED_AT_MOST) {
      for (const id of missing) {
        const one = reader.readOne(await api.getWorkflow(id).catch(nothing));
        if (one) await take([one]);
      }
    }
    await applying;
    return {
      workflows: found.size,
      vanished: missing.filter((id) => !found.has(id)),
      seen: Object.fromEntries(found),
      hasProjects: projects !== undefined,
    };
  } finally {
    await reader.close();
  }
}

/** One page after the other; the next ones are asked for meanwhile. */
async function* pagesOf<Page>(
  list: (cursor?: string) => Promise<ListedPage<Page>>,
): AsyncGenerator<Page> {
  const ahead: Promise<ListedPage<Page> | undefined>[] = [];
  let last: (typeof ahead)[number] = Promise.resolve(undefined);
  let asked = 0;
  /** Where the next page is; null after the last one. */
  let cursor: string | null | undefined;

  async function next(): Promise<ListedPage<Page> | undefined> {
    if (cursor === null) return undefined;
    if (asked >= PAGES_AT_MOST) throw endless();
    asked += 1;
    const found = await list(cursor);
    found.page.catch(unheard);
    if (found.cursor !== null && found.cursor === cursor) throw endless();
    cursor = found.cursor;
    return found;
  }
  for (;;) {
    while (ahead.length < AHEAD) {
      last = last.then(next);
      last.catch(unheard);
      ahead.push(last);
    }
    const first = await ahead.shift();
    if (!first) return;
    yield await first.page;
  }
}

/** Whoever waits for it hears of a failure. */
const unheard = (): void => undefined;

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
