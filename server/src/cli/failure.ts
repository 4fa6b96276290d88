import type { Problem } from '@rollcall/client/contract';

/** What a command's exit code means; `rollcall --help` says the same. */
export const EXIT = { ok: 0, failed: 1, usage: 2, openGaps: 3, wouldChange: 4 } as const;

interface FailureOptions {
  exitCode?: number;
  /** Stable; programs may switch on it. */
  code?: string;
  /** One line each, below the message. */
  lines?: string[];
  /** What to do about it. */
  next?: string | undefined;
  /** The server's own words, for `--json`. */
  problem?: Problem | undefined;
  /** The same request may succeed by itself later. */
  temporary?: boolean;
  cause?: unknown;
}

/** Ends a command with a message for people (or a JSON document) and an exit code, without a stack trace. */
export class CommandFailure extends Error {
  readonly exitCode: number;
  readonly code: string;
  readonly lines: string[];
  readonly next: string | undefined;
  readonly problem: Problem | undefined;
  readonly temporary: boolean;

  constructor(message: string, options: FailureOptions = {}) {
    super(message, { cause: options.cause });
    this.exitCode = options.exitCode ?? EXIT.failed;
    this.code = options.code ?? 'failed';
    this.lines = options.lines ?? [];
    this.next = options.next;
    this.problem = options.problem;
    this.temporary = options.temporary ?? false;
  }

  /** For programs: the server's problem document, or one of the same fields. */
  toJSON(): object {
    const { problem, code, message, lines, next } = this;
    return problem ?? { code, detail: message, lines, next };
  }
}

/** The command was called wrongly; nothing was asked of the server, or nothing was changed there. */
export const usageError = (message: string, options: FailureOptions = {}): CommandFailure =>
  new CommandFailure(message, { exitCode: EXIT.usage, code: 'usage', ...options });
