import * as fs from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { mayEnter, NOBODY, runsAsRoot, type Account } from './account.ts';
import { unusable } from './error.ts';
import { makePrivateIn, sharedFolder } from './folders.ts';
import type { Log } from './log.ts';
import { socketFolder } from './socket.ts';

/** Where a cluster lives. The folders exist, except `data` before the first start. */
export interface Placement {
  /** The cluster itself, links resolved. */
  data: string;
  /** Holds the socket, and the links to the libraries. */
  run: string;
  /** Who PostgreSQL runs as; undefined for this very user. */
  account: Account | undefined;
}

/**
 * Chooses and prepares the folders of the cluster of `dataDir` (links resolved). As root, a cluster that
 * PostgreSQL's user could not get to is put elsewhere, with a link to it at `<dataDir>/postgres`.
 * @throws EmbeddedPostgresError `data_folder_unusable`
 */
export function place(dataDir: string, log: Log): Placement {
  const entry = join(dataDir, 'postgres');
  const linked = fs.lstatSync(entry, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  let data = linked ? follow(entry) : entry;
  const account = accountFor(data);
  if (account && !mayEnter(account, dirname(data))) {
    if (linked) {
      throw unusable(
        `PostgreSQL's user (uid ${account.uid}) cannot get to ${data}, where ${entry} points to. Let ` +
          'others pass through the folders above it (chmod o+x), or run Rollcall as an ordinary user.',
      );
    }
    data = relocate(entry, account);
    log.warn(
      { folder: data, link: entry },
      `Running as root, and PostgreSQL must not: its user (uid ${account.uid}) cannot get to ${dataDir}, ` +
        `so the database lives in ${data}. To keep it with the other data, use a folder that others may ` +
        'pass through (chmod o+x on it and those above), or run Rollcall as an ordinary user.',
    );
  }
  return { data, run: socketFolder(dataDir, data, account, log), account };
}

function follow(entry: string): string {
  const target = resolve(dirname(entry), fs.readlinkSync(entry));
  if (!fs.existsSync(dirname(target))) {
    throw unusable(
      `The database is kept in ${target}, where ${entry} points to, and that is gone. Bring it back, or ` +
        `remove the link ${entry} to begin with an empty database.`,
    );
  }
  return join(fs.realpathSync(dirname(target)), basename(target));
}

function accountFor(data: string): Account | undefined {
  const owner = fs.statSync(data, { throwIfNoEntry: false });
  if (runsAsRoot()) {
    // A cluster that an ordinary user made stays that user's.
    return owner && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : NOBODY;
  }
  const self = process.getuid?.();
  if (owner && self !== undefined && owner.uid !== self) {
    throw unusable(
      `The database in ${data} belongs to user ${owner.uid}, and this is user ${self}. Start Rollcall as ` +
        `that user or as root, or have it handed over: chown -R ${self} ${data}`,
    );
  }
  return undefined;
}

function relocate(entry: string, account: Account): string {
  const home = makePrivateIn(sharedFolder(account), 'data', account);
  const data = join(home, 'postgres');
  try {
    if (fs.existsSync(entry)) fs.renameSync(entry, data);
  } catch (error) {
    fs.rmdirSync(home);
    throw unusable(
      `PostgreSQL's user (uid ${account.uid}) can no longer get to ${entry}, and it cannot be moved to ` +
        `${home}. Let others pass through the folders above it (chmod o+x).`,
      error,
    );
  }
  fs.symlinkSync(data, entry);
  return data;
}
