import type { ExecutionReport, TelemetryEvent } from '@rollcall/client/contract';
import type { Log } from '../../platform/log.ts';
import type { Origin, ReportExecutions } from './executions.ts';

/** An event as telemetry has stored it. */
type StoredEvent = TelemetryEvent & { timestamp: string };

/** Runs that wait to be reported; more are not, and the log says how many. */
const RUNS_AT_MOST = 20_000;
/** What telemetry tells of executions must not slow telemetry down: runs in one go while more events than these come. */
const BUSY = { events: 1_000, runs: 50 };
/** Runs in one go at other times. */
const RUNS_AT_ONCE = 500;
/** A warning a minute tells as much as one a second. */
const FLUSHES_A_WARNING = 60;

/**
 * What an event of the Telemetry Emit node says of the execution that it was sent from: that it runs, or how it
 * ended. Undefined for events that speak of no n8n execution.
 */
export function reportFrom(event: StoredEvent): ExecutionReport | undefined {
  const { protocol, workflow_id, execution_id, metadata = {}, timestamp } = event;
  if (protocol !== 'n8n' || workflow_id === undefined || execution_id === undefined)
    return undefined;
  const word = (field: string) =>
    typeof metadata[field] === 'string' ? metadata[field].slice(0, 255) || undefined : undefined;
  const report: ExecutionReport = {
    source: 'emit',
    workflow_id,
    execution_id,
    status: 'running',
    at: timestamp,
    ...(event.project_id && { project_id: event.project_id }),
    ...(event.trace_id && { trace_id: event.trace_id }),
  };
  const [instance_id, workflow_name, mode] = [
    word('instance_id'),
    word('workflow_name'),
    word('mode')?.slice(0, 64),
  ];
  if (instance_id) report.instance_id = instance_id;
  if (workflow_name) report.workflow_name = workflow_name;
  if (mode) report.mode = mode;
  if (event.operation === 'workflow.finished') return { ...report, status: 'success' };
  // An Error Trigger tells of an execution that has failed, in another one.
  if (event.status === 'error' && metadata.execution_url !== undefined) {
    delete report.instance_id;
    const error = {
      message: event.error_message ?? '',
      ...(event.error_type && { type: event.error_type }),
      ...(event.operation && { node: event.operation }),
    };
    return { ...report, status: 'error', error };
  }
  return report;
}

/** What is known of a run: its earliest word, and its end or else the latest one. */
interface Told {
  origin: Origin;
  first: ExecutionReport;
  last: ExecutionReport;
}

function saysMore(told: ExecutionReport, known: ExecutionReport): boolean {
  const ended = told.status !== 'running';
  if (ended !== (known.status !== 'running')) return ended;
  return `${told.at}` > `${known.at}`;
}

/** Reports executions that telemetry speaks of, a little later and a few at a time; no caller waits for it. */
export function emittedRuns(report: ReportExecutions, log: Log) {
  const waiting = new Map<string, Told>();
  let left = 0;
  let flushes = FLUSHES_A_WARNING;
  let eventsSinceFlush = 0;

  function note(origin: Origin, events: StoredEvent[]): void {
    eventsSinceFlush += events.length;
    for (const event of events) {
      const told = reportFrom(event);
      if (!told) continue;
      // Instances that hold copies of a workflow count their executions alike.
      const { instance_id, workflow_id, execution_id } = told;
      const key = JSON.stringify([origin.tenant, instance_id, workflow_id, execution_id]);
      add(key, { origin, first: told, last: told });
    }
  }

  function add(key: string, told: Told): void {
    const known = waiting.get(key);
    if (!known && waiting.size >= RUNS_AT_MOST) {
      left += 1;
      return;
    }
    if (!known) waiting.set(key, told);
    else {
      if (`${told.first.at}` < `${known.first.at}`) known.first = told.first;
      if (saysMore(told.last, known.last)) known.last = told.last;
    }
  }

  async function flush(
    most = eventsSinceFlush > BUSY.events ? BUSY.runs : RUNS_AT_ONCE,
  ): Promise<void> {
    eventsSinceFlush = 0;
    const batch = waiting.entries().take(most).toArray();
    for (const [key] of batch) waiting.delete(key);
    const byTenant = Map.groupBy(batch, ([, { origin }]) => origin.tenant);
    const failures: unknown[] = [];
    for (const told of byTenant.values()) {
      try {
        const reports = told.flatMap(([, { first, last }]) => [...new Set([first, last])]);
        await report((told[0] as [string, Told])[1].origin, reports);
      } catch (error) {
        for (const [key, one] of told) add(key, one);
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    flushes += 1;
    if (left === 0 || flushes < FLUSHES_A_WARNING) return;
    log.warn({ runs: left }, 'Telemetry told of more executions than could be noted');
    left = flushes = 0;
  }

  /** Reports what still waits; gives up where the database is away. */
  async function drain(): Promise<void> {
    try {
      while (waiting.size > 0) await flush(1_000);
    } catch (error) {
      log.warn(
        { err: error, runs: waiting.size },
        'Telemetry told of executions that were not noted',
      );
    }
  }

  return { note, flush, drain };
}
