import type {
  EntityDetail,
  EntityRegistration,
  ExecutionSummary,
  Gap,
  Page,
  StoredTelemetryEvent,
} from '../../client/src/contract/index.ts';

type Query = Record<string, string>;

/** What the tests ask of Rollcall, over HTTP. */
export interface RollcallApi {
  events(query: Query): Promise<StoredTelemetryEvent[]>;
  /** `undefined` when the registry does not know it. */
  entity(type: string, id: string): Promise<EntityDetail | undefined>;
  register(entity: EntityRegistration): Promise<void>;
  gaps(query: Query): Promise<Gap[]>;
  /** Newest first. */
  executions(query: Query): Promise<ExecutionSummary[]>;
  /** Any route under /api/v1, e.g. `executions/{id}/timeline`; `undefined` when it is a 404. */
  get<Answer>(path: string): Promise<Answer | undefined>;
  post<Answer>(path: string, body?: object): Promise<Answer | undefined>;
  patch(path: string, body: object): Promise<void>;
}

export function rollcallApi(url: string, apiKey: string): RollcallApi {
  const headers = { Authorization: `Bearer ${apiKey}`, 'Content-Type': 'application/json' };
  const ask = async <Answer>(
    path: string,
    body?: object,
    method = 'POST',
  ): Promise<Answer | undefined> => {
    const request = body ? { method, body: JSON.stringify(body), headers } : { headers };
    const answer = await fetch(`${url}/api/v1/${path}`, request);
    if (answer.status === 404) return undefined;
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Answer;
  };
  const list = async <Item>(path: string, query: Query): Promise<Item[]> =>
    (await ask<Page<Item>>(`${path}?${new URLSearchParams(query).toString()}`))?.items ?? [];
  return {
    events: (query) => list<StoredTelemetryEvent>('telemetry', query),
    entity: (type, id) => ask<EntityDetail>(`entities/${type}/${id}`),
    register: async (entity) => void (await ask('entities', entity)),
    gaps: (query) => list<Gap>('gaps', query),
    executions: (query) => list<ExecutionSummary>('executions', query),
    get: (path) => ask(path),
    post: (path, body = {}) => ask(path, body),
    patch: async (path, body) => void (await ask(path, body, 'PATCH')),
  };
}
