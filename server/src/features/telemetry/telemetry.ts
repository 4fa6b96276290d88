import type { BatchItemResult, BatchResult } from '@rollcall/client/contract';
import type { Clock } from '../../platform/clock.ts';
import { groupCommit } from '../../platform/group-commit.ts';
import { batchResult, boundBatch } from '../../platform/http/batch.ts';
import type { Principal } from '../../platform/http/route.ts';
import type { Problem } from '../../platform/problem.ts';
import type { Redactor } from '../../platform/redact.ts';
import { createTurns } from '../../platform/turns.ts';
import { isRejection, prepare, projectsNamed, type ReadyEvent } from './prepare.ts';
import type { TelemetryStore } from './telemetry.store.ts';

const ITEMS_AT_MOST = 10_000;

export interface TelemetryOptions {
  store: TelemetryStore;
  redactor: Redactor;
  clock: Clock;
  /** Days that raw telemetry is kept. */
  days: number;
  /** Those of some projects that the tenant does not have. */
  unknownProjects: (tenant: string, projects: Iterable<string>) => Promise<Set<string>>;
}

/** Takes telemetry in: judges each item, stores the good ones, answers after the commit. */
export function telemetryIngest(options: TelemetryOptions) {
  const { store, redactor, clock, days } = options;
  const commits = groupCommit<ReadyEvent>({
    commit: store.ingest,
    idOf: ({ event_id }) => event_id,
    batchSize: 4_000,
    queueSize: 50_000,
    concurrency: 2,
  });

  const mapInTurns = createTurns();

  /** @throws Problem 413 for too many items, 422 when none was kept, 503 when overloaded or the database is away */
  async function ingest(
    principal: Principal,
    items: unknown[],
    receipt: string,
    onStored?: (events: ReadyEvent[]) => void,
  ): Promise<BatchResult> {
    boundBatch(items, ITEMS_AT_MOST);
    const { tenant, project } = principal;
    const unknownProjects = await options.unknownProjects(tenant, projectsNamed(items, project));
    const door = { redactor, project, days, now: clock(), unknownProjects };
    const fresh = new Map<string, ReadyEvent>();
    const results = await mapInTurns(items, (item, index): BatchItemResult => {
      const ready = prepare(item, door);
      if (isRejection(ready)) return { index, status: 'rejected', ...ready };
      const status = fresh.has(ready.event_id) ? 'duplicate' : 'accepted';
      if (status === 'accepted') fresh.set(ready.event_id, ready);
      return { index, status, event_id: ready.event_id };
    });
    if (fresh.size > 0) {
      const { duplicates, refused } = await commits.submit(tenant, [...fresh.values()]);
      for (const result of results) settle(result, duplicates, refused);
      for (const id of [...duplicates, ...refused.keys()]) fresh.delete(id);
      onStored?.([...fresh.values()]);
    }
    return batchResult(receipt, results);
  }

  /**
   * An event as it is stored, or why it is refused; for what writes telemetry in a transaction of its own, which
   * fails when the project is unknown.
   */
  const ready = (item: unknown, project: string) =>
    prepare(item, { redactor, project, days, now: clock(), unknownProjects: new Set() });

  return { ingest, ready, drain: commits.drain };
}

function settle(
  result: BatchItemResult,
  duplicates: Set<string>,
  refused: Map<string, Problem>,
): void {
  if (result.status === 'rejected' || !result.event_id) return;
  if (duplicates.has(result.event_id)) result.status = 'duplicate';
  const problem = refused.get(result.event_id);
  if (problem)
    Object.assign(result, {
      status: 'rejected',
      code: problem.code,
      path: '',
      message: problem.message,
    });
}
