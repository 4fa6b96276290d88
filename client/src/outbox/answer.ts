import type { BatchResult } from '../contract/telemetry.ts';

/** What came back for a batch, before anybody has judged it. */
export interface RawAnswer {
  status: number;
  /** As the header says it; null without one. */
  retryAfter: string | null;
  body: string;
}

/** What became of a batch, and what to do with its items. */
export type Verdict =
  | { kind: 'done'; accepted: number; duplicates: number; rejected: number; reason?: string }
  /** Sent again later: the server is away, busy or broken. */
  | { kind: 'later'; reason: string; waitMs?: number }
  /** Too big, or one of them spoils the others: sent again in halves. */
  | { kind: 'split'; reason: string }
  /** Nothing gets through until somebody changes the key or the address. */
  | { kind: 'refused'; reason: string };

/** Longer than this nobody is asked to wait. */
const LONGEST_WAIT_MS = 600_000;
const REASON_LENGTH = 300;

/** Judges the answer to a batch of `count` items. `now` in milliseconds since 1970. */
export function judge(answer: RawAnswer, count: number, now: number): Verdict {
  const { status } = answer;
  const told = `HTTP ${status}${detailOf(answer.body)}`;
  if (status === 401 || status === 403)
    return { kind: 'refused', reason: `${told}: check the key` };
  if (status === 413) return { kind: 'split', reason: told };
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return { kind: 'later', reason: told, waitMs: waitOf(answer.retryAfter, now) };
  }
  const result = resultOf(answer.body, count);
  if (status === 200 || status === 422) {
    if (result) return result;
    if (status === 422) return { kind: 'split', reason: told };
    return { kind: 'later', reason: 'HTTP 200, but not the answer of a Rollcall server' };
  }
  if (status === 400) return { kind: 'split', reason: told };
  if (status > 200 && status < 300) return { kind: 'later', reason: `${told}, and no answer` };
  return { kind: 'refused', reason: `${told}: check the address` };
}

function resultOf(body: string, count: number): Extract<Verdict, { kind: 'done' }> | undefined {
  const said = parse(body) as Partial<BatchResult> | undefined;
  const { accepted, duplicates, rejected } = said ?? {};
  if (!isCount(accepted) || !isCount(duplicates) || !isCount(rejected)) return undefined;
  if (accepted + duplicates + rejected !== count) return undefined;
  const first = Array.isArray(said?.results)
    ? said.results.find((item) => item?.status === 'rejected')
    : undefined;
  const reason = [first?.code, first?.path, first?.message].filter(isText).join(' ');
  return {
    kind: 'done',
    accepted,
    duplicates,
    rejected,
    ...(reason !== '' && { reason: reason.slice(0, REASON_LENGTH) }),
  };
}

/** What a problem document (RFC 9457) says, else nothing: other bodies are not repeated. */
function detailOf(body: string): string {
  const { code, detail } = (parse(body) ?? {}) as { code?: unknown; detail?: unknown };
  const said = [code, detail].filter(isText).join(': ').slice(0, REASON_LENGTH);
  return said === '' ? '' : ` (${said})`;
}

function parse(body: string): object | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds, or a date (RFC 9110, 10.2.3), as milliseconds from `now`. */
function waitOf(header: string | null, now: number): number | undefined {
  const said = header?.trim() ?? '';
  const wait = /^\d{1,9}$/.test(said) ? Number(said) * 1_000 : Date.parse(said) - now;
  return Number.isFinite(wait) ? Math.min(Math.max(wait, 0), LONGEST_WAIT_MS) : undefined;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isCount = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0;
