import { join } from 'node:path';
import { findBinaries } from './binaries.ts';
import { ensureCluster, lacksCluster, NAME } from './cluster.ts';
import { makeDataDir } from './folders.ts';
import { endLeftovers } from './leftover.ts';
import { listen, type Connection } from './listening.ts';
import type { Log } from './log.ts';
import { own } from './owner.ts';
import { place } from './placement.ts';
import { startPostmaster, type Exit } from './postmaster.ts';
import { settingArguments } from './settings.ts';

export { EmbeddedPostgresError } from './error.ts';
export type { Connection } from './listening.ts';

export interface EmbeddedPostgres {
  connection: Connection;
  /** For psql and for pg. */
  url: string;
  pid: number;
  /** Ends the database cleanly, with force after some seconds; safe to call again. */
  stop(): Promise<void>;
  /** Where the cluster is. */
  folder: string;
  /** Resolves if the database dies by itself, never after `stop`. */
  exited: Promise<Exit>;
}

export interface EmbeddedPostgresOptions {
  /** Holds `postgres`, `run`, `postgres.log` and `owner.json`; made if missing. */
  dataDir: string;
  log: Log;
  /** PostgreSQL settings that win over ours. */
  settings?: Record<string, string>;
  /** Asked for a stopped cluster of the same PostgreSQL to copy where one has to be made; initdb makes it otherwise. */
  template?: () => Promise<string | undefined>;
  /** Called when initdb or the copy is at work, or where nothing has to be made; what it begins runs while the database starts. */
  meanwhile?: () => void;
}

/**
 * Starts the PostgreSQL that comes with Rollcall as a child process on `<dataDir>/postgres`, making the
 * cluster the first time. One process owns a data folder at a time; the database of one that was killed is
 * stopped first. As root it runs as another user, elsewhere if that user cannot reach the folder.
 *
 * Signals are the caller's: call `stop` when asked to end.
 * @throws EmbeddedPostgresError with a code and what to do next
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const { log, settings = {}, meanwhile } = options;
  const began = performance.now();
  const dataDir = makeDataDir(options.dataDir);
  const release = await own(dataDir);
  try {
    const placement = place(dataDir, log);
    const binaries = await findBinaries(placement, log);
    const staleOwner = await endLeftovers(placement.data, log);
    const { listening, connection, url, passwordFile } = await listen(dataDir, placement.run, NAME);
    const template = lacksCluster(placement) ? await options.template?.() : undefined;
    const making = ensureCluster(binaries, placement, {
      passwordFile,
      sync: settings.fsync !== 'off',
      template,
    });
    // initdb or the copy runs by now: whatever comes next in this process delays nothing.
    meanwhile?.();
    const made = await making;
    const postmaster = await startPostmaster(
      binaries,
      placement,
      settingArguments(listening, settings),
      { logFile: join(dataDir, 'postgres.log'), staleOwner },
    );
    const { pid } = postmaster;
    const folder = placement.data;
    const ms = Math.round(performance.now() - began);
    log.info({ pid, folder, made: made ?? false, ms }, 'The embedded database is ready');
    let stopping = false;
    const exited = new Promise<Exit>((resolve) => {
      void postmaster.ended.then((exit) => {
        release();
        if (!stopping) resolve(exit);
      });
    });
    return {
      connection,
      url,
      pid,
      folder,
      exited,
      stop: async () => {
        stopping = true;
        await postmaster.stop();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}
