import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

const PROGRAM = new URL('../../server/bin/rollcall.js', import.meta.url).pathname;

export interface Ended {
  /** Exit code; null when a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunningCommand {
  process: ChildProcess;
  ended: Promise<Ended>;
  /** Resolves with the match once the output has it; rejects if the command ends without. */
  says(pattern: RegExp, stream?: 'stdout' | 'stderr'): Promise<RegExpExecArray>;
}

export interface CommandOptions {
  /** Variables beside PATH and HOME. */
  env?: Record<string, string>;
  cwd?: string;
  /** For standard input, which is closed when left out. */
  input?: string;
}

/** Starts the real program in a process of its own, without a terminal. */
export function spawnRollcall(args: string[], options: CommandOptions = {}): RunningCommand {
  const { env, cwd, input } = options;
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, N8N_BASE_URL: NOBODY, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(input);
  const output = { stdout: '', stderr: '' };
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }));
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
      child.emit('said');
    });
  }
  async function says(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stdout') {
    for (;;) {
      const match = pattern.exec(output[stream]);
      if (match) return match;
      const said = once(child, 'said').then(() => undefined);
      const end = await Promise.race([said, ended]);
      if (end && !pattern.test(end[stream])) {
        throw new Error(`It ended without saying ${pattern}:\n${end.stdout}\n${end.stderr}`);
      }
    }
  }
  return { process: child, ended, says };
}

async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

/** An address where nothing listens. */
export const NOBODY = await freeAddress();

/** Runs the program to its end. */
export const runRollcall = (args: string[], options?: CommandOptions): Promise<Ended> =>
  spawnRollcall(args, options).ended;

/** Runs the program against a server, with an admin's key unless another is given. */
export const commandFor =
  ({ url, key }: { url: string; key: string }) =>
  (args: string[], { env, ...options }: CommandOptions = {}): Promise<Ended> =>
    runRollcall(args, { ...options, env: { ROLLCALL_URL: url, ROLLCALL_API_KEY: key, ...env } });
