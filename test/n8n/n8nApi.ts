import { randomUUID } from 'node:crypto';

import { until } from './child.ts';
import { executionsApi, type ExecutionsApi } from './n8nExecutions.ts';

export interface NodeTypeDescription {
  name: string;
  displayName: string;
  outputs: unknown;
  iconUrl?: { light: string; dark: string } | string;
}

/** A workflow as n8n has it. */
export interface StoredN8nWorkflow {
  name: string;
  active: boolean;
  versionId: string;
  activeVersionId: string | null;
  nodes: { id: string; name: string; type: string; parameters: Record<string, unknown> }[];
  connections: Record<string, unknown>;
  settings: Record<string, unknown>;
}

/** What the tests do in n8n, through the routes that its editor and its public API use. */
export interface N8nApi extends ExecutionsApi {
  url: string;
  /** Makes a key of n8n's public API that may do this, e.g. `workflow:list`. */
  createApiKey(scopes: string[]): Promise<string>;
  /** A workflow as the public API tells it. */
  workflow(workflowId: string): Promise<StoredN8nWorkflow>;
  /** What the editor offers, this package's nodes only. */
  nodeTypes(): Promise<NodeTypeDescription[]>;
  /** A Rollcall credential unless the type says otherwise. */
  createCredential(name: string, data: Record<string, unknown>, type?: string): Promise<string>;
  /** Result of the credential's connection test: `OK` or `Error`, and what it says. */
  testCredential(
    id: string,
    data: Record<string, unknown>,
  ): Promise<{ status: string; message: string }>;
  createWorkflow(workflow: object): Promise<string>;
  /** Replaces a workflow; a published one is published again. */
  updateWorkflow(workflowId: string, workflow: object): Promise<void>;
  /** Replaces a published workflow, as the editor does: its changes wait to be published. */
  saveDraft(workflowId: string, workflow: object): Promise<void>;
  publish(workflowId: string): Promise<void>;
  unpublish(workflowId: string): Promise<void>;
  archive(workflowId: string): Promise<void>;
  unarchive(workflowId: string): Promise<void>;
  deleteWorkflow(workflowId: string): Promise<void>;
  /** Ids of every workflow that is there. */
  workflows(): Promise<string[]>;
  /** Calls a published workflow's webhook; answers with the JSON that it sends back. */
  callWebhook(path: string): Promise<unknown>;
  /** Runs a workflow from a trigger, as the editor does; resolves with the execution's id. */
  runManually(workflowId: string, trigger: string): Promise<string>;
}

const OWNER = {
  email: 'owner@rollcall.test',
  firstName: 'Olive',
  lastName: 'Owner',
  password: 'Rollcall-1-test',
};
const SCOPES = [
  ...['create', 'read', 'list', 'update', 'activate', 'deactivate', 'delete'].map(
    (verb) => `workflow:${verb}`,
  ),
  ...['read', 'list', 'stop', 'retry'].map((verb) => `execution:${verb}`),
];

/** Makes the owner of a fresh n8n, signs in and makes an API key. */
export async function signIn(url: string): Promise<N8nApi> {
  const setup = await fetch(`${url}/rest/owner/setup`, json('POST', OWNER));
  if (!setup.ok) throw new Error(`owner setup: ${setup.status} ${await setup.text()}`);
  const cookie = setup.headers
    .getSetCookie()
    .map((entry) => entry.split(';')[0])
    .join('; ');
  const rest = async <Answer>(method: string, path: string, body?: object): Promise<Answer> => {
    const answer = await call(`${url}/rest/${path}`, json(method, body, { cookie }));
    return (answer as { data: Answer }).data;
  };
  const createApiKey = async (scopes: string[]) => {
    const body = { label: `tests ${randomUUID()}`, scopes, expiresAt: null };
    return (await rest<{ rawApiKey: string }>('POST', 'api-keys', body)).rawApiKey;
  };
  const rawApiKey = await createApiKey(SCOPES);
  const open = async <Answer>(method: string, path: string, body?: object): Promise<Answer> =>
    (await call(
      `${url}/api/v1/${path}`,
      json(method, body, { 'X-N8N-API-KEY': rawApiKey }),
    )) as Answer;
  return { ...api(url, cookie, rest, open), createApiKey };
}

/** One call of a route; rejects unless the answer is a success. */
export type Call = <Answer>(method: string, path: string, body?: object) => Promise<Answer>;

function api(url: string, cookie: string, rest: Call, open: Call): Omit<N8nApi, 'createApiKey'> {
  const change = (verb: string) => async (workflowId: string) =>
    void (await open('POST', `workflows/${workflowId}/${verb}`));
  return {
    ...executionsApi(open),
    url,
    nodeTypes: async () => {
      const all = await call(`${url}/types/nodes.json`, { headers: { cookie } });
      return (all as NodeTypeDescription[]).filter(({ name }) =>
        name.startsWith('n8n-nodes-rollcall.'),
      );
    },
    createCredential: async (name, data, type = 'rollcallApi') =>
      (await rest<{ id: string }>('POST', 'credentials', { name, type, data })).id,
    testCredential: (id, data) =>
      rest('POST', 'credentials/test', {
        credentials: { id, name: 'Rollcall', type: 'rollcallApi', data },
      }),
    workflow: (workflowId) => open('GET', `workflows/${workflowId}`),
    createWorkflow: async (workflow) =>
      (await open<{ id: string }>('POST', 'workflows', workflow)).id,
    updateWorkflow: async (workflowId, workflow) =>
      void (await open('PUT', `workflows/${workflowId}`, workflow)),
    saveDraft: async (workflowId, workflow) =>
      void (await open('PUT', `workflows/${workflowId}?publishIfActive=false`, workflow)),
    publish: change('publish'),
    unpublish: change('unpublish'),
    archive: change('archive'),
    unarchive: change('unarchive'),
    deleteWorkflow: async (workflowId) => void (await open('DELETE', `workflows/${workflowId}`)),
    workflows: async () => {
      const { data } = await open<{ data: { id: string }[] }>('GET', 'workflows?limit=250');
      return data.map(({ id }) => id);
    },
    callWebhook: (path) =>
      until(`webhook ${path} is there`, () => webhookAnswer(`${url}/webhook/${path}`), {
        seconds: 20,
      }),
    runManually: async (workflowId, trigger) => {
      const body = { triggerToStartFrom: { name: trigger } };
      const run = await rest<{ executionId: string }>('POST', `workflows/${workflowId}/run`, body);
      return run.executionId;
    },
  };
}

/** n8n publishes in the background: for a moment, a new webhook is a 404. */
async function webhookAnswer(url: string): Promise<unknown> {
  const answer = await fetch(url);
  if (answer.status === 404) throw new Error(await answer.text());
  return await answer.json();
}

function json(method: string, body?: object, headers: Record<string, string> = {}): RequestInit {
  return {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    body: body && JSON.stringify(body),
  };
}

async function call(url: string, request: RequestInit): Promise<unknown> {
  const answer = await fetch(url, request);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${request.method} ${url}: ${answer.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
