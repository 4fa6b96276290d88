import type { ExecutionReport } from '@rollcall/client/contract';
import { micros, momentOf, saidOf, type Said } from './said.ts';
import { addRows, joinRows, noRows, type Rows } from './rows.ts';

/** What several reports, known to be of one run, say together. */
export interface Run {
  keys: Set<string>;
  instance_id: string | undefined;
  execution_id: string | undefined;
  workflow_id: string;
  /** One a report: the database finds the best words. */
  said: Said[];
  sources: Set<string>;
  first_at: string;
  last_at: string;
  rows: Rows;
  /** Places of its reports in the batch. */
  reports: number[];
}

export interface Told {
  report: ExecutionReport;
  project: string;
}

/**
 * By what a run is found again, the surest first. An n8n execution's number means something within its instance
 * only; whoever does not know the instance is believed to mean the one run of that workflow and number.
 */
export function keysOf(report: ExecutionReport): string[] {
  const { execution_id, instance_id, session_id, workflow_id, started_at, trace_id } = report;
  const keys: string[] = [];
  if (execution_id !== undefined) {
    if (instance_id !== undefined) keys.push(`run:${JSON.stringify([instance_id, execution_id])}`);
    keys.push(`any:${JSON.stringify([workflow_id, execution_id])}`);
  }
  if (session_id !== undefined && started_at !== undefined) {
    keys.push(`session:${JSON.stringify([session_id, workflow_id, micros(started_at)])}`);
  }
  if (trace_id !== undefined) keys.push(`trace:${JSON.stringify([workflow_id, trace_id])}`);
  return keys;
}

/** Puts reports of the same run together; runs that come out share no key. */
export function gather(told: Told[], now: Date): Run[] {
  const runs = new Set<Run>();
  const byKey = new Map<string, Run[]>();
  for (const [index, { report, project }] of told.entries()) {
    const run = runOf(report, project, index, now);
    for (const key of run.keys) {
      for (const known of byKey.get(key) ?? []) {
        if (runs.has(known) && known !== run && areOne(known, run, key)) {
          runs.delete(known);
          join(run, known);
        }
      }
    }
    runs.add(run);
    for (const key of run.keys) {
      const others = (byKey.get(key) ?? []).filter((known) => runs.has(known) && known !== run);
      byKey.set(key, [...others, run]);
    }
  }
  return [...runs].map(withoutSharedKeys(new Set<string>()));
}

function runOf(report: ExecutionReport, project: string, index: number, now: Date): Run {
  const at = momentOf(report, now);
  const rows = noRows();
  addRows(rows, report, now);
  const moments = [at, report.started_at ?? at].sort((a, b) => micros(a) - micros(b));
  return {
    keys: new Set(keysOf(report)),
    instance_id: report.instance_id,
    execution_id: report.execution_id,
    workflow_id: report.workflow_id,
    said: [saidOf(report, project, now)],
    sources: new Set([report.source ?? 'client']),
    first_at: moments[0] as string,
    last_at: moments[1] as string,
    rows,
    reports: [index],
  };
}

/**
 * A trace may hold many runs: it says which one is meant only to who knows no execution. A workflow's number says it only
 * within one instance. As in SQL (executions_meant).
 */
function areOne(one: Run, other: Run, key: string): boolean {
  const both = (field: 'instance_id' | 'execution_id') =>
    one[field] !== undefined && other[field] !== undefined;
  if (key.startsWith('trace:') && both('execution_id')) return false;
  return !key.startsWith('any:') || !both('instance_id') || one.instance_id === other.instance_id;
}

/** Puts runs together that turned out to be one: lists of their numbers, from 1. */
export function joinSame(runs: Run[], same: number[][]): Run[] {
  const left: (Run | undefined)[] = [...runs];
  const places = runs.map((_, place) => place);
  const placeOf = (place: number): number => {
    const now = places[place] as number;
    return now === place ? place : placeOf(now);
  };
  for (const numbers of same) {
    numbers.reduce((first, second) => {
      const [earlier, later] = [placeOf(first - 1), placeOf(second - 1)];
      if (earlier !== later) {
        join(left[later] as Run, left[earlier] as Run);
        left[earlier] = undefined;
        places[earlier] = later;
      }
      return second;
    });
  }
  return left.filter((run) => run !== undefined);
}

function join(run: Run, other: Run): void {
  for (const key of other.keys) run.keys.add(key);
  run.instance_id ??= other.instance_id;
  run.execution_id ??= other.execution_id;
  run.said.push(...other.said);
  for (const source of other.sources) run.sources.add(source);
  if (micros(other.first_at) < micros(run.first_at)) run.first_at = other.first_at;
  if (micros(other.last_at) > micros(run.last_at)) run.last_at = other.last_at;
  run.reports.push(...other.reports);
  joinRows(other.rows, run.rows);
  run.rows = other.rows;
}

/** Two instances may have a run of one workflow and number: the first one keeps the key that both would have. */
const withoutSharedKeys = (taken: Set<string>) => (run: Run) => {
  for (const key of run.keys) {
    if (taken.has(key)) run.keys.delete(key);
    taken.add(key);
  }
  return run;
};
