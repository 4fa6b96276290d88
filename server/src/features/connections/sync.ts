import type { ExecutionReport, SyncProgress, SyncResult } from '@rollcall/client/contract';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { Problem } from '../../platform/problem.ts';
import { opened } from './connections.ts';
import type { ConnectionsStore, TakenSync } from './connections.store.ts';
import { readExecutions } from './executions.ts';
import { readInventory, type Listed, type PageReader } from './inventory.ts';
import { n8nApi, type Projects } from './n8n-api.ts';
import type { RequestOptions } from './n8n-request.ts';

export interface Teller {
  tenant: string;
  project: string;
  actor: string;
}

/** What an inventory asks of those who know n8n's workflows and executions. `Words` are theirs. */
export interface SyncNeeds<Words> {
  store: ConnectionsStore;
  secrets: { open(sealed: string): string };
  clock: Clock;
  log: Log;
  /** Reads workflows as n8n stores them, in words of a moment: all of them, or those that differ from what was seen. */
  openPageReader: (reading: {
    at: string;
    inventory: string;
    seen: Record<string, string>;
    full: boolean;
    projects: Projects | undefined;
  }) => PageReader<Words>;
  /** Says that n8n no longer has a workflow. */
  vanished: (workflowId: string, at: string) => Words;
  /** Stores words about an instance's workflows in one transaction. */
  record: (
    teller: Teller,
    instance: string,
    at: string,
    words: Words[],
    now: Date,
  ) => Promise<unknown>;
  report: (teller: Teller, reports: ExecutionReport[]) => Promise<unknown>;
  /** Other than n8n's API is asked by itself. */
  requests?: RequestOptions;
}

/** Whoever does not say so for this long no longer runs it. */
const LEASE_MS = 180_000;
const BATCH = 500;
/** All of it is applied this often, whatever the digests say. */
const FULL_AGAIN_MS = 6 * 3_600_000;

/** Somebody else has the inventory now, or its connection is gone. */
class Lost extends Error {}

/**
 * Takes one inventory through n8n's API: page after page of workflows is applied while the next one is on its way, then
 * what vanished, which only a complete listing can tell, then the latest executions. Does nothing unless one waits, so
 * that it may be called twice. What goes wrong is kept with the connection.
 */
export function connectionSync<Words>(needs: SyncNeeds<Words>) {
  const { store, secrets, clock, log } = needs;

  return async function sync(tenant: string, id: string, signal: AbortSignal): Promise<void> {
    const lease = () => new Date(clock().getTime() + LEASE_MS);
    const taken = await store.beginSync(tenant, id, clock(), lease());
    if (!taken) return;
    const progress: SyncProgress = {
      phase: 'workflows',
      pages: 0,
      listed: 0,
      applied: 0,
      total: null,
      executions: 0,
    };
    const tell = async (news: Partial<SyncProgress>) => {
      signal.throwIfAborted();
      Object.assign(progress, news);
      if (!(await store.progressSync(tenant, id, taken.sync_id, lease(), progress))) {
        throw new Lost();
      }
    };
    try {
      const end = await take(tenant, id, taken, tell, signal);
      await store.finishSync(tenant, id, taken.sync_id, clock(), end);
    } catch (error) {
      if (error instanceof Lost) return;
      if (signal.aborted) {
        // Another server, or this one when it is back, takes it up at once.
        await store.progressSync(tenant, id, taken.sync_id, clock(), progress);
        return;
      }
      if (!(error instanceof Problem) || error.status >= 500) {
        log.error({ err: error, connection: id }, 'An inventory of n8n failed');
      }
      const detail =
        error instanceof Problem
          ? error.message
          : 'Something unexpected went wrong; the server’s log says what.';
      const code = error instanceof Problem ? error.code : 'internal_error';
      await store.finishSync(tenant, id, taken.sync_id, clock(), { error: { code, detail } });
    }
  };

  async function take(
    tenant: string,
    id: string,
    taken: TakenSync,
    tell: (news: Partial<SyncProgress>) => Promise<void>,
    signal: AbortSignal,
  ) {
    const began = performance.now();
    const now = clock();
    const at = now.toISOString();
    const teller = { tenant, project: taken.project_id, actor: `n8n ${taken.name}` };
    const api = n8nApi(opened(secrets, tenant, taken), { ...needs.requests, signal });
    const full =
      taken.full_at === null || now.getTime() - Date.parse(taken.full_at) >= FULL_AGAIN_MS;
    let instance: string | undefined;
    let applied = 0;
    const record = async (words: Words[]) => {
      for (let start = 0; start < words.length; start += BATCH) {
        const some = words.slice(start, start + BATCH);
        await needs.record(teller, instance as string, at, some, clock());
        applied += some.length;
        await tell({ applied });
      }
    };
    const { seen, sync_id: inventory } = taken;
    const found = await readInventory(api, seen, {
      tell,
      openReader: (projects) => needs.openPageReader({ at, inventory, seen, full, projects }),
      async apply(page) {
        // The first page is evidence enough.
        instance ??= await store.settleInstance(tenant, id, page.map(versionIn));
        await record(page.flatMap(({ words }) => words ?? []));
      },
    });
    const vanished = found.vanished.map((gone) => needs.vanished(gone, at));
    await tell({ phase: 'applying', total: applied + vanished.length });
    await record(vanished);
    instance ??= taken.instance_id;
    await tell({ phase: 'executions' });
    const runs = await readExecutions(
      api,
      instance,
      taken.executions_from,
      async (reports, count) => {
        await needs.report(teller, reports);
        await tell({ executions: count });
      },
      clock,
    );
    const result: SyncResult = {
      kind: full ? 'full' : 'delta',
      workflows: found.workflows,
      applied,
      vanished: found.vanished.slice(0, 100),
      vanished_count: found.vanished.length,
      executions: runs.count,
      executions_truncated: runs.truncated,
      projects: found.hasProjects,
      duration_ms: Math.round(performance.now() - began),
    };
    return {
      result,
      seen: found.seen,
      executions_from: runs.from,
      full_at: full ? at : taken.full_at,
    };
  }
}

const versionIn = ({ workflow_id, version_id }: Listed<unknown>) => ({ workflow_id, version_id });
