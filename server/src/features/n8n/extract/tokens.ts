import { byCodeUnit } from './values.ts';

/** Longest token, name or id that leaves this folder, in characters. */
export const TOKEN_LIMIT = 120;

/** Most entries in any list that leaves this folder. */
export const LIST_LIMIT = 200;

/** Words that camel case splits and their owners do not. */
const JOINED_WORDS = new Set(
  (
    'big-query chroma-db click-up convert-kit crate-db deep-seek dynamo-db git-hub git-lab ' +
    'hub-spot jot-form ko-bo linked-in mailer-lite mongo-db my-sql next-cloud noco-db one-drive ' +
    'open-ai open-router pay-pal pg-vector post-hog quest-db sea-table sear-xng send-grid ' +
    'serp-api share-point timescale-db whats-app woo-commerce you-tube'
  ).split(' '),
);

const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ['email-read-imap', 'email'],
  ['email-send', 'email'],
  ['http-request', 'http'],
  ['hugging-face-inference', 'hugging-face'],
  ['mistral-ai', 'mistral'],
  ['mistral-cloud', 'mistral'],
  ['open-hugging-face-inference', 'hugging-face'],
  ['rss-feed-read', 'rss'],
  ['x-ai-grok', 'xai'],
]);

/** Text fit to store and show: no control characters, no broken surrogates, at most `TOKEN_LIMIT`. */
export function printable(text: string): string {
  return text
    .slice(0, TOKEN_LIMIT)
    .replace(/\p{Cc}+/gu, ' ')
    .replace(/\p{Cs}+/gu, '')
    .trim();
}

/** `googleSheets` as `google-sheets`, `openAi` as `openai`, `httpRequest` as `http`. */
export function slug(camelCase: string): string {
  const words = camelCase
    .slice(0, TOKEN_LIMIT)
    .replace(/([a-z\d])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()
    .split(/[^a-z\d]+/)
    .filter((word) => word !== '');
  const joined: string[] = [];
  for (const word of words) {
    const previous = joined.at(-1);
    if (previous !== undefined && JOINED_WORDS.has(`${previous}-${word}`)) {
      joined[joined.length - 1] = previous + word;
    } else {
      joined.push(word);
    }
  }
  const name = joined.join('-');
  return SHORT_NAMES.get(name) ?? (name === '' ? 'unknown' : name);
}

/** Sorted by `key`, one of each, at most `LIST_LIMIT`; so the order of nodes never shows. */
export function tidy<Item>(items: Iterable<Item>, key: (item: Item) => string): Item[] {
  const unique = new Map<string, Item>();
  for (const item of items) {
    const name = key(item);
    if (!unique.has(name)) unique.set(name, item);
  }
  return [...unique]
    .sort(([left], [right]) => byCodeUnit(left, right))
    .slice(0, LIST_LIMIT)
    .map(([, item]) => item);
}
