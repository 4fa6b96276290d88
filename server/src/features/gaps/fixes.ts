import type {
  BulkFixItem,
  BulkFixRequest,
  BulkFixResult,
  GapFixOutcome,
  GapFixRequest,
  GapFixResult,
} from '@rollcall/client/contract';
import type { Clock } from '../../platform/clock.ts';
import { fromCursor, sortField, toPage } from '../../platform/http/page.ts';
import { Problem } from '../../platform/problem.ts';
import { fixesInN8n, type N8nAccess } from './fixes-in-n8n.ts';
import type { Author, FixesStore } from './fixes.store.ts';
import type { GapsStore } from './gaps.store.ts';

const IN_N8N = new Set<BulkFixRequest['action']>(['reactivate', 'restore', 'instrument']);
/** In n8n one takes two or three requests. */
const MOST_IN_N8N = 20;
const MOST = 1000;

/** Fixes of gaps in the registry, each one transaction, and in n8n. */
export function gapFixing(store: FixesStore, gaps: GapsStore, clock: Clock, access: N8nAccess) {
  const n8n = fixesInN8n(store, access, clock);

  async function fix(author: Author, gap: string, request: GapFixRequest): Promise<GapFixResult> {
    const result = await store.fix(author, gap, request, clock());
    return 'in_n8n' in result ? n8n.fix(author, result, request.dry_run ?? false) : result;
  }

  async function fixMany(author: Author, request: BulkFixRequest): Promise<BulkFixResult> {
    if (IN_N8N.has(request.action)) return fixManyInN8n(author, request);
    const { filter, limit = MOST, cursor, ...choice } = request;
    const { next, ...result } = await store.fixMany(author, filter, choice, {
      now: clock(),
      limit,
      after: afterOf(cursor),
    });
    return { ...result, next_cursor: toPage({ items: [], next }).next_cursor };
  }

  async function fixManyInN8n(author: Author, request: BulkFixRequest): Promise<BulkFixResult> {
    const { filter, limit = MOST_IN_N8N, cursor, ...choice } = request;
    const page = toPage(
      await gaps.list(
        author.tenant,
        filter,
        clock(),
        Math.min(limit, MOST_IN_N8N),
        afterOf(cursor),
      ),
    );
    const items: BulkFixItem[] = [];
    for (const { id: gap_id, kind, entity_type, entity_id } of page.items) {
      const about = { gap_id, kind, entity_type, entity_id };
      const outcome = await fix(author, gap_id, choice).then(fixed, refused);
      items.push({ ...about, ...outcome });
    }
    const dry_run = choice.dry_run ?? false;
    const count = (status: BulkFixItem['status']) =>
      items.filter((item) => item.status === status).length;
    return {
      dry_run,
      fixed: count('fixed'),
      refused: count('refused'),
      items,
      next_cursor: page.next_cursor,
      check: dry_run ? null : await gaps.check(author.tenant, clock()),
    };
  }

  /** @throws Problem 409 `changed_since` that names what was changed since */
  async function undo(author: Author, fixId: string): Promise<GapFixOutcome> {
    const result = await store.undo(author, fixId, clock());
    return 'in_n8n' in result ? n8n.undo(author, result) : result;
  }

  /** @throws Problem 409 when the fix is not pending */
  async function retry(author: Author, fixId: string): Promise<GapFixOutcome> {
    const { status, action, entity_type, entity_id } = await store.get(author.tenant, fixId);
    if (status !== 'pending') {
      const detail = `The fix ${action} of ${entity_type} ${entity_id} is ${status}: only a pending one is retried.`;
      throw new Problem(409, 'not_pending', { detail });
    }
    const kept = await store.undo(author, fixId, clock());
    if (!('in_n8n' in kept)) throw new Error('Only fixes in n8n are ever pending');
    return n8n.retry(author, kept);
  }

  return { fix, fixMany, undo, retry };
}

const afterOf = (cursor: string | undefined) =>
  fromCursor(cursor, [sortField.timestamp, sortField.uuid], 'cursor');

const fixed = ({ action, summary, fix_id, changes }: GapFixResult) => ({
  status: 'fixed' as const,
  code: null,
  message: null,
  action,
  summary,
  fix_id,
  changes,
});

function refused(error: unknown) {
  if (!(error instanceof Problem) || error.status >= 500) throw error;
  const { code, message } = error;
  const nothing = { action: null, summary: null, fix_id: null, changes: [] };
  return { status: 'refused' as const, code, message, ...nothing };
}

export type GapFixing = ReturnType<typeof gapFixing>;
