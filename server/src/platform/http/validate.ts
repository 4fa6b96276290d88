import type { FieldError } from '@rollcall/client/contract';
import type { z } from 'zod';
import { invalid } from '../problem.ts';

/** For `safeParse`, so that `fieldErrors` can tell what is missing from what is wrong. */
export const REPORT = { reportInput: true };

/** @throws Problem 422 with each wrong field's path, code and reason */
export function validate<Output>(schema: z.ZodType<Output>, value: unknown, where = ''): Output {
  const parsed = schema.safeParse(value, REPORT);
  if (parsed.success) return parsed.data;
  throw invalid(fieldErrors(parsed.error, where));
}

/** What a schema said under `REPORT`, at most 20 faults. */
export function fieldErrors(error: z.ZodError, where = ''): FieldError[] {
  return error.issues.slice(0, 20).map((issue) => ({
    path: fieldPath(issue, where),
    code: issueCode(issue),
    message: issueMessage(issue),
  }));
}

function fieldPath(issue: z.core.$ZodIssue, where: string): string {
  const keys = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]] : issue.path;
  return [...(where ? [where] : []), ...keys.map(String)].join('.').slice(0, 300) || 'body';
}

const isMissing = (issue: z.core.$ZodIssue): boolean =>
  'input' in issue && issue.input === undefined;

function issueCode(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return 'unknown_field';
  if (isMissing(issue)) return 'required';
  return issue.code === 'custom' && typeof issue.params?.code === 'string'
    ? issue.params.code
    : issue.code;
}

function issueMessage(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return 'There is no such field.';
  return isMissing(issue) ? 'is required' : issue.message;
}
