import { readFile, rename, writeFile } from 'node:fs/promises';
import { CommandFailure } from '../failure.ts';
import type { LogPosition } from './log-file.ts';

const VERSION = 1;

/** Where a follower left off; undefined when it has never been here. @throws CommandFailure when the file is no such */
export async function readState(path: string): Promise<LogPosition[] | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(path, error as Error);
  }
  try {
    const state = JSON.parse(text) as { version?: unknown; files?: unknown };
    if (state.version === VERSION && Array.isArray(state.files) && state.files.every(isPosition)) {
      return state.files;
    }
  } catch {
    // Falls through to the same answer as JSON of another kind.
  }
  throw new CommandFailure(`${path} does not hold the position of a follower.`, {
    code: 'invalid_state',
    next: 'Name another file with --state; or remove this one, and add --from-start to miss nothing.',
  });
}

/** Written whole or not at all. @throws CommandFailure when it cannot be written */
export async function writeState(path: string, files: LogPosition[]): Promise<void> {
  const fresh = `${path}.new`;
  try {
    await writeFile(fresh, `${JSON.stringify({ version: VERSION, files })}\n`, { mode: 0o600 });
    await rename(fresh, path);
  } catch (error) {
    throw unusable(path, error as Error);
  }
}

const unusable = (path: string, cause: Error): CommandFailure =>
  new CommandFailure(`The position cannot be kept in ${path}: ${cause.message}.`, {
    code: 'state_unusable',
    next: 'Name a file that may be written with --state FILE.',
    cause,
  });

function isPosition(value: unknown): value is LogPosition {
  const { file, mark, marked, offset } = (value ?? {}) as Partial<LogPosition>;
  const isCount = (number: unknown) => Number.isSafeInteger(number) && (number as number) >= 0;
  return typeof file === 'string' && typeof mark === 'string' && isCount(marked) && isCount(offset);
}
