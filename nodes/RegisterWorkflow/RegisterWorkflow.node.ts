import type {
  IDataObject,
  IExecuteFunctions,
  INodeExecutionData,
  INodeType,
  INodeTypeDescription,
  JsonObject,
} from 'n8n-workflow';
import { NodeApiError, NodeConnectionTypes } from 'n8n-workflow';

import { properties, type Operation } from './properties.ts';
import { register } from './register.ts';

/** Puts the workflow that it stands in, or any entity, into the registry. */
export class RegisterWorkflow implements INodeType {
  description: INodeTypeDescription = {
    displayName: 'Register Workflow',
    name: 'registerWorkflow',
    icon: { light: 'file:registerWorkflow.svg', dark: 'file:registerWorkflow.dark.svg' },
    group: ['output'],
    version: 1,
    subtitle: '={{ $parameter["operation"] === "entity" ? "any entity" : "this workflow" }}',
    description:
      'Create or update a workflow, an agent, a team or a service in the Rollcall registry',
    defaults: { name: 'Register Workflow' },
    inputs: [NodeConnectionTypes.Main],
    outputs: [NodeConnectionTypes.Main],
    usableAsTool: true,
    credentials: [{ name: 'rollcallApi', required: true }],
    properties,
  };

  async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
    const items = this.getInputData();
    const operation = this.getNodeParameter('operation', 0) as Operation;
    const registrations = operation === 'thisWorkflow' ? items.slice(0, 1) : items;
    const registered: INodeExecutionData[] = [];
    for (const itemIndex of registrations.keys()) {
      let json: IDataObject;
      try {
        json = await register(this, operation, itemIndex);
      } catch (error) {
        const failure = new NodeApiError(this.getNode(), error as JsonObject, { itemIndex });
        if (!this.continueOnFail()) throw failure;
        json = { error: failure.message };
      }
      registered.push({ json, pairedItem: { item: itemIndex } });
    }
    return [registered];
  }
}
