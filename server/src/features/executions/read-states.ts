import type { StateSnapshot } from '@rollcall/client/contract';
import { diffValues } from './state-diff.ts';

type Bare = Omit<StateSnapshot, 'diff'>;

/** Snapshots in sequence, each with what changed since the one before; `before` is the one before the first. */
export function withDiffs(snapshots: Bare[], before: { state: unknown } | null): StateSnapshot[] {
  return snapshots.map((snapshot, index) => {
    const previous = snapshots[index - 1] ?? before;
    return { ...snapshot, diff: previous && diffValues(previous.state, snapshot.state) };
  });
}
