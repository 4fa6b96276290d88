import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { EmbeddedPostgresError } from './error.ts';
import { isSameProcess, startOf } from './processes.ts';

/** An owner in another container cannot be looked up: it lives while it touches its file so often. */
const BEAT_MS = 5_000;

interface Owner {
  pid: number;
  start: string;
  host: string;
  token: string;
}

/**
 * Makes this process the only owner of the data folder until the returned function is called. What a
 * dead process left behind does not count, whether or not its number is in use again.
 * @param beatMs how often a living owner touches its file
 * @throws EmbeddedPostgresError `already_running`, naming the owner's pid and the folder
 */
export async function own(dataDir: string, beatMs = BEAT_MS): Promise<() => void> {
  const file = join(dataDir, 'owner.json');
  const mine: Owner = {
    pid: process.pid,
    start: startOf(process.pid) ?? '',
    host: hostname(),
    token: randomUUID(),
  };
  // Each round ends or removes one stale file, so a few are enough.
  for (let round = 0; round < 5; round++) {
    if (create(file, mine)) {
      const beat = setInterval(() => touch(file), beatMs).unref();
      return () => {
        clearInterval(beat);
        if (parse(read(file))?.token === mine.token) fs.rmSync(file, { force: true });
      };
    }
    const found = read(file);
    const owner = parse(found);
    if (owner && isSameProcess(owner.pid, owner.start)) throw taken(dataDir, owner);
    if (owner && owner.host !== hostname() && (await beats(file, beatMs))) {
      throw taken(dataDir, owner);
    }
    if (found !== undefined) discard(file, found);
  }
  throw new EmbeddedPostgresError(
    'already_running',
    `Other Rollcall servers are starting on ${dataDir} at this moment. Start one at a time.`,
  );
}

function taken(dataDir: string, owner: Owner): EmbeddedPostgresError {
  const where = owner.host === hostname() ? '' : ` on ${owner.host}`;
  const who =
    owner.pid === process.pid ? 'This process' : `A Rollcall server (pid ${owner.pid}${where})`;
  return new EmbeddedPostgresError(
    'already_running',
    `${who} already runs the database in ${dataDir}. Stop that server first (kill ${owner.pid}), ` +
      'use it as it is, or give this one another folder with ROLLCALL_DATA_DIR.',
  );
}

/** The file appears with its whole content or not at all, so that nobody reads half of it. */
function create(file: string, owner: Owner): boolean {
  const draft = `${file}.${owner.token}`;
  fs.writeFileSync(draft, JSON.stringify(owner), { mode: 0o644 });
  try {
    return placeUnlessThere(draft, file);
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

function placeUnlessThere(draft: string, file: string): boolean {
  try {
    fs.linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
  }
  // Some file systems have no hard links.
  try {
    fs.copyFileSync(draft, file, fs.constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the file that was judged stale, and puts back one that another server made meanwhile. */
function discard(file: string, judged: string): void {
  const aside = `${file}.${randomUUID()}`;
  try {
    fs.renameSync(file, aside);
  } catch {
    return;
  }
  try {
    if (read(aside) !== judged) placeUnlessThere(aside, file);
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

async function beats(file: string, beatMs: number): Promise<boolean> {
  const before = fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  if (before === undefined || Date.now() - before > 3 * beatMs) return false;
  await wait(2 * beatMs);
  return (fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? before) !== before;
}

function touch(file: string): void {
  try {
    fs.utimesSync(file, new Date(), new Date());
  } catch {
    // The folder was removed under us; there is nothing left to guard.
  }
}

function read(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function parse(text: string | undefined): Owner | undefined {
  try {
    const owner = JSON.parse(text ?? '') as Owner;
    return Number.isSafeInteger(owner.pid) && typeof owner.start === 'string' ? owner : undefined;
  } catch {
    return undefined;
  }
}
