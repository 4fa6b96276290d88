import { SOCKET_PORT } from './socket.ts';

/** Where the database listens: in a private folder, or where there are no sockets on 127.0.0.1. */
export type Listening = { socketFolder: string } | { port: number };

/**
 * The server's settings, given on its command line so that they follow this file and not the day on
 * which the cluster was made. Lean, for one application beside it; what is acknowledged is on disk.
 */
const SETTINGS: Record<string, string> = {
  shared_buffers: '128MB',
  work_mem: '8MB',
  maintenance_work_mem: '64MB',
  effective_cache_size: '1GB',
  max_connections: '60',
  max_worker_processes: '4',
  max_parallel_workers: '2',
  max_parallel_workers_per_gather: '1',
  autovacuum_max_workers: '2',
  jit: 'off',
  random_page_cost: '1.1',
  timezone: 'UTC',

  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  // Nothing replicates from here; the log then only serves recovery, and less is written to it.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  max_wal_size: '1GB',
  min_wal_size: '128MB',
  wal_buffers: '8MB',
  checkpoint_timeout: '10min',

  // Statements' errors go to the client; logged, they could hold payloads and fill the disk.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
};

/** Programs' default there stops at the drive's cache, which power loss empties. */
const UNTIL_THE_PLATTER = { wal_sync_method: 'fsync_writethrough' };

/** Ends what a killed client was waiting for; Windows cannot tell. */
const NOTICE_LOST_CLIENTS = { client_connection_check_interval: '1s' };

const BY_PLATFORM: Partial<Record<NodeJS.Platform, Record<string, string>>> = {
  linux: NOTICE_LOST_CLIENTS,
  darwin: { ...NOTICE_LOST_CLIENTS, ...UNTIL_THE_PLATTER },
  win32: UNTIL_THE_PLATTER,
};

/** The server's command line, after its data folder; `changes` win over the defaults. */
export function settingArguments(listening: Listening, changes: Record<string, string>): string[] {
  const all = { ...SETTINGS, ...BY_PLATFORM[process.platform], ...changes, ...address(listening) };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function address(listening: Listening): Record<string, string> {
  if ('port' in listening) {
    return { listen_addresses: '127.0.0.1', port: String(listening.port) };
  }
  return {
    listen_addresses: '',
    port: String(SOCKET_PORT),
    // The setting is a list: quoted, a comma in the path does not end it.
    unix_socket_directories: `"${listening.socketFolder.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
  };
}
