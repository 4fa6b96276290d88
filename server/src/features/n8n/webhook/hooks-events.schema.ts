import { N8N_WORKFLOW_KINDS } from '@rollcall/client/contract';
import { z } from 'zod';
import { identifier, moment, prose, text } from '../../../platform/http/fields.ts';

const count = z.number().int().min(0).max(1e12);
const hash = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hex digits');

const digits = z.string().regex(/^[0-9a-f]{16}$/, 'must be 16 hex digits');

/** Fields of nodes that nothing is read from may come and go: they are let through. */
const node = z.looseObject({
  type: z.string().min(1).max(255),
  name: z.string().max(255),
  hashes: z
    .object({
      parameters: digits.optional(),
      retry: digits.optional(),
      settings: digits.optional(),
    })
    .optional(),
});

/** What is not known here is left out rather than refused: n8n and the hooks grow. */
const workflow = z.object({
  id: identifier,
  name: prose(255).optional(),
  active: z.boolean().optional(),
  is_archived: z.boolean().optional(),
  version_id: identifier.optional(),
  active_version_id: identifier.nullable().optional(),
  trigger_count: count.optional(),
  created_at: moment.optional(),
  updated_at: moment.optional(),
  tags: z.array(prose(255)).max(1_000).optional(),
  project: z
    .object({ id: identifier, name: prose(255).optional(), type: prose(64).optional() })
    .optional(),
  node_count: count.optional(),
  nodes: z.array(node).max(10_000).optional(),
  connections: z.record(z.string(), z.unknown()).optional(),
  settings: z.record(z.string(), z.unknown()).optional(),
  definition: z.enum(['stored', 'partial']).optional(),
  definition_hash: hash.optional(),
});

const origin = {
  id: z.uuid(),
  occurred_at: moment,
  instance_id: identifier,
  instance_role: z.enum(['main', 'worker', 'webhook', 'cli']).optional(),
  n8n_version: text(64).optional(),
  hooks_version: text(64),
};

const workflowEvent = z.strictObject({
  ...origin,
  kind: z.enum(N8N_WORKFLOW_KINDS),
  workflow,
  actor: z.object({ role: prose(100) }).optional(),
});

const executionEvent = z.strictObject({
  ...origin,
  kind: z.enum(['execution.started', 'execution.finished']),
  report: z.record(z.string(), z.unknown()).meta({ description: 'An ExecutionReport.' }),
});

const inventoryEvent = z.strictObject({
  ...origin,
  kind: z.literal('inventory'),
  inventory: z.object({
    id: z.uuid(),
    started_at: moment,
    page: z.number().int().min(1).max(100_000),
    pages: z.number().int().min(1).max(100_000).optional(),
    complete: z.boolean(),
    workflows: z.array(workflow).max(5_000),
  }),
});

const statusEvent = z.strictObject({
  ...origin,
  kind: z.literal('hooks.status'),
  hooks: z.object({
    when: z.enum(['ready', 'periodic', 'stop']),
    started_at: moment,
    accepted: count,
    rejected: count,
    dropped: count,
    queued: count,
    queued_bytes: count,
    failed_requests: count,
    errors: count,
    last_error: prose(2_000).optional(),
  }),
});

/** An event of the hooks package, as the contract's `N8nLifecycleEvent`. */
export const HooksEventSchema = z.discriminatedUnion('kind', [
  workflowEvent,
  executionEvent,
  inventoryEvent,
  statusEvent,
]);

export type HooksEvent = z.output<typeof HooksEventSchema>;
export type HooksWorkflow = z.output<typeof workflow>;
