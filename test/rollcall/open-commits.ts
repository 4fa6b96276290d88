import { groupCommit, type Outcome } from '../../server/src/platform/group-commit.ts';
import { Problem } from '../../server/src/platform/problem.ts';

interface Call {
  tenant: string;
  items: string[];
  /** Ends the transaction. */
  end(result?: { duplicates: string[] } | Error): void;
}

/** A group commit whose database is the test: each transaction is open until the test ends it. */
export function open(
  limits: {
    batchSize?: number;
    queueSize?: number;
    concurrency?: number;
    besideSize?: number;
    sizeOf?: (item: string) => number;
  } = {},
) {
  const calls: Call[] = [];
  let seen = 0;
  let wake: (() => void) | undefined;
  const commits = groupCommit<string>({
    commit: (tenant, items) =>
      new Promise((resolve, reject) => {
        const end: Call['end'] = (result = { duplicates: [] }) =>
          result instanceof Error ? reject(result) : resolve(result);
        calls.push({ tenant, items, end });
        wake?.();
      }),
    idOf: (item) => item,
    batchSize: 100,
    queueSize: 1000,
    concurrency: 1,
    ...limits,
  });
  const submit = (items: string[], tenant = 'one') => commits.submit(tenant, items);
  /** The next transaction, as soon as it begins. */
  async function next(): Promise<Call> {
    while (calls.length <= seen) await new Promise<void>((resolve) => (wake = resolve));
    return calls[seen++] as Call;
  }
  return { submit, drain: commits.drain, next, calls };
}

/** A turn of the event loop, in which whatever may begin does. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));
export const refusal = new Problem(422, 'invalid_value', { detail: 'poison' });
export const plain = ({ duplicates, refused }: Outcome) => ({
  duplicates: [...duplicates].sort(),
  refused: [...refused.keys()].sort(),
});
