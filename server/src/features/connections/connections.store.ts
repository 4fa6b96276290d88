import type { Connection, SyncJob, SyncProgress, SyncResult } from '@rollcall/client/contract';
import type { Database } from '../../platform/database/port.ts';
import type { Rows } from '../../platform/http/page.ts';

/** A connection as it is stored: with its key sealed. */
export interface StoredFields {
  [field: string]: unknown;
  base_url?: string;
  sealed_key?: string;
  key_hint?: string;
}

export interface StoredTarget {
  id: string;
  name: string;
  base_url: string;
  sealed_key: string;
}

/** An inventory that this server has taken. */
export interface TakenSync {
  sync_id: string;
  name: string;
  base_url: string;
  sealed_key: string;
  project_id: string;
  instance_id: string;
  instance_by: Connection['instance_by'];
  /** Digests of workflows by id, as they were last time. */
  seen: Record<string, string>;
  executions_from: number | null;
  full_at: string | null;
}

export type SyncEnd =
  | { error: { code: string; detail: string } }
  | {
      result: SyncResult;
      seen: Record<string, string>;
      executions_from: number | null;
      full_at: string | null;
    };

interface Author {
  tenant: string;
  project: string;
  actor: string;
}

export const connectionsStore = (database: Database) => ({
  create: ({ tenant, project, actor }: Author, connection: StoredFields, now: Date) =>
    database.call<Connection>('create_connection', {
      p_tenant: tenant,
      p_project: project,
      p_actor: actor,
      p_connection: connection,
      p_now: now.toISOString(),
    }),

  update: (tenant: string, id: string, changes: StoredFields, now: Date) =>
    database.call<Connection>('update_connection', {
      p_tenant: tenant,
      p_id: id,
      p_changes: changes,
      p_now: now.toISOString(),
    }),

  delete: (tenant: string, id: string) =>
    database.call<Connection>('delete_connection', { p_tenant: tenant, p_id: id }),

  get: (tenant: string, id: string) =>
    database.call<Connection>('get_connection', { p_tenant: tenant, p_id: id }),

  list: (tenant: string, limit: number, after: unknown[] | null) =>
    database.call<Rows<Connection>>('list_connections', {
      p_tenant: tenant,
      p_limit: limit,
      p_after: after,
    }),

  /** By the id of a connection, or of the n8n instance that one leads to. */
  target: (tenant: string, which: string) =>
    database.call<StoredTarget>('connection_target', { p_tenant: tenant, p_which: which }),

  requestSync: (tenant: string, id: string, now: Date) =>
    database.call<SyncJob>('request_sync', {
      p_tenant: tenant,
      p_id: id,
      p_now: now.toISOString(),
    }),

  dueSyncs: (tenant: string, now: Date, lostBefore: Date) =>
    database.call<string[]>('due_syncs', {
      p_tenant: tenant,
      p_now: now.toISOString(),
      p_lost_before: lostBefore.toISOString(),
    }),

  beginSync: (tenant: string, id: string, now: Date, leasedUntil: Date) =>
    database.call<TakenSync | null>('begin_sync', {
      p_tenant: tenant,
      p_id: id,
      p_now: now.toISOString(),
      p_leased_until: leasedUntil.toISOString(),
    }),

  progressSync: (
    tenant: string,
    id: string,
    sync: string,
    leasedUntil: Date,
    progress: SyncProgress,
  ) =>
    database.call<boolean>('progress_sync', {
      p_tenant: tenant,
      p_id: id,
      p_sync: sync,
      p_leased_until: leasedUntil.toISOString(),
      p_progress: progress,
    }),

  finishSync: (tenant: string, id: string, sync: string, now: Date, end: SyncEnd) =>
    database.call<boolean>('finish_sync', {
      p_tenant: tenant,
      p_id: id,
      p_sync: sync,
      p_now: now.toISOString(),
      p_end: end,
    }),

  settleInstance: (
    tenant: string,
    id: string,
    versions: { workflow_id: string; version_id: string | null }[],
  ) =>
    database.call<string>('settle_connection_instance', {
      p_tenant: tenant,
      p_id: id,
      p_versions: versions,
    }),
});

export type ConnectionsStore = ReturnType<typeof connectionsStore>;
