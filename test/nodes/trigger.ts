import { createHmac } from 'node:crypto';

import { HookContext, WebhookContext } from 'n8n-core';
import {
  Workflow,
  type IDataObject,
  type INode,
  type IWebhookData,
  type IWebhookResponseData,
  type NodeParameterValueType,
} from 'n8n-workflow';

import { additionalData, rollcallTrigger } from './workflow.ts';

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
/** What n8n answers deliveries to the node under. */
export const URL = 'http://127.0.0.1:5678/webhook/hook-1/rollcall';

export interface Delivery {
  id?: string;
  /** Seconds from now. */
  age?: number;
  body?: object;
  secret?: string;
  /** Headers that replace the good ones; undefined leaves one out. */
  headers?: Record<string, string | undefined>;
}

export interface Answered extends IWebhookResponseData {
  /** What the node answered itself; undefined when it left that to n8n. */
  status?: number;
  message?: string;
}

export interface TestTrigger {
  checkExists(): Promise<boolean>;
  create(): Promise<boolean>;
  delete(): Promise<boolean>;
  deliver(delivery?: Delivery): Promise<Answered>;
  /** As n8n keeps it with the workflow. */
  remembered: IDataObject;
}

/** The trigger in a workflow of n8n's, through the contexts that n8n makes for it. */
export function trigger(
  parameters: Record<string, NodeParameterValueType | object> = {},
  remembered: IDataObject = {},
): TestTrigger {
  const node: INode = {
    id: 'node-1',
    name: 'Trigger',
    type: 'n8n-nodes-rollcall.rollcallTrigger',
    typeVersion: 1,
    position: [0, 0],
    webhookId: 'hook-1',
    parameters: parameters as INode['parameters'],
    credentials: { rollcallApi: { id: 'cred-1', name: 'Rollcall' } },
  };
  const workflow = new Workflow({
    id: 'wf-1',
    name: 'Pager',
    active: true,
    nodes: [node],
    connections: {},
    nodeTypes: {
      getByName: () => rollcallTrigger,
      getByNameAndVersion: () => rollcallTrigger,
      getKnownTypes: () => ({}),
    },
    staticData: { 'node:Trigger': remembered },
  });
  const known = workflow.getNode('Trigger') as INode;
  const data = additionalData('1', workflow);
  const webhookData = {
    webhookDescription: rollcallTrigger.description.webhooks?.[0],
  } as IWebhookData;
  const hook = (method: 'checkExists' | 'create' | 'delete') =>
    rollcallTrigger.webhookMethods.default[method].call(
      new HookContext(workflow, known, data, 'trigger', 'activate', webhookData),
    );

  async function deliver({
    id = 'd-1',
    age = 0,
    body = {},
    secret = SECRET,
    headers = {},
  }: Delivery = {}) {
    const rawBody = Buffer.from(JSON.stringify(body));
    const timestamp = String(Math.floor(Date.now() / 1000) - age);
    const signature = createHmac('sha256', Buffer.from(secret.slice(6), 'base64'))
      .update(`${id}.${timestamp}.`)
      .update(rawBody)
      .digest('base64');
    const answered: Answered = {};
    const httpResponse = {
      status: (status: number) => {
        answered.status = status;
        return { json: ({ message }: { message: string }) => (answered.message = message) };
      },
    };
    const httpRequest = {
      rawBody,
      body,
      headers: {
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${signature}`,
        ...headers,
      },
    };
    const context = new WebhookContext(
      workflow,
      known,
      { ...data, httpRequest, httpResponse } as unknown as typeof data,
      'webhook',
      webhookData,
      [],
      null,
    );
    return { ...(await rollcallTrigger.webhook.call(context)), ...answered };
  }

  return {
    checkExists: () => hook('checkExists'),
    create: () => hook('create'),
    delete: () => hook('delete'),
    deliver,
    get remembered() {
      return workflow.getStaticData('node', known);
    },
  };
}
