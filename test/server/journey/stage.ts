import type { TestRollcall } from '../../rollcall/start.ts';
import { record, type Recording } from './recording.ts';

/** The same on every backend, to the millisecond. */
export const START = Math.ceil(Date.now() / 1000) * 1000;
export const MINUTE_MS = 60_000;

/** Before the start, or after it when negative. */
export const at = (minutesAgo: number): string =>
  new Date(START - minutesAgo * MINUTE_MS).toISOString();

/** The id of nothing. */
export const NOWHERE = '11111111-1111-4111-8111-111111111111';

/** Where a journey takes place: a server, and the record of its answers. Set before the first step. */
export interface Stage {
  rollcall: TestRollcall;
  api: Recording;
  register(entity_type: string, entity_id: string, rest?: object): ReturnType<Recording['post']>;
  /** Every page of a list, and what is on them. */
  pages(path: string): Promise<object[][]>;
}

/** Sets the stage on a server whose clock is put to the start. */
export function setStage(rollcall: TestRollcall): Stage {
  rollcall.clock.advance(START - rollcall.clock.now().getTime());
  const api = record(rollcall);
  return {
    rollcall,
    api,
    register: (entity_type, entity_id, rest = {}) =>
      api.post('entities', { entity_type, entity_id, ...rest }),
    async pages(path) {
      const found: object[][] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const { body }: { body: { items: object[]; next_cursor: string | null } } = await api.get(
          `${path}${cursor && `&cursor=${cursor}`}`,
        );
        found.push(body.items);
        cursor = body.next_cursor;
      }
      return found;
    },
  };
}
