import type {
  IExecuteFunctions,
  INodeExecutionData,
  INodeType,
  INodeTypeDescription,
  JsonObject,
} from 'n8n-workflow';
import { NodeApiError, NodeConnectionTypes } from 'n8n-workflow';

import { emit } from './emit.ts';
import { properties, type Delivery } from './properties.ts';

/** Reports what happens inside a workflow, and hands its items on as they came. */
export class TelemetryEmit implements INodeType {
  description: INodeTypeDescription = {
    displayName: 'Telemetry Emit',
    name: 'telemetryEmit',
    icon: { light: 'file:telemetryEmit.svg', dark: 'file:telemetryEmit.dark.svg' },
    group: ['output'],
    version: 1,
    subtitle:
      '={{ ({ event: "emit event", error: "emit error", startStep: "start step", endStep: "end step" })[$parameter["operation"]] }}',
    description:
      'Report an event, an error or the duration of a step to Rollcall without slowing the workflow',
    defaults: { name: 'Telemetry Emit' },
    inputs: [NodeConnectionTypes.Main],
    outputs: [NodeConnectionTypes.Main],
    usableAsTool: true,
    credentials: [{ name: 'rollcallApi', required: true }],
    properties,
  };

  async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
    const delivery = this.getNodeParameter('options.delivery', 0, 'background') as Delivery;
    let failure: NodeApiError | undefined;
    try {
      await emit(this, delivery);
    } catch (error) {
      failure = new NodeApiError(this.getNode(), error as JsonObject, { itemIndex: 0 });
      if (!this.continueOnFail()) throw failure;
    }
    const hasErrorOutput = this.getNode().onError === 'continueErrorOutput';
    return [
      this.getInputData().map((item, index) => ({
        ...item,
        ...(hasErrorOutput && failure && { error: failure }),
        pairedItem: { item: index },
      })),
    ];
  }
}
