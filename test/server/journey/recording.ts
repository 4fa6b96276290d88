import type { Answer, CallOptions, TestRollcall } from '../../rollcall/start.ts';

/** Made by the client, so kept as they are. */
const OWN_ID = '00000000-0000-4000-8000-';
export const ownId = (index: number): string => OWN_ID + String(index).padStart(12, '0');

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(.*)$/;
const KEY = /\brc_[\w-]+/g;
/** Where a stand-in listens. */
const ADDRESS = /127\.0\.0\.1:\d+/g;

/** Fields that hold the database's own time. */
const DATABASE_TIME =
  /^(created_at|updated_at|changed_at|received_at|state_since|active_since|deadline)$/;

/** Fields that are another one every time. */
const EVER_NEW = /^(receipt|request_id|next_cursor|last_used_at|key_hint)$/;

export interface Recorded {
  request: string;
  status: number;
  body: unknown;
}

type Caller = (path: string, options?: CallOptions) => Promise<Answer>;
type Sender = (path: string, body?: unknown, options?: CallOptions) => Promise<Answer>;

export interface Recording {
  get: Caller;
  post: Sender;
  put: Sender;
  delete: Caller;
  /** What was answered, without what is different every time. */
  answers: Recorded[];
}

/** Writes down all that a server answers, so that another one's answers can be laid beside it. */
export function record(rollcall: TestRollcall): Recording {
  const answers: Recorded[] = [];
  async function call(method: string, path: string, body?: unknown, options?: CallOptions) {
    const answer = await rollcall.call(method, `/api/v1/${path}`, body, options);
    answers.push({
      request: `${method} ${steadyText(path.replace(/cursor=[^&]+/, 'cursor'))}`,
      status: answer.status,
      body: inOrder(path, steady('', timeless(path, answer.body))),
    });
    return answer;
  }
  return {
    get: (path, options) => call('GET', path, undefined, options),
    post: (path, body, options) => call('POST', path, body, options),
    put: (path, body, options) => call('PUT', path, body, options),
    delete: (path, options) => call('DELETE', path, undefined, options),
    answers,
  };
}

function steady(field: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => steady(field, item));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, child]) => [key, steady(key, child)]),
    );
  }
  if (EVER_NEW.test(field)) return `<${field}>`;
  if (typeof value !== 'string') return value;
  if (DATABASE_TIME.test(field)) return value.replace(MOMENT, '<moment$2>');
  return steadyText(value);
}

function steadyText(text: string): string {
  return text
    .replace(UUID, (id) => (id.startsWith(OWN_ID) ? id : '<uuid>'))
    .replace(KEY, '<key>')
    .replace(ADDRESS, '<address>')
    .replace(/for \d+ (seconds|minutes|hours)/, 'for <time>');
}

/** How long a check or an inventory took is no part of what it found; when a row was made, the database says. */
function timeless(path: string, body: object): object {
  if (path === 'gaps/check') return { ...body, duration_ms: '<time>' };
  if (path === 'n8n/workflows') {
    const { items, ...rest } = body as { items: object[] };
    return { ...rest, items: items.map((item) => ({ ...item, first_seen: '<moment>' })) };
  }
  const { check, last_result } = body as { check?: object; last_result?: object };
  return {
    ...body,
    ...(check && { check: timeless('gaps/check', check) }),
    ...(last_result && { last_result: timeless('gaps/check', last_result) }),
  };
}

/** Gaps that one check has found stand in the order of their random ids. */
function inOrder(path: string, body: unknown): unknown {
  const { items } = body as { items?: unknown[] };
  if (!path.startsWith('gaps') || !items) return body;
  const sorted = items.map((item) => JSON.stringify(item)).sort();
  return { ...(body as object), items: sorted.map((item) => JSON.parse(item) as unknown) };
}
