import type { Page } from '@rollcall/client/contract';
import { z } from 'zod';
import { invalid } from '../problem.ts';
import { moment, prose } from './fields.ts';

/** What the database answers for a list: the rows, and the last one's sort fields when more follow. */
export interface Rows<Item> {
  items: Item[];
  next: unknown[] | null;
}

/** Query fields of every list. */
export const paging = {
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().max(6000).optional(),
};

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next_cursor: z.string().nullable() });

export function toPage<Item>({ items, next }: Rows<Item>): Page<Item> {
  return { items, next_cursor: next && Buffer.from(JSON.stringify(next)).toString('base64url') };
}

/** Kinds of sort fields, so that a forged cursor is a 422 and never reaches the database. */
export const sortField = {
  // A name of 255 characters may grow in lower case.
  text: prose(1000),
  number: z.union([z.int(), z.string().regex(/^-?\d{1,18}$/)]),
  timestamp: moment,
  uuid: z.uuid(),
};

/** @throws Problem 422 when the cursor is not one of this list's */
export function fromCursor(
  cursor: string | undefined,
  fields: z.ZodType[],
  path = 'query.cursor',
): unknown[] | null {
  if (cursor === undefined) return null;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (
      Array.isArray(parsed) &&
      parsed.length === fields.length &&
      fields.every((field, index) => field.safeParse(parsed[index]).success)
    ) {
      return parsed as unknown[];
    }
  } catch {
    // Falls through to the same answer as a cursor of the wrong shape.
  }
  throw invalid([
    {
      path,
      code: 'invalid_cursor',
      message: 'is not a cursor of this list; start again without it',
    },
  ]);
}
