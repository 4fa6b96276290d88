import { createHash } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** How far a file has been read. It stays the same file when n8n renames it. */
export interface LogPosition {
  /** Device and inode. */
  file: string;
  /** Of the first `marked` bytes: an inode may be given to another file. */
  mark: string;
  marked: number;
  /** Bytes that are done with: where the next line begins. */
  offset: number;
}

/** One of n8n's log files, as it is found now. */
export interface LogFile {
  path: string;
  file: string;
  size: number;
}

const MARK_BYTES = 1_024;

/**
 * The log and what n8n has renamed it to, oldest first. At each start, and when the log has grown too large, n8n makes
 * `n8nEventLog.log` into `n8nEventLog-1.log`, that into `-2`, and so on, and begins a new one.
 */
export async function logFiles(path: string): Promise<LogFile[]> {
  const base = basename(path).replace(/\.log$/, '');
  const rotated = new RegExp(`^${base.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}-(\\d{1,6})\\.log$`);
  const older = (await readdir(dirname(path)).catch(() => []))
    .flatMap((name) => {
      const age = rotated.exec(name)?.[1];
      return age === undefined ? [] : [{ name, age: Number(age) }];
    })
    .sort((one, other) => other.age - one.age)
    .map(({ name }) => join(dirname(path), name));
  const found = await Promise.all([...older, path].map(describe));
  return found.filter((file) => file !== undefined);
}

async function describe(path: string): Promise<LogFile | undefined> {
  try {
    const { dev, ino, size } = await stat(path, { bigint: true });
    return { path, file: `${dev}:${ino}`, size: Number(size) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Bytes of a file from a place on; fewer than asked for at its end, none when it is gone. */
export async function readBytes(path: string, from: number, length: number): Promise<Buffer> {
  try {
    const handle = await open(path, 'r');
    try {
      const buffer = Buffer.alloc(length);
      let read = 0;
      while (read < length) {
        const { bytesRead } = await handle.read(buffer, read, length - read, from + read);
        if (bytesRead === 0) break;
        read += bytesRead;
      }
      return buffer.subarray(0, read);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isMissing(error)) return Buffer.alloc(0);
    throw error;
  }
}

/** A position in a file, with a mark by which the file is known again. */
export async function positionIn({ path, file }: LogFile, offset: number): Promise<LogPosition> {
  const bytes = await readBytes(path, 0, Math.min(offset, MARK_BYTES));
  return { file, mark: markOf(bytes), marked: bytes.length, offset };
}

/** Whether a position is one in this file: it is not when the file was cut short or another one took its place. */
export async function isIn(position: LogPosition, { path, file, size }: LogFile): Promise<boolean> {
  if (position.file !== file || size < position.offset) return false;
  return markOf(await readBytes(path, 0, position.marked)) === position.mark;
}

const markOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64url');
