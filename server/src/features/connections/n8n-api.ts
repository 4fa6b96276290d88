import { Problem } from '../../platform/problem.ts';
import { jsonIn, n8nRequest, notN8n, type N8nTarget, type RequestOptions } from './n8n-request.ts';

/** A workflow as n8n's API answers it. */
export interface ApiWorkflow {
  id: string;
  name: string;
  active: boolean;
  nodes: unknown[];
  connections: Record<string, unknown>;
  settings?: Record<string, unknown>;
  [field: string]: unknown;
}

/** An execution as n8n's API lists it, without its data. */
export interface ApiExecution {
  id: string | number;
  workflowId: string;
  [field: string]: unknown;
}

export interface ApiPage<Item> {
  items: Item[];
  /** Leads to the next page; null on the last one. */
  cursor: string | null;
}

/** A page that is still being read. */
export interface ListedPage<Page> {
  page: Promise<Page>;
  /** Leads to the next page; null on the last one. */
  cursor: string | null;
}

/** Names and types of n8n's projects by id. */
export type Projects = Map<string, { name: string; type: string }>;

/**
 * n8n's public API v1. Every call waits its turn (`perSecond`), and is tried again while n8n is busy (429, 5xx, or no
 * answer), as its `Retry-After` says.
 *
 * @throws Problem 422 `n8n_unreachable`, `n8n_busy`, `n8n_key_refused`, `n8n_key_lacks_scope`, `n8n_answers_html`,
 *   `n8n_redirects`, `not_n8n`, `n8n_refused` (with n8n's own words); 404 `n8n_workflow_not_found`
 */
export interface N8nApi {
  /** Resolves when address and key are good for an inventory. */
  check(): Promise<void>;
  /**
   * Up to 250 workflows, without pinned data, as `read` reads them; it takes the bytes for itself, and answers undefined
   * for what is no such page.
   */
  listWorkflows<Page>(
    read: (sent: Buffer<ArrayBuffer>) => Promise<Page | undefined>,
    cursor?: string,
  ): Promise<ListedPage<Page>>;
  /** Up to 250 executions, latest first: those that run now, or all others. n8n never lists both. */
  listExecutions(which: 'running' | 'others', cursor?: string): Promise<ApiPage<ApiExecution>>;
  /** Names of projects by id; undefined where the licence or the key does not allow to ask. */
  listProjects(): Promise<Projects | undefined>;
  /** With pinned data. */
  getWorkflow(id: string): Promise<ApiWorkflow>;
  /** Nodes and connections of a version in its history. @throws Problem 409 `version_not_kept` */
  getVersion(id: string, version: string): Promise<Pick<ApiWorkflow, 'nodes' | 'connections'>>;
  /** Replaces name, nodes, connections, settings and static data; n8n publishes an active workflow again. */
  updateWorkflow(id: string, workflow: ApiWorkflow): Promise<ApiWorkflow>;
  activate(id: string): Promise<ApiWorkflow>;
  deactivate(id: string): Promise<ApiWorkflow>;
}

/** What n8n takes of a workflow; it refuses the rest of what it answers. */
const WRITABLE = ['name', 'nodes', 'connections', 'settings', 'staticData'] as const;
/** Left out of settings: some versions answer it and none takes it. */
const DERIVED_SETTINGS = new Set(['binaryMode']);
const PROJECT_PAGES = 20;

