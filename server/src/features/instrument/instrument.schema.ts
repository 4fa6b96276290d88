import { ROLES, type InstrumentRequest, type InstrumentResult } from '@rollcall/client/contract';
import { z } from 'zod';
import { text } from '../../platform/http/fields.ts';

const MOST_NODES = 5_000;
/** Deeper than n8n's editor can make, shallow enough for every stack. */
const DEEPEST = 256;

/** The shape of the rest is for instrumentWorkflow to judge, which names the place. */
const workflow = z
  .record(z.string(), z.unknown())
  .superRefine((value, context) => {
    const { nodes } = value;
    if (Array.isArray(nodes) && nodes.length > MOST_NODES) {
      context.addIssue({
        code: 'custom',
        message: `must be at most ${MOST_NODES} nodes`,
        params: { code: 'too_big' },
        path: ['nodes'],
      });
    }
    if (isDeeperThan(DEEPEST, value)) {
      context.addIssue({
        code: 'custom',
        message: `must be at most ${DEEPEST} levels deep`,
        params: { code: 'too_deep' },
      });
    }
  })
  .meta({ description: 'n8n workflow JSON, as exported. It is not stored.' });

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(levels - 1, member));
}

export const InstrumentRequestSchema = z
  .strictObject({
    workflow,
    options: z
      .strictObject({
        credential: text(255).optional(),
        credential_id: text(255).optional(),
        register: z.boolean().optional(),
      })
      .optional(),
    remove: z.boolean().optional(),
  })
  .meta({ id: 'InstrumentRequest' }) satisfies z.ZodType<InstrumentRequest>;

export const InstrumentResultSchema = z
  .object({
    workflow: z.record(z.string(), z.unknown()),
    changed: z.boolean(),
    inserted: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        role: z.enum(ROLES),
        after: z.string(),
        output: z.number(),
      }),
    ),
    removed: z.array(z.string()),
  })
  .meta({ id: 'InstrumentResult' }) satisfies z.ZodType<InstrumentResult>;
