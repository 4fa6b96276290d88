import type { Config } from '../config.ts';
import { CommandFailure } from './failure.ts';

interface SystemError extends Error {
  code?: string;
  syscall?: string;
  address?: string;
  port?: number;
}

/** Why the server or its database does not start, without a stack trace: causes that a person can remove. */
export async function explainFailure(error: unknown, config: Config): Promise<CommandFailure> {
  if (error instanceof CommandFailure) return error;
  const failure = error as SystemError;
  const { code = 'failed', message, syscall } = failure;
  if (syscall === 'listen') return explainListening(failure);
  const at = 'url' in config.database ? new URL(config.database.url).host : '';
  if (config.database.kind === 'supabase' && code in SUPABASE) {
    const [what, next] = SUPABASE[code] ?? [];
    return new CommandFailure(`Supabase at ${at} ${what}.`, { code, next, cause: error });
  }
  if (/^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENOENT)$/.test(code) && at) {
    return new CommandFailure(`No database answers at ${at} (${code}).`, {
      code: 'database_unreachable',
      next: 'Is it running, and is DATABASE_URL right? Unset it to use the embedded database.',
      cause: error,
    });
  }
  if (/^[0-9A-Z]{5}$/.test(code) && 'severity' in failure) {
    return new CommandFailure(`The database${at && ` at ${at}`} says: ${message} (${code}).`, {
      code: 'database_refused',
      next: adviceFor(code),
      cause: error,
    });
  }
  return new CommandFailure(message, { code, cause: error });
}

/** By the code of the problem: what Supabase does, and what to do. */
const SUPABASE: Record<string, [string, string]> = {
  database_unavailable: [
    'does not answer',
    'Check SUPABASE_URL, and that the project is not paused.',
  ],
  database_unauthorised: [
    'does not take SUPABASE_SERVICE_ROLE_KEY',
    'Copy the service role key from the API settings of the project.',
  ],
};

/** @param code SQLSTATE */
function adviceFor(code: string): string | undefined {
  if (code.startsWith('28')) return 'Check the user and the password in DATABASE_URL.';
  if (code === '3D000') return 'Make it first (createdb), or correct the name in DATABASE_URL.';
  if (code === '42501') {
    return 'Migrating needs a role that may make roles and schemas: the owner of the database, once.';
  }
  return undefined;
}

async function explainListening({ code, address, port, message, cause }: SystemError) {
  const place = `${address}:${port}`;
  if (code === 'EADDRINUSE') {
    const who = (await isRollcall(place)) ? 'A Rollcall server' : 'Another program';
    return new CommandFailure(`${who} already listens at ${place}.`, {
      code,
      next: `Stop it (lsof -i :${port} names it), or choose another port: ROLLCALL_PORT=${(port ?? 0) + 1} npm start`,
      cause,
    });
  }
  if (code === 'EACCES') {
    return new CommandFailure(`This user may not listen at ${place}.`, {
      code,
      next: 'Choose a port above 1023 with ROLLCALL_PORT.',
      cause,
    });
  }
  if (code === 'EADDRNOTAVAIL') {
    return new CommandFailure(`This machine has no address ${address}.`, {
      code,
      next: 'Choose another with ROLLCALL_HOST: 127.0.0.1, or 0.0.0.0 for every one it has.',
      cause,
    });
  }
  return new CommandFailure(message, { code: code ?? 'failed', cause });
}

async function isRollcall(place: string): Promise<boolean> {
  try {
    const answer = await fetch(`http://${place}/healthz`, { signal: AbortSignal.timeout(1_000) });
    return ((await answer.json()) as { status?: string }).status === 'ok';
  } catch {
    return false;
  }
}
