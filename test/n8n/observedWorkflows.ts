import { webhook, workflowOf, type WorkflowNode } from './workflows.ts';

/** Puts out one item with these fields; expressions are evaluated. */
export function set(name: string, fields: Record<string, unknown>): WorkflowNode {
  return {
    name,
    type: 'n8n-nodes-base.set',
    parameters: { mode: 'raw', jsonOutput: `=${JSON.stringify(fields)}`, options: {} },
    more: { typeVersion: 3.4 },
  };
}

/** Puts out one item for each entry of the field. */
export function splitOut(name: string, field: string): WorkflowNode {
  return { name, type: 'n8n-nodes-base.splitOut', parameters: { fieldToSplitOut: field } };
}

/** Asks an address; `more` says what n8n does when that fails. */
export function httpRequest(name: string, url: string, more: object = {}): WorkflowNode {
  return {
    name,
    type: 'n8n-nodes-base.httpRequest',
    parameters: { url, options: { timeout: 2000 } },
    more: { typeVersion: 4.2, ...more },
  };
}

export function executeWorkflow(name: string, workflowId: string): WorkflowNode {
  return {
    name,
    type: 'n8n-nodes-base.executeWorkflow',
    parameters: { workflowId: { __rl: true, mode: 'id', value: workflowId }, options: {} },
    more: { typeVersion: 1.2 },
  };
}

export const calledByAnother: WorkflowNode = {
  name: 'Called',
  type: 'n8n-nodes-base.executeWorkflowTrigger',
  parameters: { inputSource: 'passthrough' },
  more: { typeVersion: 1.1 },
};

export const errorTrigger: WorkflowNode = {
  name: 'On error',
  type: 'n8n-nodes-base.errorTrigger',
};

export const manualTrigger: WorkflowNode = {
  name: 'Manual',
  type: 'n8n-nodes-base.manualTrigger',
};

export const everySecond: WorkflowNode = {
  name: 'Every second',
  type: 'n8n-nodes-base.scheduleTrigger',
  parameters: { rule: { interval: [{ field: 'seconds', secondsInterval: 1 }] } },
  more: { typeVersion: 1.2 },
};

/** Parks the execution until its resume address is called. */
export const waitForCall: WorkflowNode = {
  name: 'Wait',
  type: 'n8n-nodes-base.wait',
  parameters: { resume: 'webhook', options: {} },
  more: { typeVersion: 1.1, webhookId: 'rollcall-wait' },
};

/** Holds the execution in memory: n8n parks only what waits longer than a minute. */
export const waitHalfAMinute: WorkflowNode = {
  name: 'Wait',
  type: 'n8n-nodes-base.wait',
  parameters: { resume: 'timeInterval', amount: 30, unit: 'seconds' },
  more: { typeVersion: 1.1, webhookId: 'rollcall-long' },
};

/** A webhook, and a chain that asks a chat model once. `credential` is of type `openAiApi`. */
export function askingModel(name: string, path: string, model: string, credential: string): object {
  const ask: WorkflowNode = {
    name: 'Ask',
    type: '@n8n/n8n-nodes-langchain.chainLlm',
    parameters: { promptType: 'define', text: 'Who is missing?' },
    more: { typeVersion: 1.5 },
  };
  const chat: WorkflowNode = {
    name: 'Chat model',
    type: '@n8n/n8n-nodes-langchain.lmChatOpenAi',
    parameters: { model: { __rl: true, mode: 'id', value: model }, options: { maxRetries: 0 } },
    more: { typeVersion: 1.2, credentials: { openAiApi: { id: credential, name: 'A model' } } },
  };
  const toAsk = (type: string) => ({ [type]: [[{ node: ask.name, type, index: 0 }]] });
  return {
    ...workflowOf(name, [webhook(path), ask, chat]),
    connections: { Webhook: toAsk('main'), [chat.name]: toAsk('ai_languageModel') },
  };
}
