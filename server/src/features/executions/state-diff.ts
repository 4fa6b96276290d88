import type { ValueChange, ValueDiff } from '@rollcall/client/contract';

const MOST_CHANGES = 200;
const LONGEST_VALUE = 1000;
/** Deeper values are compared as text; what comes in is less than half as deep. */
const DEEPEST = 50;

type Children = Map<string, unknown>;

/** What has to be done to turn one JSON value into another, by JSON pointer (RFC 6901), arrays by index. */
export function diffValues(before: unknown, after: unknown): ValueDiff {
  const changes: ValueChange[] = [];

  /** False once there is no room for another change. */
  function add(change: ValueChange): boolean {
    changes.push(change);
    return changes.length <= MOST_CHANGES;
  }

  function compare(from: unknown, to: unknown, path: string, depth: number): boolean {
    if (Object.is(from, to)) return true;
    const [old, now] = depth < DEEPEST ? [childrenOf(from), childrenOf(to)] : [];
    if (old && now && Array.isArray(from) === Array.isArray(to)) {
      return compareChildren(old, now, path, depth + 1);
    }
    if (isContainer(from) && isContainer(to) && JSON.stringify(from) === JSON.stringify(to)) {
      return true;
    }
    return add({ op: 'changed', path, ...shown('from', from), ...shown('to', to) });
  }

  function compareChildren(old: Children, now: Children, path: string, depth: number): boolean {
    for (const [key, value] of old) {
      const at = `${path}/${pointerToken(key)}`;
      const goesOn = now.has(key)
        ? compare(value, now.get(key), at, depth)
        : add({ op: 'removed', path: at, ...shown('from', value) });
      if (!goesOn) return false;
    }
    for (const [key, value] of now) {
      if (old.has(key)) continue;
      const at = `${path}/${pointerToken(key)}`;
      if (!add({ op: 'added', path: at, ...shown('to', value) })) return false;
    }
    return true;
  }

  compare(before, after, '', 0);
  return { changes: changes.slice(0, MOST_CHANGES), truncated: changes.length > MOST_CHANGES };
}

const isContainer = (value: unknown): value is object =>
  typeof value === 'object' && value !== null;

function childrenOf(value: unknown): Children | undefined {
  if (Array.isArray(value)) return new Map(value.map((item, index) => [String(index), item]));
  return isContainer(value) ? new Map(Object.entries(value)) : undefined;
}

const pointerToken = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

const shown = <Key extends 'from' | 'to'>(
  key: Key,
  value: unknown,
): Partial<Record<Key, unknown>> =>
  JSON.stringify(value).length <= LONGEST_VALUE
    ? ({ [key]: value } as Partial<Record<Key, unknown>>)
    : {};
