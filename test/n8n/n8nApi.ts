import { until } from './child.ts';

export interface NodeRun {
  node: string;
  executionTime: number;
  executionStatus: string;
  /** JSON of the items on each output. */
  outputs: Record<string, unknown>[][];
}

export interface FinishedExecution {
  id: string;
  status: string;
  workflowId: string;
  /** Milliseconds from start to stop, as n8n says. */
  duration: number;
  /** Message of the error that ended it. */
  error?: string;
  nodes: NodeRun[];
}

export interface NodeTypeDescription {
  name: string;
  displayName: string;
  outputs: unknown;
  iconUrl?: { light: string; dark: string } | string;
}

/** What the tests do in n8n, through the routes that its editor and its public API use. */
export interface N8nApi {
  url: string;
  /** What the editor offers, this package's nodes only. */
  nodeTypes(): Promise<NodeTypeDescription[]>;
  createCredential(name: string, data: Record<string, unknown>): Promise<string>;
  /** Result of the credential's connection test: `OK` or `Error`, and what it says. */
  testCredential(
    id: string,
    data: Record<string, unknown>,
  ): Promise<{ status: string; message: string }>;
  createWorkflow(workflow: object): Promise<string>;
  publish(workflowId: string): Promise<void>;
  /** Calls a published workflow's webhook; answers with the JSON that it sends back. */
  callWebhook(path: string): Promise<unknown>;
  /** Runs a workflow from a trigger, as the editor does; resolves with the execution's id. */
  runManually(workflowId: string, trigger: string): Promise<string>;
  /** Waits for an execution to end. */
  finished(executionId: string): Promise<FinishedExecution>;
  /** Waits for a workflow's newest execution to end. */
  latest(workflowId: string): Promise<FinishedExecution>;
}

const OWNER = {
  email: 'owner@rollcall.test',
  firstName: 'Olive',
  lastName: 'Owner',
  password: 'Rollcall-1-test',
};
const SCOPES = ['workflow:create', 'workflow:activate', 'execution:read', 'execution:list'];

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
  const { rawApiKey } = await rest<{ rawApiKey: string }>('POST', 'api-keys', {
    label: 'tests',
    scopes: SCOPES,
    expiresAt: null,
  });
  const open = async <Answer>(method: string, path: string, body?: object): Promise<Answer> =>
    (await call(
      `${url}/api/v1/${path}`,
      json(method, body, { 'X-N8N-API-KEY': rawApiKey }),
    )) as Answer;
  return api(url, cookie, rest, open);
}

type Call = <Answer>(method: string, path: string, body?: object) => Promise<Answer>;

function api(url: string, cookie: string, rest: Call, open: Call): N8nApi {
  const finished = (executionId: string) =>
    until(`execution ${executionId} ends`, () => execution(open, executionId), { seconds: 60 });
  return {
    url,
    nodeTypes: async () => {
      const all = await call(`${url}/types/nodes.json`, { headers: { cookie } });
      return (all as NodeTypeDescription[]).filter(({ name }) =>
        name.startsWith('n8n-nodes-rollcall.'),
      );
    },
    createCredential: async (name, data) =>
      (await rest<{ id: string }>('POST', 'credentials', { name, type: 'rollcallApi', data })).id,
    testCredential: (id, data) =>
      rest('POST', 'credentials/test', {
        credentials: { id, name: 'Rollcall', type: 'rollcallApi', data },
      }),
    createWorkflow: async (workflow) =>
      (await open<{ id: string }>('POST', 'workflows', workflow)).id,
    publish: async (workflowId) => void (await open('POST', `workflows/${workflowId}/activate`)),
    callWebhook: (path) =>
      until(`webhook ${path} is there`, () => webhookAnswer(`${url}/webhook/${path}`), {
        seconds: 20,
      }),
    runManually: async (workflowId, trigger) => {
      const body = { triggerToStartFrom: { name: trigger } };
      const run = await rest<{ executionId: string }>('POST', `workflows/${workflowId}/run`, body);
      return run.executionId;
    },
    finished,
    latest: async (workflowId) => {
      const id = await until(
        `an execution of ${workflowId}`,
        async () => {
          const path = `executions?limit=1&workflowId=${workflowId}`;
          return (await open<{ data: { id: string }[] }>('GET', path)).data[0]?.id;
        },
        { seconds: 30 },
      );
      return await finished(String(id));
    },
  };
}

/** n8n publishes in the background: for a moment, a new webhook is a 404. */
async function webhookAnswer(url: string): Promise<unknown> {
  const answer = await fetch(url);
  if (answer.status === 404) throw new Error(await answer.text());
  return await answer.json();
}

interface RawExecution {
  status: string;
  workflowId: string;
  startedAt: string;
  stoppedAt: string | null;
  data?: { resultData: { error?: { message: string }; runData: Record<string, RawNodeRun[]> } };
}

interface RawNodeRun {
  executionTime: number;
  executionStatus: string;
  data?: { main?: ({ json: Record<string, unknown> }[] | null)[] };
}

async function execution(open: Call, id: string): Promise<FinishedExecution | undefined> {
  const raw = await open<RawExecution>('GET', `executions/${id}?includeData=true`);
  if (!raw.stoppedAt || ['new', 'running', 'waiting'].includes(raw.status)) return undefined;
  const runs = Object.entries(raw.data?.resultData.runData ?? {});
  return {
    id,
    status: raw.status,
    workflowId: raw.workflowId,
    duration: Date.parse(raw.stoppedAt) - Date.parse(raw.startedAt),
    error: raw.data?.resultData.error?.message,
    nodes: runs.flatMap(([node, tasks]) =>
      tasks.map(({ executionTime, executionStatus, data }) => ({
        node,
        executionTime,
        executionStatus,
        outputs: (data?.main ?? []).map((items) => (items ?? []).map((item) => item.json)),
      })),
    ),
  };
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
  return JSON.parse(text);
}
