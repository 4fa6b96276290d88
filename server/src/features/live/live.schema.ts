import { LIVE_TOPICS } from '@rollcall/client/contract';
import { z } from 'zod';
import { identifier } from '../../platform/http/fields.ts';

/** `false` for clients that come back by themselves instead of staying. */
const follow = z
  .literal('false')
  .optional()
  .meta({ description: 'Sends what is stored and ends, instead of going on.' });

export const LiveQuery = z.strictObject({
  topics: z
    .string()
    .max(100)
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(LIVE_TOPICS)))
    .optional()
    .meta({
      type: 'string',
      example: 'executions,gaps',
      description: `Comma-separated: ${LIVE_TOPICS.join(', ')}; all that the key may read when left out.`,
    }),
  follow,
});

export const LiveExecutionPath = z.object({ id: identifier });
export const LiveExecutionQuery = z.strictObject({ instance_id: identifier.optional(), follow });
