import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import pg from 'pg';
import { installedPackage } from './embedded/binaries.ts';
import { copyCluster } from './embedded/cluster.ts';
import type { Log } from './embedded/log.ts';
import { startEmbeddedPostgres } from './embedded/start.ts';
import { migrate } from './migrate.ts';
import { fingerprint, readSchema } from './schema.ts';

/** Not where each cluster has a password of its own. */
const HAS_TEMPLATES = process.platform !== 'win32';

/**
 * Where the cluster is, or would be, that first starts copy: of this PostgreSQL and this schema, beside the installed
 * packages, so that it goes when they go.
 * @throws EmbeddedPostgresError `no_binaries`
 */
export async function templateFolder(): Promise<string> {
  const { folder, version } = installedPackage();
  const packages = dirname(dirname(folder));
  const schema = fingerprint(await readSchema());
  return join(packages, '.cache', 'rollcall', `cluster-${version}-${schema}`);
}

/** Undefined when none was made. */
export async function findTemplate(): Promise<string | undefined> {
  if (!HAS_TEMPLATES) return undefined;
  const folder = await templateFolder();
  return fs.existsSync(folder) ? folder : undefined;
}

/**
 * Makes that cluster, unless it is there: a stopped one with the schema in its database, and without a tenant. Those of
 * other versions go.
 * @throws EmbeddedPostgresError as a start does; what migrating and the file system throw
 */
export async function makeTemplate(template: string, log: Log): Promise<void> {
  if (!HAS_TEMPLATES || fs.existsSync(template)) return;
  const cache = dirname(template);
  fs.mkdirSync(cache, { recursive: true });
  const draft = `${template}.${randomUUID()}`;
  const dataDir = join(tmpdir(), `rollcall-template-${randomUUID()}`);
  const database = await startEmbeddedPostgres({ dataDir, log, settings: { fsync: 'off' } });
  try {
    await migrate(database.url);
    await removeTenants(database.url);
    await database.stop();
    fs.mkdirSync(draft, { mode: 0o700 });
    await copyCluster(database.folder, draft);
    for (const name of fs.readdirSync(cache)) {
      if (name !== basename(draft)) fs.rmSync(join(cache, name), { recursive: true, force: true });
    }
    fs.renameSync(draft, template);
  } finally {
    await database.stop();
    for (const made of [draft, database.folder, dataDir]) {
      fs.rmSync(made, { recursive: true, force: true });
    }
  }
}

/** The first one is as old as the data folder, which its weekly audits go by: migrating a copy makes it. */
async function removeTenants(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('truncate rollcall.tenants cascade');
  await client.end();
}
