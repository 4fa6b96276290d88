import { setTimeout as pause } from 'node:timers/promises';
import type {
  ExecutionDetail,
  LiveExecutionChange,
  LiveExecutions,
  NodeExecution,
  RunStatus,
} from '@rollcall/client/contract';
import type { StreamEvent } from '../../platform/http/stream.ts';
import type { Batch } from '../../platform/live/catch-up.ts';

interface Watch {
  first: ExecutionDetail;
  read: (id: string) => Promise<ExecutionDetail>;
  batches: AsyncIterable<Batch>;
  signal: AbortSignal;
}

/** A run that was given up may still be told of; these are over. */
const OVER: readonly RunStatus[] = ['success', 'error', 'cancelled'];
/** Between two reads of one execution: what changes meanwhile is told at once. */
const BREATH_MS = 200;
/** Several tell of one run, and the first to tell of its end need not know its nodes: the others have this long. */
const LAST_WORDS_MS = 1_000;

/** The whole execution, then each change, up to its end and what others say of it at once. */
export async function* watchExecution(watch: Watch): AsyncGenerator<StreamEvent> {
  let known = watch.first;
  yield { event: 'execution', data: known };
  for await (const batch of watch.batches) {
    if (OVER.includes(known.status)) break;
    if (!batch.reset && !batch.events.some((event) => names(event, known.id))) continue;
    const now = await watch.read(known.id);
    const change = difference(known, now);
    if (change) yield { event: 'change', data: change };
    known = now;
    const isOver = OVER.includes(known.status);
    const wait = isOver ? LAST_WORDS_MS : BREATH_MS;
    await pause(wait, undefined, { signal: watch.signal }).catch(() => undefined);
    if (!isOver || watch.signal.aborted) continue;
    const last = difference(known, await watch.read(known.id));
    if (last) yield { event: 'change', data: last };
    break;
  }
  if (OVER.includes(known.status)) {
    yield { event: 'end', data: { id: known.id, status: known.status } };
  }
}

const names = ({ topic, body }: Batch['events'][number], id: string): boolean =>
  topic === 'executions' && (body as LiveExecutions).executions.some((each) => each.id === id);

/** `undefined` when nothing that is told has changed. */
export function difference(
  before: ExecutionDetail,
  after: ExecutionDetail,
): LiveExecutionChange | undefined {
  const fields = (Object.keys(after) as (keyof ExecutionDetail)[]).filter(
    (field) => !same(before[field], after[field]),
  );
  if (fields.length === 0) return undefined;
  const change = Object.fromEntries(fields.map((field) => [field, after[field]]));
  if (change.node_executions) {
    const known = new Map(before.node_executions.map((run) => [identity(run), run]));
    change.node_executions = after.node_executions.filter(
      (run) => !same(known.get(identity(run)), run),
    );
  }
  return { ...change, id: after.id };
}

/** Both come from the same function of the database, which orders keys always alike. */
const same = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

const identity = ({ node_id, run_index, retry_index }: NodeExecution): string =>
  JSON.stringify([node_id, run_index, retry_index]);
