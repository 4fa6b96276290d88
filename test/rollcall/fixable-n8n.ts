import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

type Json = Record<string, unknown>;

export interface FixableN8n {
  url: string;
  apiKey: string;
  /** As n8n has them, by id. */
  workflows: Map<string, Json>;
  /** Its history of versions, by their ids. */
  versions: Map<string, Json>;
  /** Requests that changed something, in order. */
  changes: string[];
  /** Answers instead of the next changes, of one when left out; `after` it was made, as when its answer is lost. */
  trouble: { status: number; after: boolean; times?: number } | undefined;
  stop(): Promise<void>;
}

/** n8n's public API as far as fixes need it: workflows are read, replaced, published and unpublished. */
export async function startFixableN8n(): Promise<FixableN8n> {
  const apiKey = 'n8n_api_test_key_of_some_length';
  const server = createServer((request, response) => {
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    void respond(request, answer);
  });
  const n8n: FixableN8n = {
    url: '',
    apiKey,
    workflows: new Map(),
    versions: new Map(),
    changes: [],
    trouble: undefined,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function respond(
    request: IncomingMessage,
    answer: (status: number, body: object) => void,
  ): Promise<void> {
    if (request.headers['x-n8n-api-key'] !== apiKey)
      return answer(401, { message: 'unauthorized' });
    const [, id = '', verb] =
      /^\/api\/v1\/workflows\/([^/?]+)(?:\/([\w-]+))?/.exec(request.url ?? '') ?? [];
    const stored = n8n.workflows.get(decodeURIComponent(id));
    if (!stored) return answer(404, { message: 'Not Found' });
    if (request.method === 'GET') {
      const version = verb === undefined ? stored : n8n.versions.get(verb);
      return version ? answer(200, version) : answer(404, { message: 'Version not found' });
    }
    const change = changed(stored, verb, request.method === 'PUT' ? await json(request) : {});
    const { trouble } = n8n;
    const times = (trouble?.times ?? 1) - 1;
    n8n.trouble = trouble && times > 0 ? { ...trouble, times } : undefined;
    if (!trouble || trouble.after) {
      n8n.workflows.set(id, change);
      n8n.changes.push(`${request.method} ${verb ?? 'workflow'}`);
    }
    if (trouble) return answer(trouble.status, { message: 'request/body is refused' });
    answer(200, change);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  n8n.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return n8n;
}

function changed(stored: Json, verb: string | undefined, body: unknown): Json {
  if (verb === 'activate' || verb === 'publish') return { ...stored, active: true };
  if (verb === 'deactivate' || verb === 'unpublish') return { ...stored, active: false };
  const { nodes, ...rest } = body as { nodes: Json[] };
  const versionId = randomUUID();
  return {
    ...stored,
    ...rest,
    // n8n finds credentials by their name.
    nodes: nodes.map(({ credentials, ...node }) => ({
      ...node,
      ...(credentials ? { credentials: { rollcallApi: { id: 'found', name: 'Rollcall' } } } : {}),
    })),
    versionId,
    // Published at once when it was.
    activeVersionId: stored.active ? versionId : null,
    updatedAt: new Date().toISOString(),
  };
}
