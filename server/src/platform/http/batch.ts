import type { BatchItemResult, BatchResult } from '@rollcall/client/contract';
import { z } from 'zod';
import { Problem } from '../problem.ts';

export const BatchResultSchema = z
  .object({
    receipt: z.string(),
    accepted: z.number(),
    duplicates: z.number(),
    rejected: z.number(),
    results: z.array(
      z.object({
        index: z.number(),
        status: z.enum(['accepted', 'duplicate', 'rejected']),
        event_id: z.string().optional(),
        code: z.string().optional(),
        path: z.string().optional(),
        message: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'BatchResult' }) satisfies z.ZodType<BatchResult>;

/** @throws Problem 422 for an empty batch, 413 for one with more than `most` items */
export function boundBatch(items: unknown[], most: number): void {
  if (items.length === 0)
    throw new Problem(422, 'empty_batch', {
      detail: 'The batch is empty. Send at least one event.',
    });
  if (items.length > most) {
    throw new Problem(413, 'too_many_items', {
      detail: `A batch holds at most ${most} events; this one has ${items.length}.`,
    });
  }
}

/**
 * The answer to a batch.
 *
 * @throws Problem 422 with the same members when nothing was kept
 */
export function batchResult(receipt: string, results: BatchItemResult[]): BatchResult {
  const count = (status: BatchItemResult['status']) =>
    results.filter((result) => result.status === status).length;
  const result = {
    receipt,
    accepted: count('accepted'),
    duplicates: count('duplicate'),
    rejected: count('rejected'),
    results,
  };
  if (result.rejected < results.length) return result;
  const errors = results.slice(0, 20).map(({ index, path = '', code = '', message = '' }) => ({
    path: path ? `${index}.${path}` : String(index),
    code,
    message,
  }));
  throw new Problem(422, 'nothing_kept', {
    detail: `None of the ${results.length} events was kept. The first: ${errors[0]?.path} ${errors[0]?.message}.`,
    errors,
    members: result,
  });
}
