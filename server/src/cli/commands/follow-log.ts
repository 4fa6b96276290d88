import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { CommandFailure } from '../failure.ts';
import { openSession } from '../http/session.ts';
import { note, print, printJson } from '../terminal/print.ts';
import { showProgress } from '../terminal/progress.ts';
import { clean, count } from '../terminal/text.ts';
import { logFiles, type LogPosition } from './log-file.ts';
import { advanced, endOfLog, nextLines } from './log-lines.ts';
import { readState, writeState } from './log-state.ts';
import { shipEvents, sum, type Shipped, type Shipping } from './ship-events.ts';

const POLL_MS = 500;
const GRACE_MS = 3_000;

/** `rollcall n8n follow-log`: n8n's event log, as seen from beside it. */
export function followLogCommand(n8n: Command): void {
  n8n
    .command('follow-log')
    .description(
      'Ship n8n’s own event log to the server: executions, nodes and changes of workflows',
    )
    .argument('<file>', 'n8nEventLog.log, in n8n’s folder (~/.n8n)')
    .option('--instance <id>', 'the n8n instance that writes it')
    .option('--once', 'end when all that is there has been shipped')
    .option('--from-start', 'begin with the oldest line there is, not with the next one')
    .option('--state <file>', 'where the position is kept (default: FILE.rollcall.json)')
    .action(followLog);
}

interface FollowOptions {
  instance?: string;
  once?: boolean;
  fromStart?: boolean;
  state?: string;
}

interface Totals extends Shipped {
  /** Lines that were no events of n8n. */
  broken: number;
}

interface Following {
  path: string;
  statePath: string;
  positions: LogPosition[];
  once: boolean;
  shipping: Shipping;
  totals: Totals;
}

async function followLog(file: string, options: FollowOptions, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const { once = false, fromStart = false, instance } = options;
  const path = resolve(file);
  const statePath = resolve(options.state ?? `${path}.rollcall.json`);
  await lookFor(path, once);
  // With nothing read before, --once means what is there.
  const fresh = async () => (fromStart || once ? [] : endOfLog(path));
  const kept = await readState(statePath);
  const positions = kept ?? (await fresh());
  // A state file that cannot be written is said now, and a restart goes on from here.
  await writeState(statePath, positions);
  const { stop, cutOff } = endings();
  const shipping = { api, instance, patient: !once, signal: stop, cutOff, note };
  const totals: Totals = { accepted: 0, duplicates: 0, rejected: 0, broken: 0 };
  if (!once) note(`Following ${clean(path)}${kept ? ' from where it was left' : ''}; Ctrl-C ends.`);
  try {
    await follow({ path, statePath, positions, once, shipping, totals });
  } catch (error) {
    if (!stop.aborted) throw error;
  }
  if (json) printJson(totals);
  else print(summaryOf(totals));
}

/** Ctrl-C ends at once, but for what is on its way: that has a moment to arrive, so that its lines are not sent twice. */
function endings(): { stop: AbortSignal; cutOff: AbortSignal } {
  const stop = new AbortController();
  const cutOff = new AbortController();
  const end = () => {
    stop.abort();
    setTimeout(() => cutOff.abort(), GRACE_MS).unref();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  return { stop: stop.signal, cutOff: cutOff.signal };
}

/** @throws CommandFailure where there is nothing to read and nothing to wait for */
async function lookFor(path: string, once: boolean): Promise<void> {
  let files;
  try {
    files = await logFiles(path);
  } catch (cause) {
    throw unreadable(path, cause as Error);
  }
  if (files.length > 0) return;
  if (once) {
    throw new CommandFailure(`There is no log at ${clean(path)}.`, {
      code: 'no_log',
      next: 'n8n keeps it in its folder: ~/.n8n/n8nEventLog.log, or what N8N_EVENTBUS_LOGWRITER_LOGFULLPATH says.',
    });
  }
  note(`There is no log at ${clean(path)} yet. Waiting for n8n to begin one.`);
}

const unreadable = (path: string, cause: Error): CommandFailure =>
  new CommandFailure(`${clean(path)} cannot be read: ${cause.message}.`, {
    code: 'log_unreadable',
    next: 'Run this as the user that n8n runs as, or as one that may read its folder.',
    cause,
  });

async function follow(following: Following): Promise<void> {
  const { path, statePath, once, shipping, totals } = following;
  const { signal } = shipping;
  const progress = showProgress();
  let warned = false;
  try {
    while (!signal.aborted) {
      const { batch, lost } = await nextLines(path, following.positions).catch((cause: unknown) => {
        throw unreadable(path, cause as Error);
      });
      if (lost) {
        note(
          'The log went on in another file before this one was read to its end; lines may be missing.',
        );
        following.positions.pop();
      }
      if (!batch) {
        if (once) return;
        await wait(POLL_MS, undefined, { signal });
        continue;
      }
      if (batch.events.length > 0) {
        Object.assign(totals, sum(totals, await shipEvents(batch.events, shipping)));
      }
      totals.broken += batch.broken;
      following.positions = advanced(following.positions, batch.next);
      await writeState(statePath, following.positions);
      if (totals.reason !== undefined && !warned)
        note(`Some events are refused: ${clean(totals.reason)}`);
      warned = totals.reason !== undefined;
      progress.say(`${count(totals.accepted, 'event')} shipped, ${kilobytes(batch.behind)} to go`);
    }
  } finally {
    progress.end();
  }
}

const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1_000)} kB`;

function summaryOf({ accepted, duplicates, rejected, broken }: Totals): string {
  const lines = broken > 0 ? ` ${count(broken, 'line was', 'lines were')} no event.` : '';
  return `Shipped ${count(accepted, 'event')}; ${duplicates} known before, ${rejected} refused.${lines}`;
}
