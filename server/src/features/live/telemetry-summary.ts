import type { LiveTelemetry, Protocol, TelemetryStatus } from '@rollcall/client/contract';

interface SummaryOptions {
  announce: (tenant: string, summary: LiveTelemetry) => Promise<unknown>;
  onError: (error: unknown) => void;
}

interface StoredEvent {
  event_id: string;
  protocol: Protocol;
  status: TelemetryStatus;
}

/** Between two announcements: what comes meanwhile is summed. */
const INTERVAL_MS = 1_000;

/**
 * Tells watchers of stored telemetry, apart from the transactions that store it: the first batch at once, what
 * follows once a second. An acknowledgement waits for none of this.
 */
export function telemetrySummary({ announce, onError }: SummaryOptions) {
  let summaries = new Map<string, LiveTelemetry>();
  let timer: NodeJS.Timeout | undefined;
  let announcing: Promise<void> = Promise.resolve();

  /** @param duplicates ids of those among the events that were stored before */
  function add(tenant: string, events: StoredEvent[], duplicates: string[]): void {
    const known = new Set(duplicates);
    const sum = summaries.get(tenant) ?? { accepted: 0, errors: 0, by_protocol: {} };
    for (const { event_id, protocol, status } of events) {
      if (known.size > 0 && known.has(event_id)) continue;
      sum.accepted += 1;
      if (status === 'error' || status === 'timeout') sum.errors += 1;
      sum.by_protocol[protocol] = (sum.by_protocol[protocol] ?? 0) + 1;
    }
    if (sum.accepted === 0) return;
    summaries.set(tenant, sum);
    if (!timer) tell();
  }

  function tell(): void {
    timer = undefined;
    if (summaries.size === 0) return;
    announcing = flush();
    timer = setTimeout(tell, INTERVAL_MS).unref();
  }

  async function flush(): Promise<void> {
    const ready = summaries;
    summaries = new Map();
    await announcing;
    for (const [tenant, summary] of ready) await announce(tenant, summary).catch(onError);
  }

  /** Announces what is left. */
  async function stop(): Promise<void> {
    clearTimeout(timer);
    await flush();
  }

  return { add, stop };
}