export function n8nApi(target: N8nTarget, options: RequestOptions = {}): N8nApi {
  const request = n8nRequest(target, options);

  async function page<Item>(
    path: string,
    query: Record<string, string>,
    cursor?: string,
  ): Promise<ApiPage<Item>> {
    const answer = await request('GET', pagePath(path, query, cursor));
    const { data, nextCursor } = (answer ?? {}) as { data?: unknown; nextCursor?: unknown };
    if (!Array.isArray(data)) throw noList();
    return { items: data.filter(hasId) as Item[], cursor: cursorOf(nextCursor) };
  }

  async function listWorkflows<Page>(
    read: (sent: Buffer<ArrayBuffer>) => Promise<Page | undefined>,
    cursor?: string,
  ): Promise<ListedPage<Page>> {
    const path = pagePath('workflows', { excludePinnedData: 'true' }, cursor);
    const { sent, nextCursor } = await request('GET', path, undefined, withCursor);
    const readPage = async () => {
      const found = await read(sent);
      if (found === undefined) throw noList();
      return found;
    };
    return { page: readPage(), cursor: cursorOf(nextCursor) };
  }

  const noList = (): Problem => notN8n(target, 'answers without a list');

  async function listProjects() {
    const projects: Projects = new Map();
    try {
      let cursor: string | undefined;
      for (let count = 0; count < PROJECT_PAGES; count += 1) {
        const found = await page<{ id: string; name?: unknown; type?: unknown }>(
          'projects',
          {},
          cursor,
        );
        for (const { id, name, type } of found.items) {
          projects.set(String(id), { name: textOf(name), type: textOf(type) });
        }
        if (found.cursor === null) break;
        cursor = found.cursor;
      }
      return projects;
    } catch (error) {
      // Unlicensed, not known to this version, or not for this key.
      if (error instanceof Problem && UNAVAILABLE.has(error.code)) return undefined;
      throw error;
    }
  }

  async function workflow(method: string, path: string, body?: object): Promise<ApiWorkflow> {
    const answer = await request(method, path, body);
    if (!hasId(answer) || !Array.isArray(answer.nodes)) {
      throw notN8n(target, 'answers something else than a workflow');
    }
    return answer as unknown as ApiWorkflow;
  }

  async function readVersion(id: string, version: string) {
    // The path that older versions of n8n know, too.
    const path = pathOf(id, `/${encodeURIComponent(version)}`);
    const answer = await request('GET', path).catch((error: unknown) => {
      if (!(error instanceof Problem) || error.code !== 'n8n_workflow_not_found') throw error;
      const detail = `n8n no longer has the version ${version} in its history of ${id}.`;
      throw new Problem(409, 'version_not_kept', { detail, cause: error });
    });
    const { nodes, connections } = (answer ?? {}) as Partial<ApiWorkflow>;
    if (!Array.isArray(nodes) || typeof connections !== 'object' || connections === null) {
      throw notN8n(target, 'answers something else than a version of a workflow');
    }
    return { nodes, connections };
  }

  const pathOf = (id: string, more = '') => `workflows/${encodeURIComponent(id)}${more}`;
  return {
    async check() {
      await page('workflows', { limit: '1' });
      await page('executions', { limit: '1' });
    },
    listWorkflows,
    listExecutions: (which, cursor) =>
      page<ApiExecution>(
        'executions',
        { includeData: 'false', ...(which === 'running' && { status: which }) },
        cursor,
      ),
    listProjects,
    getWorkflow: (id) => workflow('GET', pathOf(id)),
    getVersion: readVersion,
    updateWorkflow: (id, changed) => workflow('PUT', pathOf(id), writable(changed)),
    activate: (id) => workflow('POST', pathOf(id, '/activate'), {}),
    deactivate: (id) => workflow('POST', pathOf(id, '/deactivate'), {}),
  };
}

function pagePath(path: string, query: Record<string, string>, cursor?: string): string {
  const search = new URLSearchParams({ limit: '250', ...query, ...(cursor ? { cursor } : {}) });
  return `${path}?${search.toString()}`;
}

const cursorOf = (nextCursor: unknown): string | null =>
  typeof nextCursor === 'string' && nextCursor ? nextCursor : null;

/** Where it stands in an object that ends with it, as n8n writes its pages. */
const LAST_FIELD = /,"nextCursor":("(?:[^"\\]|\\.)*"|null)\s*\}\s*$/;
const LONGEST_CURSOR = 2_000;

/** A page and where the next one is, which nearly always can be told without reading the page. */
function withCursor(
  sent: Buffer<ArrayBuffer>,
): { sent: Buffer<ArrayBuffer>; nextCursor: unknown } | undefined {
  const last = LAST_FIELD.exec(sent.subarray(-LONGEST_CURSOR).toString())?.[1];
  if (last !== undefined) return { sent, nextCursor: jsonIn(Buffer.from(last)) };
  const page = jsonIn(sent) as { nextCursor?: unknown } | null | undefined;
  return page === undefined ? undefined : { sent, nextCursor: page?.nextCursor };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const UNAVAILABLE = new Set([
  'n8n_key_lacks_scope',
  'n8n_refused',
  'n8n_workflow_not_found',
  'not_n8n',
]);

function writable(workflow: ApiWorkflow): object {
  const fields = WRITABLE.map((field) => [field, workflow[field]] as const);
  const settings = Object.entries(workflow.settings ?? {}).filter(
    ([name]) => !DERIVED_SETTINGS.has(name),
  );
  return {
    ...Object.fromEntries(fields.filter(([, value]) => value !== undefined && value !== null)),
    settings: Object.fromEntries(settings),
  };
}

/** Longer ids, and such as cannot be stored, are nobody's. */
function hasId(item: unknown): item is Record<string, unknown> & { id: string | number } {
  const id = typeof item === 'object' && item !== null ? (item as { id?: unknown }).id : undefined;
  if (typeof id === 'number') return Number.isSafeInteger(id);
  return typeof id === 'string' && /^[^\0]{1,255}$/s.test(id) && id.isWellFormed();
}
