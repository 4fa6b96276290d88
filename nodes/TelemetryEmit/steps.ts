import type { IExecuteFunctions } from 'n8n-workflow';

const CONTEXT_KEY = 'rollcallSteps';
const MOST_OPEN_STEPS = 100;

/**
 * Start times of the steps that are open, in milliseconds since 1970. They live in the execution's
 * own context, which n8n stores and restores with the execution: a step may span a Wait node or
 * move to another worker, and is gone with its execution.
 */
type OpenSteps = Record<string, number>;

function openSteps(context: IExecuteFunctions): OpenSteps {
  const flow = context.getContext('flow') as Record<string, OpenSteps | undefined>;
  return (flow[CONTEXT_KEY] ??= {});
}

/** Starts timing a step, or starts it anew. */
export function startStep(context: IExecuteFunctions, step: string): void {
  const steps = openSteps(context);
  delete steps[step];
  const [oldest] = Object.keys(steps);
  if (oldest !== undefined && Object.keys(steps).length >= MOST_OPEN_STEPS) delete steps[oldest];
  steps[step] = Date.now();
}

/** Milliseconds since the step started; `undefined` when this execution has not started it. */
export function endStep(context: IExecuteFunctions, step: string): number | undefined {
  const steps = openSteps(context);
  const started = steps[step];
  delete steps[step];
  return started === undefined ? undefined : Math.max(Date.now() - started, 0);
}
