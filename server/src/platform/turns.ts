import { setImmediate as nextTurn } from 'node:timers/promises';

/** Items whose work fits between two looks at the sockets: about a millisecond of validation. */
const SLICE = 100;

/**
 * Maps long lists without holding up the event loop: a hundred items a turn, one list after another. What goes
 * out to the database and what else comes in is served in between; a short list is mapped at once.
 */
export function createTurns() {
  let last: Promise<unknown> = Promise.resolve();

  async function slices<Item, Result>(
    items: Item[],
    map: (item: Item, index: number) => Result,
  ): Promise<Result[]> {
    const results: Result[] = [];
    for (const [index, item] of items.entries()) {
      if (index % SLICE === SLICE - 1) await nextTurn();
      results.push(map(item, index));
    }
    return results;
  }

  return function mapInTurns<Item, Result>(
    items: Item[],
    map: (item: Item, index: number) => Result,
  ): Promise<Result[]> {
    if (items.length < SLICE) return Promise.resolve(items.map(map));
    const result = last.then(() => slices(items, map));
    last = result.catch(() => undefined);
    return result;
  };
}
