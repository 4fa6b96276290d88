import type {
  ExecutionReport,
  IngestedExecution,
  ReportOutcome,
  RunStatus,
} from '@rollcall/client/contract';
import type { Clock } from '../../platform/clock.ts';
import { groupCommit } from '../../platform/group-commit.ts';
import { fieldErrors, REPORT } from '../../platform/http/validate.ts';
import { invalid, Problem } from '../../platform/problem.ts';
import type { Redactor } from '../../platform/redact.ts';
import { complete, type Refusal } from './complete.ts';
import { ExecutionReportSchema } from './executions.schema.ts';
import type { ExecutionsStore, Written } from './executions.store.ts';
import { gather, joinSame } from './gather.ts';

/** Who reports, as their key says. */
export interface Origin {
  tenant: string;
  project: string;
  actor: string;
}

export interface ReportResult {
  index: number;
  status: ReportOutcome['status'] | 'rejected';
  id?: string;
  run_status?: RunStatus;
  code?: string;
  path?: string;
  message?: string;
}

/**
 * Takes reports of any sources in and answers, after the commit, what became of each. Reports of one run, whoever
 * sent them, become one execution.
 *
 * @throws Problem 503 when overloaded or the database is away
 */
export type ReportExecutions = (
  origin: Origin,
  reports: ExecutionReport[],
) => Promise<ReportResult[]>;

export interface ExecutionsOptions {
  store: ExecutionsStore;
  redactor: Redactor;
  clock: Clock;
  /** Days that executions are kept. */
  days: number;
}

interface Item {
  number: string;
  report: ExecutionReport;
  project: string;
  size: number;
  written?: Written;
}

export function executionIntake({ store, redactor, clock, days }: ExecutionsOptions) {
  let count = 0;
  const commits = groupCommit<Item>({
    commit: async (tenant, items) => {
      let runs = gather(items, clock());
      let written = await store.ingest(tenant, runs);
      while (!Array.isArray(written)) {
        runs = joinSame(runs, written.same);
        written = await store.ingest(tenant, runs);
      }
      for (const [index, run] of runs.entries()) {
        for (const place of run.reports) (items[place] as Item).written = written[index] as Written;
      }
      return { duplicates: [] };
    },
    idOf: ({ number }) => number,
    sizeOf: ({ size }) => size,
    batchSize: 5_000,
    queueSize: 100_000,
    besideSize: 250,
    concurrency: 2,
  });

  const judge = (report: unknown): ExecutionReport | Refusal => {
    const parsed = ExecutionReportSchema.safeParse(report, REPORT);
    if (!parsed.success) {
      const { path = '', code = '', message = '' } = fieldErrors(parsed.error)[0] ?? {};
      return { path: path === 'body' ? '' : path, code, message };
    }
    return complete(parsed.data, { redactor, now: clock(), days });
  };

  async function submit({ tenant, project }: Origin, reports: ExecutionReport[]) {
    const items = reports.map((report): Item => ({
      number: String(count++),
      report,
      project,
      size: sizeOf(report),
    }));
    const { refused } = await commits.submit(tenant, items);
    return items.map((item) => ({ ...item, refused: refused.get(item.number) }));
  }

  const report: ReportExecutions = async (origin, reports) => {
    const judged = reports.map(judge);
    const good = judged.flatMap((one, index) => ('code' in one ? [] : [{ index, report: one }]));
    const items =
      good.length > 0
        ? await submit(
            origin,
            good.map((one) => one.report),
          )
        : [];
    const results = new Map(
      items.map(({ written, refused }, place) => [good[place]?.index, { written, refused }]),
    );
    return judged.map((one, index): ReportResult => {
      if ('code' in one) return { index, status: 'rejected', ...one };
      const { written, refused } = results.get(index) ?? {};
      if (!written) {
        const { code = 'refused', message = '' } = refused ?? {};
        const path = refused?.errors?.[0]?.path ?? '';
        return { index, status: 'rejected', code, path, message };
      }
      return { index, status: statusOf(written), id: written.id, run_status: written.status };
    });
  };

  /** @throws Problem 422 that names the field, or what the database refused */
  async function ingest(origin: Origin, body: ExecutionReport): Promise<IngestedExecution> {
    const judged = complete(body, { redactor, now: clock(), days });
    if ('code' in judged) throw invalid([judged]);
    const [item] = await submit(origin, [judged]);
    if (!item?.written)
      throw item?.refused ?? new Problem(422, 'refused', { detail: 'Not stored.' });
    const { written } = item;
    return {
      id: written.id,
      execution_id: written.id,
      status: statusOf(written),
      run_status: written.status,
      stored: {
        node_executions: written.nodes,
        telemetry_spans: written.spans,
        telemetry_events: written.events,
        shared_state_snapshots: written.states,
      },
    };
  }

  return { report, ingest, drain: commits.drain };
}

function statusOf({ created, changed, nodes, spans, events, states }: Written) {
  if (created) return 'created';
  return changed || nodes + spans + events + states > 0 ? 'updated' : 'duplicate';
}

/** Rows that a report brings, and itself. */
const sizeOf = (report: ExecutionReport): number =>
  1 +
  (report.node_executions?.length ?? 0) +
  (report.node_marks?.length ?? 0) +
  (report.telemetry_spans?.length ?? 0) +
  (report.telemetry_events?.length ?? 0) +
  (report.shared_state_snapshots?.length ?? 0);
