import { randomUUID } from 'node:crypto';
import type {
  N8nExecutionEvent,
  N8nHooksStatusEvent,
  N8nInventoryEvent,
  N8nLifecycleEvent,
  N8nWorkflowEvent,
} from '../../client/src/contract/index.ts';
import {
  createOutbox,
  type OutboxEnvironment,
  type OutboxStats,
} from '../../client/src/outbox/index.ts';
import {
  derivedInstanceId,
  namedInstanceId,
  roleOf,
  storedInstanceId,
  versionOf,
  type InstanceRole,
  type ProcessFacts,
} from './instance.ts';
import type { HooksSettings } from './settings.ts';
import { HOOKS_VERSION } from './version.ts';

type Body<Event extends N8nLifecycleEvent> = Omit<Event, OriginField>;
type OriginField =
  'id' | 'occurred_at' | 'instance_id' | 'instance_role' | 'n8n_version' | 'hooks_version';
/** An event without what all of one process have in common. */
export type EventBody =
  | Body<N8nWorkflowEvent>
  | Body<N8nExecutionEvent>
  | Body<N8nInventoryEvent>
  | Body<N8nHooksStatusEvent>;

export interface Reporter {
  /** Queues an event, made once n8n's instance id is known; never waits. `at`: ISO 8601, now when left out. */
  tell(body: (instance: string) => EventBody, at?: string): void;
  /** Finds out the instance id, the first time that a repository is at hand. */
  identify(repository: unknown): void;
  /** Counts an error of ours. */
  failed(error: unknown): void;
  status(when: N8nHooksStatusEvent['hooks']['when']): void;
  /** Whether the queue has room for what can wait, such as an inventory; sends first when it has none. */
  hasRoom(): Promise<boolean>;
  /** Sends what waits, within so many milliseconds; from now on events go at once. False when not all has left. */
  flush(withinMs: number): Promise<boolean>;
  stats(): OutboxStats & { errors: number };
  readonly now: () => string;
  readonly role: InstanceRole;
}

const MOST_UNIDENTIFIED = 1_000;
const IDENTIFY_WITHIN_MS = 3_000;
const BATCH = { batchItems: 200, batchBytes: 500_000, batchAgeMs: 500 };

/** Makes events and hands them to an outbox. `log` prints a line for n8n's operator. */
export function createReporter(
  settings: HooksSettings,
  facts: ProcessFacts,
  log: (line: string) => void,
  environment?: OutboxEnvironment,
): Reporter {
  const now = (): string => new Date(environment ? environment.now() : Date.now()).toISOString();
  const origin = {
    instance_role: roleOf(facts),
    n8n_version: versionOf(facts),
    hooks_version: HOOKS_VERSION,
  };
  const startedAt = now();
  let instance = namedInstanceId(facts);
  let identified: Promise<void> | undefined;
  let stopping = false;
  let errors = 0;
  let lastError: string | undefined;
  let unidentified: ((instance: string) => void)[] = [];
  const outbox = createOutbox({
    url: `${settings.url}/api/v1/n8n/webhook`,
    headers: {
      authorization: `Bearer ${settings.key}`,
      'user-agent': `rollcall-n8n-hooks/${HOOKS_VERSION}`,
    },
    mostBytes: settings.queueBytes,
    ...BATCH,
    onChange: ({ ok, reason }) =>
      log(
        ok
          ? `Reporting again; ${outbox.stats().dropped} events were given up since the start.`
          : `Not reporting for now: ${reason}. Events wait in memory; n8n is not held up.`,
      ),
    environment,
  });

  function tell(body: (instance: string) => EventBody, at = now()): void {
    const eventId = randomUUID();
    const add = (instanceId: string): void => {
      const event = { id: eventId, occurred_at: at, instance_id: instanceId, ...origin };
      outbox.add({ ...event, ...body(instanceId) });
    };
    if (instance !== undefined) {
      add(instance);
      if (stopping) void outbox.flush(IDENTIFY_WITHIN_MS);
    } else {
      if (unidentified.length >= MOST_UNIDENTIFIED) settle(derivedInstanceId(facts));
      if (instance === undefined) unidentified.push(add);
      else add(instance);
    }
  }

  function settle(instanceId: string): void {
    if (instance !== undefined) return;
    instance = instanceId;
    const waiting = unidentified;
    unidentified = [];
    for (const add of waiting) {
      try {
        add(instanceId);
      } catch (error) {
        failed(error);
      }
    }
  }

  function identify(repository: unknown): void {
    if (instance !== undefined || identified) return;
    const late = setTimeout(() => settle(derivedInstanceId(facts)), IDENTIFY_WITHIN_MS);
    late.unref();
    identified = storedInstanceId(repository).then((stored) => {
      clearTimeout(late);
      settle(stored ?? derivedInstanceId(facts));
    });
  }

  /** n8n's database is on its way to tell, or it is too slow. */
  async function identifiedWithin(ms: number): Promise<void> {
    let late: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((done) => (late = setTimeout(done, ms)));
    await Promise.race([identified, tooLate]);
    clearTimeout(late);
  }

  function failed(error: unknown): void {
    errors += 1;
    lastError = kindOf(error);
  }

  function status(when: N8nHooksStatusEvent['hooks']['when']): void {
    const { accepted, rejected, dropped, queued, queuedBytes, failedRequests } = outbox.stats();
    tell(() => ({
      kind: 'hooks.status',
      hooks: {
        when,
        started_at: startedAt,
        accepted,
        rejected,
        dropped,
        queued,
        queued_bytes: queuedBytes,
        failed_requests: failedRequests,
        errors,
        ...(lastError !== undefined && { last_error: lastError }),
      },
    }));
  }

  const isHalfFull = (): boolean => outbox.stats().queuedBytes * 2 > settings.queueBytes;

  return {
    tell,
    identify,
    failed,
    status,
    now,
    role: origin.instance_role,
    stats: () => ({ ...outbox.stats(), errors }),
    async hasRoom() {
      if (isHalfFull()) await outbox.flush(30_000);
      return !isHalfFull();
    },
    async flush(withinMs) {
      const began = performance.now();
      if (instance === undefined) await identifiedWithin(withinMs / 2);
      settle(derivedInstanceId(facts));
      stopping = true;
      return await outbox.flush(withinMs - Math.round(performance.now() - began));
    },
  };
}

/** The kind of an error alone: its message may hold what a workflow processed. */
function kindOf(error: unknown): string {
  try {
    const known = [TypeError, RangeError, SyntaxError].find((kind) => error instanceof kind);
    return known?.name ?? 'Error';
  } catch {
    return 'Error';
  }
}
