import type { TelemetryEvent } from '@rollcall/client/contract';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database/port.ts';

/** Ways by which calls of one execution may be told: n8n's log, its own attributes of nodes, spans of the conventions. */
export type CallChannel = 'log' | 'node spans' | 'call spans';

/** Leaves out what another channel tells of an execution's calls already. */
export type ClaimCalls = (
  tenant: string,
  channel: CallChannel,
  events: TelemetryEvent[],
) => Promise<TelemetryEvent[]>;

/**
 * One call of a model or tool is one event of telemetry, although log, spans and nodes all may tell of it: of each
 * execution's calls of a kind the channel that tells first is counted. No two of them name a call alike, so they cannot be
 * told apart one by one. Sent again by the same channel, an event passes again.
 */
export const callClaims =
  (database: Database, clock: Clock): ClaimCalls =>
  async (tenant, channel, events) => {
    const claims = events.flatMap((event, n) => {
      const calls = kindOf(event);
      const { workflow_id, execution_id } = event;
      return calls && workflow_id !== undefined && execution_id !== undefined
        ? [{ n, workflow_id, execution_id, calls }]
        : [];
    });
    if (claims.length === 0) return events;
    const others = await database.call<number[]>('claim_calls', {
      p_tenant: tenant,
      p_channel: channel,
      p_now: clock().toISOString(),
      p_calls: claims,
    });
    const left = new Set(others);
    return events.filter((_, n) => !left.has(n));
  };

/** Calls between agents and of MCP servers have one teller only. */
function kindOf({ operation, model, tokens_used, protocol, metadata }: TelemetryEvent) {
  const said = typeof metadata?.event === 'string' ? metadata.event : '';
  if (operation === 'execute_tool' || said === 'n8n.ai.tool.called') return 'tool';
  if (protocol !== 'http' && protocol !== 'n8n') return undefined;
  const isModel = model !== undefined || tokens_used !== undefined;
  return isModel || said.startsWith('n8n.ai.llm.') ? 'model' : undefined;
}
