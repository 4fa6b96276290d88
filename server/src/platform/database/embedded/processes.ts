import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** `ps` gives start times to the second; two readings of one process differ by less than this. */
const START_TOLERANCE_MS = 3_000;

const onLinux = process.platform === 'linux';
const onWindows = process.platform === 'win32';

/**
 * When a process started: on Linux the boot id and the clock tick, elsewhere milliseconds since
 * 1970. Undefined when no such process lives; a zombie does not live.
 */
export function startOf(pid: number): string | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (onLinux) return startFromProc(pid);
  if (pid === process.pid) return String(Math.round(Date.now() - process.uptime() * 1000));
  if (onWindows) {
    const iso = powershell(`(Get-Process -Id ${pid}).StartTime.ToUniversalTime().ToString('o')`);
    return iso === undefined ? undefined : String(Date.parse(iso));
  }
  const line = ps(pid, 'stat=', 'lstart=');
  if (line === undefined || line.startsWith('Z')) return undefined;
  return String(Date.parse(line.replace(/^\S+\s+/, '')));
}

/** Whether `pid` still is the process that started then, and not another one with its number. */
export function isSameProcess(pid: number, start: string): boolean {
  const now = startOf(pid);
  if (now === undefined) return false;
  return onLinux ? now === start : Math.abs(Number(now) - Number(start)) < START_TOLERANCE_MS;
}

/** Whether `pid` is a live PostgreSQL server on this data folder (a resolved, absolute path). */
export function isPostgresOn(pid: number, folder: string): boolean {
  if (startOf(pid) === undefined) return false;
  if (!onLinux) {
    const line = onWindows
      ? powershell(`(Get-CimInstance Win32_Process -Filter "ProcessId=${pid}").CommandLine`)
      : ps(pid, 'command=');
    return line !== undefined && line.includes('postgres') && line.includes(folder);
  }
  const [program = '', ...args] = read(`/proc/${pid}/cmdline`)?.split('\0') ?? [];
  if (!/(^|\/)postgres(:|$)/.test(program)) return false;
  // The working folder may be hidden from root in a container; the server's arguments never are.
  return args[args.indexOf('-D') + 1] === folder || workingFolder(pid) === folder;
}

/**
 * Resolves true once the process has ended, false when it still lives after `limitMs`.
 */
export async function ended(pid: number, limitMs: number): Promise<boolean> {
  const start = startOf(pid);
  if (start === undefined) return true;
  const deadline = performance.now() + limitMs;
  while (isSameProcess(pid, start)) {
    if (performance.now() > deadline) return false;
    await wait(onLinux ? 10 : 100);
  }
  return true;
}

function startFromProc(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The command's name stands in brackets and may hold anything, brackets too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return `${read('/proc/sys/kernel/random/boot_id')?.trim()}:${fields[19]}`;
}

function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function ps(pid: number, ...columns: string[]): string | undefined {
  return output('ps', ['-ww', ...columns.flatMap((name) => ['-o', name]), '-p', String(pid)]);
}

function powershell(script: string): string | undefined {
  return output('powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', script]);
}

function output(program: string, args: string[]): string | undefined {
  try {
    const text = execFileSync(program, args, {
      encoding: 'utf8',
      env: onWindows ? {} : { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
      windowsHide: true,
    }).trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}
