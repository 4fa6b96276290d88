import * as fs from 'node:fs';
import type { Account } from './account.ts';

const LIMIT_BYTES = 4 * 1024 * 1024;
const LINES_IN_ERROR = 20;

/**
 * Opens the server's log for appending. A long one makes room first and is kept as `<file>.1`.
 * @returns the descriptor, for the server to write to, and the byte where this start's lines begin
 */
export function openLog(
  file: string,
  account: Account | undefined,
): { descriptor: number; from: number } {
  const size = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const isLong = size > LIMIT_BYTES;
  if (isLong) fs.renameSync(file, `${file}.1`);
  const descriptor = fs.openSync(file, 'a', 0o600);
  // So that the user of the cluster can also start it without root.
  if (account) fs.fchownSync(descriptor, account.uid, account.gid);
  return { descriptor, from: isLong ? 0 : size };
}

/** The last lines of what was written after the byte `from`. */
export function lastLines(file: string, from: number): string {
  const text = fs.readFileSync(file).subarray(from).toString('utf8').trim();
  return text.split('\n').slice(-LINES_IN_ERROR).join('\n');
}
