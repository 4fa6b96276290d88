import type {
  IHookFunctions,
  INodeType,
  INodeTypeDescription,
  IWebhookFunctions,
  IWebhookResponseData,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';

import { properties } from './properties.ts';
import { receive } from './delivery.ts';
import { isSubscribed, subscribe, unsubscribe } from './subscription.ts';

/** Starts a workflow when a gap opens or closes, or when something changes its state. */
export class RollcallTrigger implements INodeType {
  description: INodeTypeDescription = {
    displayName: 'Rollcall Trigger',
    name: 'rollcallTrigger',
    icon: { light: 'file:rollcallTrigger.svg', dark: 'file:rollcallTrigger.dark.svg' },
    group: ['trigger'],
    version: 1,
    subtitle: '={{ $parameter["events"].join(", ").replaceAll("_", " ").replaceAll(".", " ") }}',
    description:
      'Starts the workflow when a gap opens or closes in the fleet that Rollcall watches, or when something changes its state',
    defaults: { name: 'Rollcall Trigger' },
    inputs: [],
    outputs: [NodeConnectionTypes.Main],
    credentials: [{ name: 'rollcallApi', required: true }],
    webhooks: [
      { name: 'default', httpMethod: 'POST', responseMode: 'onReceived', path: 'rollcall' },
    ],
    properties,
  };

  webhookMethods = {
    default: {
      async checkExists(this: IHookFunctions): Promise<boolean> {
        return await isSubscribed(this);
      },

      async create(this: IHookFunctions): Promise<boolean> {
        await subscribe(this);
        return true;
      },

      async delete(this: IHookFunctions): Promise<boolean> {
        await unsubscribe(this);
        return true;
      },
    },
  };

  async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
    const { event, refusal } = await receive(this);
    if (event) return { workflowData: [[{ json: event }]] };
    const { status, message } = refusal;
    this.getResponseObject().status(status).json({ message });
    return { noWebhookResponse: true };
  }
}
