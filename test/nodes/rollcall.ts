import type { BatchResult, Gap, GapCheck, Problem } from '../../client/src/contract/index.ts';
import { BASE_URL, stored } from './credentials.ts';

/** Whatever the JSON holds. */
type Json = ReturnType<typeof JSON.parse>;

export interface Received {
  route: string;
  query: Record<string, string>;
  headers: Record<string, string>;
  body: Json;
}

export interface Reply {
  status?: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** One reply for every request, or one after the other with the last one repeated. */
type Replies = Reply | ((request: Received) => Reply | Promise<Reply>) | Replies[];

/**
 * A Rollcall server made of canned replies, by route (`POST /api/v1/telemetry`). Answers the list
 * of what it has received, which grows as requests arrive. No other address can be reached.
 */
export async function rollcall(routes: Record<string, Replies>): Promise<Received[]> {
  const { default: nock } = await import('nock');
  const received: Received[] = [];
  nock.cleanAll();
  nock.disableNetConnect();
  stored.baseUrl = BASE_URL;
  for (const [route, replies] of Object.entries(routes)) {
    const [method = '', path = ''] = route.split(' ');
    const queue = [replies].flat() as Exclude<Replies, Replies[]>[];
    nock(BASE_URL)
      .persist()
      .intercept(path, method)
      .query(true)
      .reply(async (sent: Request) => {
        const text = await sent.text();
        const request: Received = {
          route,
          query: Object.fromEntries(new URL(sent.url).searchParams),
          headers: Object.fromEntries(sent.headers),
          body: text === '' ? undefined : JSON.parse(text),
        };
        received.push(request);
        const reply = queue.length > 1 ? queue.shift() : queue[0];
        const { status, ...answer } = typeof reply === 'function' ? await reply(request) : reply!;
        return [status ?? 200, answer.body as string, answer.headers ?? {}];
      });
  }
  return received;
}

/** Node's http module outlives a test file: two interceptors in it would both answer. */
afterAll(async () => {
  const { default: nock } = await import('nock');
  nock.restore();
});

/** The answer to a batch of which everything was kept. */
export function kept(accepted = 1): BatchResult {
  return { receipt: 'rcpt', accepted, duplicates: 0, rejected: 0, results: [] };
}

export function problem(status: number, title: string, detail: string): Reply {
  const body: Problem = { type: 'about:blank', title, status, code: 'x', detail, request_id: 'r' };
  return { status, body, headers: { 'content-type': 'application/problem+json' } };
}

export const HTML: Reply = {
  body: '<!doctype html><title>It works!</title>',
  headers: { 'content-type': 'text/html' },
};

export function gap(id: string, more: Partial<Gap> = {}): Gap {
  return {
    id,
    kind: 'silent',
    state: 'open',
    severity: 'critical',
    grade: 'certain',
    entity_type: 'workflow',
    entity_id: `wf-${id}`,
    entity_name: `Workflow ${id}`,
    summary: 'Is active but has been quiet.',
    evidence: {},
    first_seen: '2026-01-01T00:00:00Z',
    last_seen: '2026-01-02T00:00:00Z',
    closed_at: null,
    inhibited_by: null,
    inhibits: 0,
    muted_until: null,
    mute_reason: null,
    fixes: [],
    ...more,
  };
}

export function checked(open: number): GapCheck {
  const checked_at = '2026-01-02T00:00:00Z';
  return {
    checked_at,
    mode: 'full',
    duration_ms: 3,
    opened: open,
    closed: 0,
    open,
    muted: 0,
    inhibited: 0,
    cannot_tell: 0,
    by_kind: {},
  };
}
