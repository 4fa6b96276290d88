import type { FieldError } from '@rollcall/client/contract';

interface ProblemOptions {
  /** What happened, where, and what to do next. */
  detail: string;
  errors?: FieldError[];
  /** Seconds after which the same request may succeed. */
  retryAfter?: number;
  /** Extension members of the document, such as the results of a batch. */
  members?: object;
  cause?: unknown;
}

/** Every error that a caller may see. Rendered once, in http/render-problem.ts (RFC 9457). */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: FieldError[] | undefined;
  readonly retryAfter: number | undefined;
  readonly members: object | undefined;

  constructor(status: number, code: string, options: ProblemOptions) {
    super(options.detail, { cause: options.cause });
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.errors = options.errors;
    this.retryAfter = options.retryAfter;
    this.members = options.members;
  }
}

export const invalid = (errors: FieldError[]): Problem =>
  new Problem(422, 'invalid_request', {
    detail: errors
      .map(({ path, message }) => `${path}: ${message}`)
      .slice(0, 3)
      .join('; '),
    errors,
  });

export const unavailable = (code: string, detail: string, cause?: unknown): Problem =>
  new Problem(503, code, { detail, retryAfter: 1, cause });
