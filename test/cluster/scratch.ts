import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../../server/src/platform/database/embedded/start.ts';
import { folderForDatabases } from './folder.ts';
import { removeDataDir } from './remove.ts';

/** A data folder of a test's own, and the embedded databases it starts there. */
export interface Scratch {
  /** Not made yet. */
  dataDir: string;
  warnings: string[];
  /** What was told beside warnings. */
  infos: object[];
  /** @param options.template a cluster to copy where one has to be made */
  start(options?: { template?: string | undefined }): Promise<EmbeddedPostgres>;
  /** Starts it in another Node process, which holds it until it is killed. */
  startElsewhere(): Promise<Holder>;
  /** Ends what was started, by whomever, and removes all that is left. */
  clear(): Promise<void>;
}

export interface Holder {
  process: ChildProcess;
  /** Of the database, not of its Node process. */
  pid: number;
  url: string;
  /** Without a chance to stop the database. */
  kill(): Promise<void>;
}

/**
 * @param mode of the folder around the data folder: 0o700 keeps other users out
 * @param name of the data folder
 */
export function makeScratch({ mode = 0o711, name = 'data' } = {}): Scratch {
  const folder = mkdtempSync(join(folderForDatabases(), 'rollcall-scratch-'));
  chmodSync(folder, mode);
  const dataDir = join(folder, name);
  const warnings: string[] = [];
  const infos: object[] = [];
  const log = {
    info: (told: object) => void infos.push(told),
    warn: (_: object, text: string) => void warnings.push(text),
    error() {},
  };
  const begun: { stop(): Promise<void> }[] = [];
  return {
    dataDir,
    warnings,
    infos,
    async start({ template } = {}) {
      const find = () => Promise.resolve(template);
      const server = await startEmbeddedPostgres({ dataDir, log, template: find });
      begun.push(server);
      return server;
    },
    async startElsewhere() {
      const holder = await startHolder(dataDir);
      begun.push({ stop: holder.kill });
      return holder;
    },
    async clear() {
      for (const server of begun) await server.stop();
      await removeDataDir(dataDir);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The rows that one statement answers. */
export async function ask(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

/** A Node process that starts the database in `dataDir` and says so in a line of JSON. */
export function spawnHolder(dataDir: string): ChildProcess {
  const module = new URL('../../server/src/platform/database/embedded/start.ts', import.meta.url);
  const script = `
    import { startEmbeddedPostgres } from ${JSON.stringify(module.href)};
    const log = { info() {}, warn() {}, error() {} };
    const { pid, url } = await startEmbeddedPostgres({ dataDir: process.argv[1], log });
    console.log(JSON.stringify({ pid, url }));
    setInterval(() => {}, 60_000);
  `;
  return spawn(process.execPath, ['--input-type=module', '-e', script, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function startHolder(dataDir: string): Promise<Holder> {
  const child = spawnHolder(dataDir);
  const ended = once(child, 'exit');
  if (!child.stdout) throw new Error('The output is piped');
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), 'line'),
    ended.then(() => Promise.reject(new Error('The other process could not start the database'))),
  ])) as [string];
  const { pid, url } = JSON.parse(line) as { pid: number; url: string };
  return {
    process: child,
    pid,
    url,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
