import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { mayEnter, type Account } from './account.ts';
import { unusable } from './error.ts';
import { isInSharedFolder, isPrivate, makePrivate, makePrivateIn } from './folders.ts';
import type { Log } from './log.ts';

/** Only names the socket's file: nothing listens on TCP where there are sockets. */
export const SOCKET_PORT = 5432;

/** Bytes that the system has for a socket's path, less the name of its file. */
const LONGEST_FOLDER =
  (process.platform === 'linux' ? 107 : 103) - `/.s.PGSQL.${SOCKET_PORT}`.length;

/**
 * Makes the folder for the socket: `<dataDir>/run`, or where that link points to when PostgreSQL's user
 * cannot reach the data folder or the path is too long for a socket.
 * @throws EmbeddedPostgresError `data_folder_unusable`
 */
export function socketFolder(
  dataDir: string,
  data: string,
  account: Account | undefined,
  log: Log,
): string {
  const entry = join(dataDir, 'run');
  if ((!account || mayEnter(account, dataDir)) && fits(entry)) {
    if (fs.lstatSync(entry, { throwIfNoEntry: false })?.isSymbolicLink()) fs.unlinkSync(entry);
    makePrivate(entry, account);
    return entry;
  }
  const known = readLink(entry);
  if (known !== undefined && fits(known) && isPrivate(known, account)) return known;
  const folder = elsewhere(dirname(data), account);
  fs.rmSync(entry, { recursive: true, force: true });
  fs.symlinkSync(folder, entry);
  log.info({ folder, link: entry }, 'The socket of the database cannot be kept in the data folder');
  return folder;
}

function elsewhere(home: string, account: Account | undefined): string {
  const beside = join(home, 'run');
  if (isInSharedFolder(home) && fits(beside)) {
    makePrivate(beside, account);
    return beside;
  }
  for (const parent of [tmpdir(), '/tmp']) {
    if (account && !mayEnter(account, parent)) continue;
    if (fits(join(parent, 'rollcall-XXXXXX'))) return makePrivateIn(parent, 'rollcall', account);
  }
  throw unusable(
    'There is no folder for the socket of the database: set TMPDIR to one with a short path.',
  );
}

function fits(folder: string): boolean {
  return process.platform === 'win32' || Buffer.byteLength(folder) <= LONGEST_FOLDER;
}

function readLink(entry: string): string | undefined {
  try {
    return fs.readlinkSync(entry);
  } catch {
    return undefined;
  }
}
