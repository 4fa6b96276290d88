import type { LiveTopic } from '@rollcall/client/contract';
import type { Database } from '../database/port.ts';
import type { Position } from './position.ts';

export interface LiveEvent {
  xact: string;
  id: number;
  at: string;
  topic: LiveTopic;
  body: unknown;
}

/** What a tenant has announced after a position. */
export interface LivePage {
  /** The snapshot that was read. */
  upto: string;
  /** In order of (xact, id). */
  events: LiveEvent[];
  /** `upto` holds more after the last of them. */
  more: boolean;
  /** The position is too old, or of another database: nobody knows what came after it. */
  reset: boolean;
}

/** @param position `null` for now: nothing is read, and `upto` is where to go on */
export type ReadLive = (
  tenant: string,
  position: Position | null,
  limit: number,
) => Promise<LivePage>;

export const liveReader =
  (database: Database): ReadLive =>
  (tenant, position, limit) =>
    database.call<LivePage>('read_live', {
      p_tenant: tenant,
      p_seen: position?.seen ?? null,
      p_upto: position?.within?.upto ?? null,
      p_after_xact: position?.within?.xact ?? null,
      p_after_id: position?.within?.id ?? null,
      p_limit: limit,
    });
