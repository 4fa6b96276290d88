import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A workflow as n8n 2.41's public API answers it. */
export interface N8nServerWorkflow {
  id: string;
  name: string;
  active: boolean;
  isArchived: boolean;
  createdAt: string;
  updatedAt: string;
  versionId: string;
  activeVersionId: string | null;
  triggerCount: number;
  nodes: object[];
  connections: object;
  settings: object;
  staticData: null;
  meta: null;
  tags: { id: string; name: string }[];
  shared: object[];
}

export interface N8nServerExecution {
  id: string;
  finished: boolean;
  mode: string;
  retryOf: null;
  retrySuccessId: null;
  status: string;
  startedAt: string;
  stoppedAt: string | null;
  workflowId: string;
  waitTill: null;
}

/** What one request is answered with instead of what it asks for. */
export interface Fault {
  status: number;
  headers?: Record<string, string>;
  body?: string;
  /** Held back until this resolves. */
  until?: Promise<unknown>;
  /** Nothing at all: the connection is cut. */
  cut?: boolean;
}

export interface N8nServer {
  url: string;
  key: string;
  workflows: N8nServerWorkflow[];
  /** Newest first. */
  executions: N8nServerExecution[];
  /** Whether projects are licensed. */
  licensed: boolean;
  pageSize: number;
  /** `METHOD /path?query` of each, in their order. */
  requests: string[];
  /** Answers of the next requests that the pattern fits, one each. */
  fail(pattern: RegExp, ...faults: Fault[]): void;
  /** Called before each answer: to change what is there while it is read. */
  before: (request: string) => void;
  stop(): Promise<void>;
}

const NOW = '2026-05-01T08:00:00.000Z';
const PROJECT = { id: 'pRj0000000000001', name: 'Billing', type: 'team' };

export function n8nWorkflow(id: string, more: Partial<N8nServerWorkflow> = {}): N8nServerWorkflow {
  const versionId = randomUUID();
  return {
    id,
    name: `Workflow ${id}`,
    active: true,
    isArchived: false,
    createdAt: NOW,
    updatedAt: NOW,
    versionId,
    activeVersionId: versionId,
    triggerCount: 1,
    nodes: [
      {
        parameters: { path: id, options: {} },
        id: randomUUID(),
        name: 'Webhook',
        type: 'n8n-nodes-base.webhook',
        typeVersion: 2,
        position: [0, 0],
        webhookId: randomUUID(),
      },
      {
        parameters: { select: 'channel', text: 'done' },
        id: randomUUID(),
        name: 'Slack',
        type: 'n8n-nodes-base.slack',
        typeVersion: 2.2,
        position: [200, 0],
        credentials: { slackApi: { id: 'cRd0000000000001', name: 'Slack of finance' } },
      },
    ],
    connections: { Webhook: { main: [[{ node: 'Slack', type: 'main', index: 0 }]] } },
    settings: { executionOrder: 'v1', binaryMode: 'separate' },
    staticData: null,
    meta: null,
    tags: [{ id: 'tAg0000000000001', name: 'finance' }],
    shared: [{ role: 'workflow:owner', workflowId: id, projectId: PROJECT.id, project: PROJECT }],
    ...more,
  };
}

export const n8nExecution = (
  id: number,
  workflowId: string,
  more: Partial<N8nServerExecution> = {},
): N8nServerExecution => ({
  id: String(id),
  finished: true,
  mode: 'webhook',
  retryOf: null,
  retrySuccessId: null,
  status: 'success',
  startedAt: new Date(Date.now() - 600_000 + id * 1000).toISOString(),
  stoppedAt: new Date(Date.now() - 600_000 + id * 1000 + 250).toISOString(),
  workflowId,
  waitTill: null,
  ...more,
});

/** n8n's public API, as far as inventories and fixes use it. */
export async function startN8nServer(workflows: N8nServerWorkflow[] = []): Promise<N8nServer> {
  const faults: { pattern: RegExp; fault: Fault }[] = [];
  const key = `eyJhbGciOiJIUzI1NiJ9.${randomUUID()}.${randomUUID()}`;
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const n8n: N8nServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    key,
    workflows,
    executions: [],
    licensed: false,
    pageSize: 250,
    requests: [],
    fail: (pattern, ...more) => void faults.push(...more.map((fault) => ({ pattern, fault }))),
    before: () => undefined,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = `${request.method} ${request.url}`;
    n8n.requests.push(asked);
    n8n.before(asked);
    const place = faults.findIndex(({ pattern }) => pattern.test(asked));
    if (place >= 0) {
      const [found] = faults.splice(place, 1);
      const { status, headers = {}, body = '', until, cut } = (found as { fault: Fault }).fault;
      await until;
      if (cut) return void response.destroy();
      return void response.writeHead(status, headers).end(body);
    }
    const send = (status: number, body: unknown) =>
      void response
        .writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
        .end(JSON.stringify(body));
    if (request.headers['x-n8n-api-key'] !== key) return send(401, { message: 'unauthorized' });
    const url = new URL(request.url ?? '', n8n.url);
    const [, , , what, id, verb] = url.pathname.split('/');
    if (what === 'projects') {
      if (!n8n.licensed) {
        return send(403, { message: 'Your license does not allow for feat:projectRole:admin.' });
      }
      return send(200, { data: [PROJECT], nextCursor: null });
    }
    if (what === 'workflows' && id === undefined) return send(200, page(url, n8n.workflows));
    if (what === 'executions' && id === undefined) {
      const running = url.searchParams.get('status') === 'running';
      // Without a status, n8n leaves out what runs now.
      const listed = n8n.executions.filter(({ status }) => (status === 'running') === running);
      return send(200, page(url, listed));
    }
    const workflow = n8n.workflows.find((one) => one.id === id);
    if (what !== 'workflows' || !workflow) return send(404, { message: 'Not Found' });
    if (request.method === 'PUT') return send(...put(workflow, await bodyOf(request)));
    if (verb) workflow.active = verb === 'activate';
    return send(200, workflow);
  }

  /** Pages begin at an offset, as n8n's do: they shift when something is deleted. */
  function page(url: URL, all: object[]) {
    const size = Math.min(Number(url.searchParams.get('limit') ?? 100), n8n.pageSize);
    const cursor = url.searchParams.get('cursor');
    const offset = cursor ? Number(Buffer.from(cursor, 'base64').toString()) : 0;
    const next = offset + size;
    return {
      data: all.slice(offset, next),
      nextCursor: next < all.length ? Buffer.from(String(next)).toString('base64') : null,
    };
  }

  return n8n;
}

const WRITABLE = ['name', 'nodes', 'connections', 'settings', 'staticData', 'pinData'];

function put(workflow: N8nServerWorkflow, body: Record<string, unknown>): [number, unknown] {
  const extra = Object.keys(body).find((field) => !WRITABLE.includes(field));
  if (extra) return [400, { message: `request/body/${extra} is read-only` }];
  Object.assign(workflow, body, { versionId: randomUUID() });
  return [200, workflow];
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return JSON.parse(text) as Record<string, unknown>;
}
