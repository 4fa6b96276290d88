import { usageError, CommandFailure } from '../failure.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const PREFIX = /^[0-9a-f-]{1,36}$/;

/** Characters of an id in tables. */
export const SHORT_ID = 8;

export interface Candidates<Item> {
  /** Such as `gap`. */
  noun: string;
  /** Where to look for ids. */
  listing: string;
  read: () => Promise<Item[]>;
  describe: (item: Item) => string;
}

/**
 * The id that begins with what was given; a whole one is taken as it is, unread.
 * @throws CommandFailure when none begins so (exit code 1), or several do (2), which are named
 */
export async function resolveId<Item extends { id: string }>(
  given: string,
  { noun, listing, read, describe }: Candidates<Item>,
): Promise<string> {
  const prefix = given.toLowerCase();
  if (UUID.test(prefix)) return prefix;
  if (!PREFIX.test(prefix)) {
    throw usageError(`${given} is not an id, nor the beginning of one.`, {
      next: `See the ids: ${listing}`,
    });
  }
  const found = (await read()).filter(({ id }) => id.startsWith(prefix));
  const [only] = found;
  if (!only) {
    throw new CommandFailure(`There is no ${noun} whose id begins with ${given}.`, {
      code: 'not_found',
      next: `See the ids: ${listing}`,
    });
  }
  if (found.length > 1) {
    throw usageError(`${found.length} ids begin with ${given}. Give more of the one you mean:`, {
      code: 'ambiguous_id',
      lines: found.map((item) => `${item.id}  ${describe(item)}`),
    });
  }
  return only.id;
}
