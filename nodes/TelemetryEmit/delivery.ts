import type { IExecuteFunctions } from 'n8n-workflow';
import { NodeApiError } from 'n8n-workflow';

import type { BatchResult, TelemetryEvent } from '../../client/src/contract';
import { rejections } from '../shared/failure.ts';
import { addressOf, askRollcall, within } from '../shared/transport.ts';
import { createPauses } from './pause.ts';

const MOST_EVENTS_IN_REQUEST = 500;
const MOST_EVENTS_IN_FLIGHT = 10_000;
const WAIT_AT_EXECUTION_END_MS = 2000;

/** What one execution still has on its way. */
interface Execution {
  inFlight: Set<Promise<void>>;
  warned: boolean;
}

/**
 * Keyed by what n8n makes once for each stretch of an execution, its cancel signal, so that an
 * entry goes when the execution goes.
 */
const executions = new WeakMap<AbortSignal, Execution>();
let eventsInFlight = 0;
const pauses = createPauses(() => Date.now());

/** Sends the events and waits for the answer. Rejects when Rollcall has not kept every one. */
export async function deliver(
  context: IExecuteFunctions,
  events: TelemetryEvent[],
  timeout: number,
  onEnd?: (answered: boolean) => void,
): Promise<void> {
  const deadline = Date.now() + timeout;
  for (let start = 0; start < events.length; start += MOST_EVENTS_IN_REQUEST) {
    const result = await askRollcall<BatchResult>(context, {
      method: 'POST',
      path: '/api/v1/telemetry',
      body: events.slice(start, start + MOST_EVENTS_IN_REQUEST).map((event) => ({ ...event })),
      timeout: Math.max(deadline - Date.now(), 1),
      onEnd,
    });
    if (result.rejected > 0) {
      const message = `Rollcall rejected ${result.rejected} of ${events.length} events`;
      const description = rejections(result);
      throw new NodeApiError(context.getNode(), { message, description }, { message, description });
    }
  }
}

/**
 * Starts sending the events and returns at once. Never throws, and holds a bounded number of
 * events in memory. While a server does not answer, events for it are dropped and counted in the
 * log, so that no execution waits for it: see pause.ts. Where n8n tells when the execution ends, the deliveries still on their way get
 * at most two seconds there, because a command-line run ends its process after that.
 */
export function deliverInBackground(
  context: IExecuteFunctions,
  events: TelemetryEvent[],
  timeout: number,
): void {
  const execution = executionOf(context);
  const taken = events.slice(0, MOST_EVENTS_IN_FLIGHT - eventsInFlight);
  const dropped = events.length - taken.length;
  if (dropped > 0) {
    warn(
      context,
      execution,
      `${dropped} of ${events.length} events were dropped: too many at once.`,
    );
  }
  eventsInFlight += taken.length;
  const delivery = deliverUnlessPaused(context, execution, taken, timeout)
    .catch((error: unknown) => warn(context, execution, reasonOf(error)))
    .finally(() => {
      eventsInFlight -= taken.length;
      execution.inFlight.delete(delivery);
    });
  execution.inFlight.add(delivery);
}

async function deliverUnlessPaused(
  context: IExecuteFunctions,
  execution: Execution,
  events: TelemetryEvent[],
  timeout: number,
): Promise<void> {
  const address = await addressOf(context);
  if (pauses.mayTry(address)) {
    return await deliver(context, events, timeout, (answered) =>
      answered ? pauses.answered(address) : pauses.unanswered(address),
    );
  }
  const { dropped, wait } = pauses.drop(address, events.length);
  warn(
    context,
    execution,
    `${events.length} events were dropped, ${dropped} in all: the server did not answer. It is tried again in ${Math.ceil(wait / 1000)} s.`,
  );
}

/** What went wrong, in one line. */
export function reasonOf(error: unknown): string {
  const { message, description } = error as { message?: string; description?: string };
  return [message ?? String(error), description].filter(Boolean).join('. ');
}

function executionOf(context: IExecuteFunctions): Execution {
  const signal = context.getExecutionCancelSignal();
  const known = signal && executions.get(signal);
  if (known) return known;
  const execution: Execution = { inFlight: new Set(), warned: false };
  if (signal) executions.set(signal, execution);
  context.onExecutionFinish?.(() => settle(execution));
  return execution;
}

async function settle({ inFlight }: Execution): Promise<void> {
  if (inFlight.size === 0) return;
  await within(WAIT_AT_EXECUTION_END_MS, Promise.all(inFlight)).catch(() => undefined);
}

/** Once per execution: a loop with Rollcall away must not flood n8n's log. */
function warn(context: IExecuteFunctions, execution: Execution, reason: string): void {
  if (execution.warned) return;
  execution.warned = true;
  context.logger.warn(`Rollcall has not got all telemetry of this execution. ${reason}`, {
    node: context.getNode().name,
    workflowId: context.getWorkflow().id,
    executionId: context.getExecutionId(),
  });
}
