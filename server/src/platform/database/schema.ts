import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export interface SchemaText {
  name: string;
  text: string;
  /** SHA-256 of the text, hex. */
  checksum: string;
}

export interface Schema {
  bootstrap: string;
  /** Drops the disposable part, so that a migration may change what it was built on. */
  clear: string;
  /** In order; applied once each. */
  migrations: SchemaText[];
  /** Everything that every migrate builds anew: rollcall_api, public, grants. */
  disposable: SchemaText;
}

const folder = fileURLToPath(new URL('../../../sql/', import.meta.url));

/** Reads the schema's SQL as it stands beside this server. */
export async function readSchema(): Promise<Schema> {
  const read = (path: string) => readFile(folder + path, 'utf8');
  const list = async (path: string) =>
    (await readdir(folder + path)).filter((name) => name.endsWith('.sql')).sort();
  const all = async (path: string) =>
    Promise.all((await list(path)).map((name) => read(`${path}/${name}`)));

  const migrations = await Promise.all(
    (await list('migrations')).map(async (name) => named(name, await read(`migrations/${name}`))),
  );
  const disposable = [...(await all('api')), ...(await all('public')), await read('grants.sql')];
  return {
    bootstrap: await read('bootstrap.sql'),
    clear: await read('clear.sql'),
    migrations,
    disposable: named('disposable', disposable.join('\n')),
  };
}

function named(name: string, text: string): SchemaText {
  return { name, text, checksum: createHash('sha256').update(text).digest('hex') };
}

/** Differs when anything in the schema does. */
export function fingerprint({ bootstrap, clear, migrations, disposable }: Schema): string {
  const parts = [bootstrap, clear, ...[...migrations, disposable].map(({ checksum }) => checksum)];
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16);
}
