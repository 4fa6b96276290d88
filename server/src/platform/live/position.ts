import { parseSnapshot } from './snapshot.ts';

/**
 * How far a reader has come: it was given all that `seen` holds, and of what `within.upto` holds besides, all up to
 * and including one announcement in order of (xact, id).
 */
export interface Position {
  seen: string;
  within?: { upto: string; xact: string; id: number };
}

/** Most writers that a busy database may have at a time fit in; longer ids are nobody's. */
const LONGEST = 8_000;

/** For `id:` and Last-Event-ID: no space, no line break. */
export function positionText({ seen, within }: Position): string {
  return within ? `${seen}/${within.upto}/${within.xact}.${within.id}` : seen;
}

/** `undefined` for what `positionText` never wrote. */
export function parsePosition(text: string): Position | undefined {
  if (text.length > LONGEST) return undefined;
  const [seen = '', upto, last, ...rest] = text.split('/');
  if (rest.length > 0 || !parseSnapshot(seen)) return undefined;
  if (upto === undefined) return { seen };
  const match = /^(\d{1,18})\.(\d{1,15})$/.exec(last ?? '');
  if (!match || !parseSnapshot(upto)) return undefined;
  return { seen, within: { upto, xact: match[1] as string, id: Number(match[2]) } };
}
