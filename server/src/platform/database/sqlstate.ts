import { Problem, unavailable } from '../problem.ts';

export interface DatabaseFailure {
  /** SQLSTATE, or PostgREST's own code. */
  code: string;
  message: string;
  detail?: string | null | undefined;
  hint?: string | null | undefined;
  constraint?: string | undefined;
  cause?: unknown;
}

const RAISED = /^RC(4\d\d)$/;

/** Worth the same call again at once: the transaction lost a race and left nothing behind. */
export const isLostRace = (code: string): boolean => code === '40001' || code === '40P01';

function raised(status: number, failure: DatabaseFailure): Problem {
  const {
    code = status === 404 ? 'not_found' : status === 409 ? 'conflict' : 'invalid_request',
    path,
  } = parseDetail(failure.detail);
  return new Problem(status, code, {
    detail: failure.hint ? `${failure.message} ${failure.hint}` : failure.message,
    ...(path ? { errors: [{ path, code, message: failure.message }] } : {}),
    cause: failure.cause,
  });
}

function parseDetail(detail: string | null | undefined): { code?: string; path?: string } {
  if (!detail?.startsWith('{')) return {};
  return JSON.parse(detail) as { code?: string; path?: string };
}

/** The one place where what a database says becomes what a caller reads. */
export function problemFromFailure(failure: DatabaseFailure): Problem {
  const { code, message, cause } = failure;
  const ours = RAISED.exec(code);
  if (ours) return raised(Number(ours[1]), failure);
  if (code === '23503' && (failure.constraint ?? message).includes('project')) {
    const error = {
      path: 'project_id',
      code: 'unknown_project',
      message: 'There is no such project.',
    };
    return new Problem(422, error.code, { detail: error.message, errors: [error], cause });
  }
  if (/^(22|23)/.test(code)) {
    return new Problem(422, 'invalid_value', {
      detail: `The database refused a value: ${message}`,
      cause,
    });
  }
  if (code === '57014') {
    return unavailable(
      'query_timeout',
      'The query took too long. Narrow the time range or the filter.',
      cause,
    );
  }
  if (isLostRace(code) || code === '55P03') {
    return unavailable('busy', 'Too many changes at once. Try again.', cause);
  }
  if (/^(42883|42P01|42501|3F000|PGRST10[0-9]|PGRST20[0-9])$/.test(code)) {
    return unavailable(
      'schema_outdated',
      'The database lacks what this server needs. Run `rollcall migrate`.',
      cause,
    );
  }
  if (/^(28|PGRST3)/.test(code)) {
    return unavailable(
      'database_unauthorised',
      'The database refused the server’s credentials. Run `rollcall doctor`.',
      cause,
    );
  }
  // 25006: a replica that is not the primary yet, or not any more. 55000: it accepts no connections.
  if (/^(08|25006|3D|53|55000|57|58|E[A-Z]+|PGRST00|unreachable$)/.test(code)) {
    return unavailable(
      'database_unavailable',
      'The database does not answer. Try again shortly.',
      cause,
    );
  }
  return new Problem(500, 'internal', {
    detail: 'Something failed on our side. It is logged under this request id.',
    cause,
  });
}
