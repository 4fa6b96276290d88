import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { mayEnter, runsAsRoot, type Account } from './account.ts';
import { unusable } from './error.ts';

const SHARED_FOLDERS = ['/var/lib/rollcall', join(tmpdir(), 'rollcall-root')];

/**
 * Makes the folder that holds everything and answers its path, links resolved. Private, except that as
 * root it may be passed through: PostgreSQL, then another user, has to get to its own folder in it.
 */
export function makeDataDir(dataDir: string): string {
  const first = fs.mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  if (first !== undefined && runsAsRoot()) {
    const top = resolve(first);
    for (let made = resolve(dataDir); made.length >= top.length; made = dirname(made)) {
      fs.chmodSync(made, 0o711);
    }
  }
  return fs.realpathSync(dataDir);
}

/** Makes a folder that only the account (or, without one, this user) can look into. */
export function makePrivate(folder: string, account: Account | undefined): void {
  if (fs.mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined) give(folder, account);
}

/** Makes a private folder with a new name: the prefix, a dash and something random. */
export function makePrivateIn(
  parent: string,
  prefix: string,
  account: Account | undefined,
): string {
  const folder = fs.mkdtempSync(join(parent, `${prefix}-`));
  give(folder, account);
  return folder;
}

/** Whether the folder is one that `makePrivate` made for this account: a link or another's is not. */
export function isPrivate(folder: string, account: Account | undefined): boolean {
  const found = fs.lstatSync(folder, { throwIfNoEntry: false });
  const uid = account?.uid ?? process.getuid?.();
  return found !== undefined && found.isDirectory() && found.uid === uid && !(found.mode & 0o077);
}

/** Root's folder for what the account cannot reach in its usual place; others can pass through it. */
export function sharedFolder(account: Account): string {
  for (const folder of SHARED_FOLDERS) {
    try {
      if (fs.mkdirSync(folder, { recursive: true }) !== undefined) fs.chmodSync(folder, 0o711);
      const found = fs.lstatSync(folder);
      // Where everybody may write, another user may have been there first.
      const ours = found.isDirectory() && found.uid === 0 && !(found.mode & 0o022);
      if (ours && mayEnter(account, folder)) return fs.realpathSync(folder);
    } catch {
      continue;
    }
  }
  throw unusable(
    `PostgreSQL, which must not run as root, cannot reach the data folder, and neither ` +
      `${SHARED_FOLDERS.join(' nor ')} can be used instead. Run Rollcall as an ordinary user, or set ` +
      'DATABASE_URL to another PostgreSQL.',
  );
}

/** Whether the folder was made in a shared folder, and so is Rollcall's own. */
export function isInSharedFolder(folder: string): boolean {
  return SHARED_FOLDERS.some(
    (shared) => fs.existsSync(shared) && fs.realpathSync(shared) === dirname(folder),
  );
}

/** Hands the file or folder to the account, if there is one. */
export function give(path: string, account: Account | undefined): void {
  if (!account) return;
  try {
    fs.chownSync(path, account.uid, account.gid);
  } catch (error) {
    throw unusable(
      `PostgreSQL must not run as root, and ${path} cannot be handed to another user (uid ${account.uid}). ` +
        'Run Rollcall as an ordinary user, or set DATABASE_URL to another PostgreSQL.',
      error,
    );
  }
}
