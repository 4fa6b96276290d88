import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { EmbeddedPostgresError } from './error.ts';
import { isSameProcess, startOf } from './processes.ts';

/** An owner in another container cannot be looked up by its pid; it is alive while it touches its file. */
const BEAT_MS = 5_000;
const SILENCE_MS = 15_000;

interface Owner {
  pid: number;
  start: string;
  host: string;
  token: string;
}

/**
 * Makes this process the only owner of the data folder until the returned function is called. What a
 * dead process left behind does not count, whether or not its number is in use again.
 * @throws EmbeddedPostgresError `already_running`, naming the owner's pid and the folder
 */
export async function own(dataDir: string): Promise<() => void> {
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
      const beat = setInterval(() => touch(file), BEAT_MS).unref();
      return () => {
        clearInterval(beat);
        if (parse(read(file))?.token === mine.token) fs.rmSync(file, { force: true });
      };
    }
    const found = read(file);
    const owner = parse(found);
    if (owner && (isSameProcess(owner.pid, owner.start) || (await beatsElsewhere(file, owner)))) {
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
    fs.linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    fs.rmSync(draft, { force: true });
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
    if (read(aside) !== judged) fs.linkSync(aside, file);
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

async function beatsElsewhere(file: string, owner: Owner): Promise<boolean> {
  if (owner.host === hostname()) return false;
  const before = fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  if (before === undefined || Date.now() - before > SILENCE_MS) return false;
  await wait(BEAT_MS * 2);
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
