import type { Cadence, InstanceTimezone } from '@rollcall/client/contract';
import type { Database } from '../../platform/database/port.ts';

/** An entity whose schedules have to be read again. */
export interface StaleSchedule {
  entity_type: string;
  entity_id: string;
  definition_at: string;
  schedules: unknown;
  /** Its instance's. */
  timezone: string | null;
  /** Its last sign of life, or since when it is active. */
  since: string;
}

export interface ScheduleRow {
  entity_type: string;
  entity_id: string;
  definition_at: string;
  anchor_at: string;
  expected_at: string | null;
  longest_seconds: number | null;
  timezone: string | null;
  rules: number;
}

export const cadenceStore = (database: Database) => ({
  stale: (tenant: string, now: Date, limit: number) =>
    database.call<StaleSchedule[]>('stale_schedules', {
      p_tenant: tenant,
      p_now: now.toISOString(),
      p_limit: limit,
    }),

  save: (tenant: string, now: Date, rows: ScheduleRow[]) =>
    database.call('save_schedules', { p_tenant: tenant, p_now: now.toISOString(), p_rows: rows }),

  learn: (tenant: string, now: Date, everySeconds: number) =>
    database.call<{ learned: number }>('learn_cadence', {
      p_tenant: tenant,
      p_now: now.toISOString(),
      p_every_seconds: everySeconds,
    }),

  get: (tenant: string, type: string, id: string) =>
    database.call<Cadence>('get_cadence', { p_tenant: tenant, p_type: type, p_id: id }),

  setTimezone: (tenant: string, instance: string, timezone: string | null) =>
    database.call<InstanceTimezone>('set_instance_timezone', {
      p_tenant: tenant,
      p_instance: instance,
      p_timezone: timezone,
    }),
});

export type CadenceStore = ReturnType<typeof cadenceStore>;
