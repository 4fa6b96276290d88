import type { LiveTelemetry } from '@rollcall/client/contract';
import type { Database } from '../../platform/database/port.ts';

/** For as long, and as many rows of a tenant, a reader may be away and go on where it was. */
const KEEP_SECONDS = 3_600;
const KEEP_ROWS = 50_000;

export const liveStore = (database: Database) => ({
  announceTelemetry: (tenant: string, summary: LiveTelemetry) =>
    database.call<true>('announce_telemetry', { p_tenant: tenant, p_summary: summary }),

  trim: (tenant: string, now: Date, keepSeconds = KEEP_SECONDS, keepRows = KEEP_ROWS) =>
    database.call<{ removed: number }>('trim_live', {
      p_tenant: tenant,
      p_now: now.toISOString(),
      p_keep_seconds: keepSeconds,
      p_keep_rows: keepRows,
    }),
});

export type LiveStore = ReturnType<typeof liveStore>;

/** One tenant after another. */
export async function trimAllTenants(
  listTenants: () => Promise<string[]>,
  store: LiveStore,
  now: Date,
): Promise<void> {
  for (const tenant of await listTenants()) await store.trim(tenant, now);
}
