import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Connection } from '../../server/src/platform/database/embedded/start.ts';
import { runningCluster } from './running.ts';

export interface TestDatabase {
  url: string;
  connection: Connection;
  /** Ends whatever is still connected. */
  drop(): Promise<void>;
}

/** Makes an empty database, or a copy of a template, that nobody else uses. */
export async function createDatabase(options: { template?: string } = {}): Promise<TestDatabase> {
  const name = `test_${process.pid}_${randomBytes(6).toString('hex')}`;
  const template = options.template ?? 'template0';
  // Copied as files: nothing here is written to disk, and the log has not to carry the template.
  const copy = `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`;
  await withMaintenance((client) => client.query(copy));
  return {
    url: urlOf(name),
    connection: { ...runningCluster(), database: name },
    drop: () =>
      withMaintenance(async (client) => {
        await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      }),
  };
}

/**
 * Makes a template for `createDatabase`, once in a run, whichever worker comes first; others wait.
 * @param name a plain SQL identifier
 * @param prepare fills the database at `url`; when it fails nothing is kept
 * @returns the name
 */
export async function templateOnce(
  name: string,
  prepare: (url: string) => Promise<void>,
): Promise<string> {
  await withMaintenance(async (client) => {
    await client.query('SELECT pg_advisory_lock(hashtext($1))', [name]);
    const known = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (known.rowCount) return;
    const draft = `${name}_draft`;
    await client.query(`DROP DATABASE IF EXISTS ${draft} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${draft} TEMPLATE template0`);
    await prepare(urlOf(draft));
    // A database is copied and renamed only while nobody is connected to it.
    await client.query(`ALTER DATABASE ${draft} ALLOW_CONNECTIONS false`);
    await client.query(
      'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1',
      [draft],
    );
    await client.query(`ALTER DATABASE ${draft} RENAME TO ${name}`);
  });
  return name;
}

async function withMaintenance<Result>(use: (client: pg.Client) => Promise<Result>) {
  const client = new pg.Client(runningCluster());
  await client.connect();
  try {
    return await use(client);
  } finally {
    // Its locks go with it.
    await client.end();
  }
}

function urlOf(database: string): string {
  const { host, port, user, password } = runningCluster();
  const who = password === undefined ? user : `${user}:${encodeURIComponent(password)}`;
  return `postgresql://${who}@${encodeURIComponent(host)}:${port}/${database}`;
}
