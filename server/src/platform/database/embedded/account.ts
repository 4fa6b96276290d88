import { realpathSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';

/** The user that PostgreSQL runs as when Rollcall itself is root, which PostgreSQL refuses to be. */
export interface Account {
  uid: number;
  gid: number;
}

export const NOBODY: Account = { uid: 65534, gid: 65534 };

export function runsAsRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Whether the account gets through the folder and every one above it; links are followed first. */
export function mayEnter(account: Account, folder: string): boolean {
  for (let here = realpathSync(folder); ; here = dirname(here)) {
    if (!may(account, statSync(here), 0o1)) return false;
    if (dirname(here) === here) return true;
  }
}

/** Whether the account may read the file (and run it, with `execute`) and reach it at all. */
export function mayRead(account: Account, file: string, execute = false): boolean {
  return may(account, statSync(file), execute ? 0o5 : 0o4) && mayEnter(account, dirname(file));
}

function may(account: Account, entry: Stats, bits: number): boolean {
  const shift = entry.uid === account.uid ? 6 : entry.gid === account.gid ? 3 : 0;
  return ((entry.mode >> shift) & bits) === bits;
}
