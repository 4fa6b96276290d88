import type { Page } from '@rollcall/client/contract';
import { showProgress } from '../terminal/progress.ts';
import type { Api, Query } from './api.ts';

const PAGE_ITEMS = 500;

/**
 * Reads a list page by page, as many items as wanted.
 * @param noun what is counted, for a message while it takes long
 * @returns what the server would answer to one request for all of it
 */
export async function readPages<Item>(
  api: Api,
  path: string,
  query: Query,
  { wanted = Infinity, noun }: { wanted?: number; noun: string },
): Promise<Page<Item>> {
  const items: Item[] = [];
  const progress = showProgress();
  try {
    for (let cursor: string | undefined; ;) {
      const limit = Math.min(PAGE_ITEMS, wanted - items.length);
      const page = await api.call<Page<Item>>('GET', path, { query: { ...query, limit, cursor } });
      items.push(...page.items);
      if (!page.next_cursor || items.length >= wanted) {
        return { items, next_cursor: page.next_cursor };
      }
      cursor = page.next_cursor;
      progress.say(`${items.length} ${noun} so far`);
    }
  } finally {
    progress.end();
  }
}
