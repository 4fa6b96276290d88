import type { IExecuteFunctions } from 'n8n-workflow';

import { deliver, deliverInBackground, reasonOf } from './delivery.ts';
import { buildEvents } from './events.ts';
import type { Delivery, Operation } from './properties.ts';
import { startStep } from './steps.ts';

/**
 * Does what the node is set to. Rejects only when delivery is required: telemetry must not break
 * the workflow that it tells of, so every other failure ends as a warning.
 */
export async function emit(context: IExecuteFunctions, delivery: Delivery): Promise<void> {
  if (delivery === 'required') return await run(context, delivery);
  try {
    await run(context, delivery);
  } catch (error) {
    warn(context, reasonOf(error));
  }
}

async function run(context: IExecuteFunctions, delivery: Delivery): Promise<void> {
  const operation = context.getNodeParameter('operation', 0) as Operation;
  if (operation === 'startStep') {
    startStep(context, context.getNodeParameter('step', 0) as string);
    return;
  }
  const events = buildEvents(context, operation);
  if (events.length === 0) {
    warn(context, 'No Start Step with this step name ran earlier in this execution.');
    return;
  }
  const timeout = context.getNodeParameter('options.timeout', 0, 10_000) as number;
  if (delivery === 'background') deliverInBackground(context, events, timeout);
  else await deliver(context, events, timeout);
}

function warn(context: IExecuteFunctions, reason: string): void {
  const message = `Rollcall has not got this telemetry. ${reason}`;
  context.logger.warn(message, { node: context.getNode().name });
  context.addExecutionHints?.({ message, type: 'warning', location: 'outputPane' });
}
