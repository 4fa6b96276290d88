import type { StoredTelemetryEvent, TelemetryFilter } from '@rollcall/client/contract';
import type { Database } from '../../platform/database/port.ts';
import type { Rows } from '../../platform/http/page.ts';
import type { ReadyEvent } from './prepare.ts';

export interface Committed {
  accepted: number;
  /** Event ids that were stored before. */
  duplicates: string[];
}

/** @param ingest, query two doors to one database, so that slow reading never holds back an acknowledgement */
export const telemetryStore = (ingest: Database, query: Database) => ({
  ingest: (tenant: string, events: ReadyEvent[]) =>
    ingest.call<Committed>('ingest_telemetry', {
      p_tenant: tenant,
      p_events: inKeyOrder(events),
      p_days: [...new Set(events.map(({ timestamp }) => timestamp.slice(0, 10)))],
    }),

  list: (tenant: string, filter: TelemetryFilter, limit: number, after: unknown[] | null) =>
    query.call<Rows<StoredTelemetryEvent>>('list_telemetry', {
      p_tenant: tenant,
      p_filter: filter,
      p_limit: limit,
      p_after: after,
    }),

  /** One hour, the latest that is over and not folded; its `hour` is null when there is none. */
  foldHour: (tenant: string, now: Date) =>
    query.call<{ hour: string | null }>('fold_hour', {
      p_tenant: tenant,
      p_now: now.toISOString(),
    }),

  enforceRetention: (now: Date, telemetryDays: number, rollupDays: number) =>
    query.call<{ dropped: string[] }>('enforce_retention', {
      p_now: now.toISOString(),
      p_telemetry_days: telemetryDays,
      p_rollup_days: rollupDays,
    }),
});

/** Two servers that store the same events in other orders would deadlock. */
const inKeyOrder = (events: ReadyEvent[]): ReadyEvent[] =>
  events.toSorted((a, b) => (a.event_id < b.event_id ? -1 : 1));

export type TelemetryStore = ReturnType<typeof telemetryStore>;
