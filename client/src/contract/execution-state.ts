import type { StateSnapshotReport } from './execution-report.ts';

/** One place where two JSON values differ. */
export interface ValueChange {
  op: 'added' | 'removed' | 'changed';
  /** JSON pointer (RFC 6901); arrays are compared by index. Empty: the whole value. */
  path: string;
  /** The value before and after; left out where it is longer than 1,000 characters as JSON. */
  from?: unknown;
  to?: unknown;
}

export interface ValueDiff {
  /** At most 200. */
  changes: ValueChange[];
  /** There are more. */
  truncated: boolean;
}

/** What the nodes shared, at one moment. */
export interface StateSnapshot {
  sequence: number;
  at: string;
  node_name: string | null;
  phase: NonNullable<StateSnapshotReport['phase']> | null;
  state: unknown;
  /** From the snapshot before to this one; null on the first. */
  diff: ValueDiff | null;
}
