import type { SpanTree, TelemetrySpan } from '@rollcall/client/contract';

/** A span of a page, and whether the parent that it names is stored with its run, on this page or not. */
export interface StoredSpan extends TelemetrySpan {
  parent_stored: boolean;
}

/** As deep as trees go: JSON that is nested for ever cannot be written, nor read. */
export const DEEPEST_SPAN = 100;

interface SpanName {
  trace_id: string;
  span_id: string | null;
}

export const spanKey = ({ trace_id, span_id }: SpanName): string => `${trace_id}:${span_id ?? ''}`;

export const parentKey = ({ trace_id, parent_span_id }: TelemetrySpan): string =>
  spanKey({ trace_id, span_id: parent_span_id });

/**
 * Spans in the order given, each below its parent. At the top stand those without a parent, those whose parent is
 * not stored (`parent_missing`) or stands on another page, the first of a circle that is met, and what would be
 * deeper than `DEEPEST_SPAN`: these name a parent, and it is not missing.
 */
export function spanTrees(spans: StoredSpan[]): SpanTree[] {
  const trees = new Map(
    spans.map(({ parent_stored, ...span }): [string, SpanTree] => [
      spanKey(span),
      { ...span, parent_missing: span.parent_span_id !== null && !parent_stored, children: [] },
    ]),
  );
  const depths = depthsOf(trees);
  const roots: SpanTree[] = [];
  for (const [key, tree] of trees) {
    const parent = depths.get(key) === 0 ? undefined : trees.get(parentKey(tree));
    (parent?.children ?? roots).push(tree);
  }
  return roots;
}

/** How deep each stands; 0 at the top. */
function depthsOf(trees: Map<string, SpanTree>): Map<string, number> {
  const depths = new Map<string, number>();
  for (const start of trees.keys()) {
    const path: string[] = [];
    const onPath = new Set<string>();
    let key = start;
    for (let tree = trees.get(key); tree && !depths.has(key) && !onPath.has(key);) {
      path.push(key);
      onPath.add(key);
      key = parentKey(tree);
      tree = trees.get(key);
    }
    // In a circle the path closes at the first span of it that was met, which goes to the top.
    const closing = onPath.has(key) ? key : undefined;
    let depth = closing === undefined ? (depths.get(key) ?? -1) : 0;
    for (const each of path.reverse()) {
      depth = each === closing || depth >= DEEPEST_SPAN - 1 ? 0 : depth + 1;
      depths.set(each, depth);
    }
  }
  return depths;
}
