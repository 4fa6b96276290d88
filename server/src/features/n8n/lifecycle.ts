import { randomUUID } from 'node:crypto';
import type {
  BatchItemResult,
  BatchResult,
  ExecutionReport,
  TelemetryEvent,
} from '@rollcall/client/contract';
import type { Clock } from '../../platform/clock.ts';
import { groupCommit } from '../../platform/group-commit.ts';
import { batchResult, boundBatch } from '../../platform/http/batch.ts';
import type { Principal } from '../../platform/http/route.ts';
import { Problem } from '../../platform/problem.ts';
import type { Redactor } from '../../platform/redact.ts';
import { createTurns } from '../../platform/turns.ts';
import type { Counted, N8nStore } from './n8n.store.ts';
import { isRefusal, type Heard, type Refusal } from './webhook/heard.ts';
import { keyOf, recognise, unwrapped } from './webhook/recognise.ts';
import { sampleOf } from './webhook/sample.ts';

const ITEMS_AT_MOST = 10_000;

/** On whose behalf something is told. */
type Teller = Pick<Principal, 'tenant' | 'project' | 'actor'>;

/** What became of a report of a run, by its place. */
interface Reported {
  index: number;
  status: string;
  code?: string;
  path?: string;
  message?: string;
}

export interface LifecycleNeeds {
  store: Pick<N8nStore, 'record'>;
  /** Tells of runs; resolves after they are stored. */
  report: (teller: Teller, reports: ExecutionReport[]) => Promise<Reported[]>;
  /** Tells of calls; resolves after they are stored. */
  telemetry: (principal: Principal, events: TelemetryEvent[], receipt: string) => Promise<unknown>;
  /** Leaves out calls that are told by another channel already. */
  claim: (tenant: string, channel: 'log', events: TelemetryEvent[]) => Promise<TelemetryEvent[]>;
  redactor: Redactor;
  clock: Clock;
  /** Samples of unknown events keep what was processed, too. */
  keepPayloads: boolean;
}

interface Item {
  index: number;
  heard: Heard;
  counted: Counted;
}

/**
 * Takes in what n8n tells of itself: the hooks package, log streaming, its log file, trigger nodes, and whoever else
 * speaks of workflows. Runs and calls are stored first and the event is counted last, so that one that is sent again
 * after a failure is not taken for known. All of it may come in any order and any number of times.
 */
export function lifecycleIntake(needs: LifecycleNeeds) {
  const { store, report, telemetry, claim, redactor, clock, keepPayloads } = needs;
  const mapInTurns = createTurns();
  const commits = groupCommit<Counted>({
    commit: (tenant, events) => store.record(tenant, clock(), events),
    idOf: ({ id }) => id,
    sizeOf: ({ heard }) => 1 + (heard.workflows?.length ?? 0),
    batchSize: 1_000,
    queueSize: 50_000,
    // A tenant's events are recorded one call at a time.
    concurrency: 1,
  });

  /** @throws Problem 413 for too many items, 422 when none was kept, 503 when overloaded or the database is away */
  async function take(
    principal: Principal,
    items: unknown[],
    receipt: string,
    instance_id?: string,
  ): Promise<BatchResult> {
    boundBatch(items, ITEMS_AT_MOST);
    const reading = { now: clock(), redactor, ...(instance_id && { instance_id }) };
    const known = new Set<string>();
    const kept: Item[] = [];
    const results = await mapInTurns(items, (item, index): BatchItemResult => {
      const heard = recognise(item, reading);
      if (isRefusal(heard)) return { index, status: 'rejected', ...heard };
      const key = keyOf(heard) ?? randomUUID();
      const isNew = !known.has(key);
      known.add(key);
      if (isNew) kept.push({ index, heard, counted: counted(principal, key, heard, item) });
      return {
        index,
        status: isNew ? 'accepted' : 'duplicate',
        ...(heard.id && { event_id: heard.id }),
      };
    });
    const refused = await tell(principal, kept, receipt);
    for (const [index, refusal] of refused) reject(results[index], refusal);
    await record(
      principal.tenant,
      kept.filter(({ index }) => !refused.has(index)),
      results,
    );
    return batchResult(receipt, results);
  }

  function counted({ project, actor }: Teller, id: string, heard: Heard, item: unknown): Counted {
    const isUnknown = heard.handling === 'unknown';
    const sample = isUnknown
      ? sampleOf(unwrapped(item) as object, redactor, keepPayloads)
      : undefined;
    return { id, heard, project, actor, ...(sample !== undefined && { sample }) };
  }

  /** Tells of the runs and calls that events speak of; answers the events whose run was refused. */
  async function tell(
    principal: Principal,
    items: Item[],
    receipt: string,
  ): Promise<Map<number, Refusal>> {
    const reports = items.flatMap(({ index, heard }) =>
      (heard.reports ?? []).map((one) => ({ index, one, isHooks: one.source === 'hooks' })),
    );
    const calls = items.flatMap(({ heard }) => heard.telemetry ?? []);
    const [told] = await Promise.all([
      reports.length > 0
        ? report(
            principal,
            reports.map(({ one }) => one),
          )
        : [],
      calls.length > 0 ? tellCalls(principal, calls, receipt) : undefined,
    ]);
    const refused = new Map<number, Refusal>();
    for (const { index: place, status, code = 'refused', path = '', message = '' } of told) {
      const from = reports[place];
      if (status !== 'rejected' || !from) continue;
      refused.set(from.index, {
        code,
        path: from.isHooks ? ['report', path].filter(Boolean).join('.') : '',
        message: from.isHooks || path === '' ? message : `${path} ${message}`,
      });
    }
    return refused;
  }

  /** Calls that telemetry refuses, such as those beyond its own retention, are counted as events all the same. */
  async function tellCalls(
    principal: Principal,
    calls: TelemetryEvent[],
    receipt: string,
  ): Promise<void> {
    const own = await claim(principal.tenant, 'log', calls);
    if (own.length === 0) return;
    try {
      await telemetry(principal, own, receipt);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 422) throw error;
    }
  }

  async function record(tenant: string, items: Item[], results: BatchItemResult[]): Promise<void> {
    if (items.length === 0) return;
    const { duplicates, refused } = await commits.submit(
      tenant,
      items.map((item) => item.counted),
    );
    for (const { index, counted: event } of items) {
      const result = results[index];
      const problem = refused.get(event.id);
      if (problem) reject(result, { code: problem.code, path: '', message: problem.message });
      else if (result && duplicates.has(event.id)) result.status = 'duplicate';
    }
  }

  return { take, drain: commits.drain };
}

function reject(result: BatchItemResult | undefined, refusal: Refusal): void {
  if (result) Object.assign(result, { status: 'rejected', ...refusal });
}
