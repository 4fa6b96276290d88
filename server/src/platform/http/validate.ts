import type { FieldError } from '@rollcall/client/contract';
import type { z } from 'zod';
import { invalid } from '../problem.ts';

/** @throws Problem 422 with each wrong field's path, code and reason */
export function validate<Output>(schema: z.ZodType<Output>, value: unknown, where = ''): Output {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(fieldErrors(parsed.error, where));
}

export function fieldErrors(error: z.ZodError, where = ''): FieldError[] {
  return error.issues.slice(0, 20).map((issue) => ({
    path: fieldPath(issue, where),
    code: issueCode(issue),
    message: issue.code === 'unrecognized_keys' ? 'There is no such field.' : issue.message,
  }));
}

function fieldPath(issue: z.core.$ZodIssue, where: string): string {
  const keys = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]] : issue.path;
  return [...(where ? [where] : []), ...keys.map(String)].join('.').slice(0, 300) || 'body';
}

function issueCode(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return 'unknown_field';
  if (issue.code === 'invalid_type' && issue.message.includes('received undefined'))
    return 'required';
  return issue.code === 'custom' && typeof issue.params?.code === 'string'
    ? issue.params.code
    : issue.code;
}
