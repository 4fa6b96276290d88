import type { CommunicationPair, CommunicationPattern, Overview } from '@rollcall/client/contract';
import { z } from 'zod';
import {
  entityState,
  gapKind,
  healthStatus,
  identifier,
  protocol,
} from '../../platform/http/fields.ts';
import { paging } from '../../platform/http/page.ts';

const milliseconds = z.number().nullable();
const totals = {
  calls: z.number(),
  errors: z.number(),
  error_rate: z.number(),
  tokens_used: z.number(),
  avg_ms: milliseconds,
  p50_ms: milliseconds,
  p95_ms: milliseconds,
  p99_ms: milliseconds,
  max_ms: milliseconds,
};

const window = (seconds: number) =>
  z.coerce.number().int().min(60).max(34_560_000).default(seconds);

export const OverviewQuery = z.strictObject({ window_seconds: window(3_600) });

export const OverviewSchema = z
  .object({
    since: z.string(),
    window_seconds: z.number(),
    totals: z.object(totals),
    protocols: z.array(z.object({ protocol, ...totals })),
    entities: z.object({
      total: z.number(),
      healthy_share: z.number().nullable(),
      by_state: z.partialRecord(entityState, z.number()),
      by_health: z.partialRecord(healthStatus, z.number()),
      by_type: z.record(z.string(), z.number()),
    }),
    gaps: z.object({
      open: z.number(),
      muted: z.number(),
      by_kind: z.partialRecord(gapKind, z.number()),
    }),
  })
  .meta({ id: 'Overview' }) satisfies z.ZodType<Overview>;

export const PatternQuery = z.strictObject({
  ...paging,
  window_seconds: window(86_400),
  source_id: identifier.optional(),
  target_id: identifier.optional(),
  protocol: protocol.optional(),
});

export const PairQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  window_seconds: window(86_400),
});

const ends = { source_id: z.string(), target_id: z.string(), last_seen: z.string() };

export const CommunicationPatternSchema = z
  .object({ ...ends, protocol, ...totals })
  .meta({ id: 'CommunicationPattern' }) satisfies z.ZodType<CommunicationPattern>;

export const CommunicationPairSchema = z
  .object({ ...ends, protocols: z.array(protocol), ...totals })
  .meta({ id: 'CommunicationPair' }) satisfies z.ZodType<CommunicationPair>;
