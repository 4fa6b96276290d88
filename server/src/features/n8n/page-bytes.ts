/** An item of a list in JSON, as it is written: its bytes, and those of its fields where it is an object. */
export interface WrittenItem {
  bytes: Buffer;
  fields: ReadonlyMap<string, Buffer>;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const LIST = 0x5b;
const BACKSLASH = 0x5c;
const LIST_END = 0x5d;
const OBJECT = 0x7b;
const OBJECT_END = 0x7d;
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/**
 * Where the items of a page's `data` stand. A page has megabytes of which mostly little is news, and that can be told
 * from its bytes. Only as much of the grammar is looked at as it takes to find them; the rest is JSON.parse's.
 *
 * @param page UTF-8
 * @throws SyntaxError when the page is no object with a list for `data`
 */
export function itemsOf(page: Buffer): WrittenItem[] {
  let found: WrittenItem[] | undefined;
  const start = page.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0;
  const end = eachField(page, afterSpace(page, start), (name, value) => {
    if (name !== 'data') return endOfValue(page, value);
    // As in JSON.parse, the last one of a name holds.
    found = page[value] === LIST ? [] : undefined;
    const items = found;
    if (!items) return endOfValue(page, value);
    return eachItem(page, value, (item) => readItem(page, item, items));
  });
  if (!found || afterSpace(page, end) !== page.length) throw new SyntaxError('This is no page');
  return found;
}

function readItem(page: Buffer, item: number, items: WrittenItem[]): number {
  const fields = new Map<string, Buffer>();
  const end =
    page[item] !== OBJECT
      ? endOfValue(page, item)
      : eachField(page, item, (name, value) => {
          const endOfField = endOfValue(page, value);
          fields.set(name, page.subarray(value, endOfField));
          return endOfField;
        });
  items.push({ bytes: page.subarray(item, end), fields });
  return end;
}

/** Told where a value begins, answers where it ends. */
type ReadItem = (value: number) => number;
type ReadField = (name: string, value: number) => number;

function eachItem(page: Buffer, list: number, read: ReadItem): number {
  let at = afterSpace(page, list + 1);
  if (page[at] === LIST_END) return at + 1;
  for (;;) {
    at = afterSpace(page, read(at));
    if (page[at] === LIST_END) return at + 1;
    at = afterSpace(page, after(COMMA, page, at));
  }
}

function eachField(page: Buffer, object: number, read: ReadField): number {
  let at = afterSpace(page, after(OBJECT, page, object));
  if (page[at] === OBJECT_END) return at + 1;
  for (;;) {
    const end = endOfText(page, at);
    const name = page.toString('utf8', at + 1, end - 1);
    const value = afterSpace(page, after(COLON, page, afterSpace(page, end)));
    at = afterSpace(page, read(name.includes('\\') ? unescaped(name) : name, value));
    if (page[at] === OBJECT_END) return at + 1;
    at = afterSpace(page, after(COMMA, page, at));
  }
}

const unescaped = (name: string): string => JSON.parse(`"${name}"`) as string;

function endOfValue(page: Buffer, value: number): number {
  const first = page[value];
  if (first === QUOTE) return endOfText(page, value);
  if (first !== OBJECT && first !== LIST) return endOfWord(page, value);
  let at = value;
  let depth = 0;
  do {
    const byte = page[at];
    if (byte === QUOTE) {
      at = endOfText(page, at);
      continue;
    }
    if (byte === OBJECT || byte === LIST) depth += 1;
    else if (byte === OBJECT_END || byte === LIST_END) depth -= 1;
    else if (byte === undefined) throw new SyntaxError('A value does not end');
    at += 1;
  } while (depth > 0);
  return at;
}

function endOfText(page: Buffer, text: number): number {
  let at = after(QUOTE, page, text);
  for (;;) {
    const byte = page[at];
    if (byte === QUOTE) return at + 1;
    if (byte === undefined) throw new SyntaxError('A text does not end');
    at += byte === BACKSLASH ? 2 : 1;
  }
}

/** Of a number, `true`, `false` or `null`. */
function endOfWord(page: Buffer, word: number): number {
  let at = word;
  while (isInWord(page[at])) at += 1;
  if (at === word) throw new SyntaxError('There is no value');
  return at;
}

const isInWord = (byte = 0): boolean =>
  byte > 0x20 && byte !== COMMA && byte !== LIST_END && byte !== OBJECT_END;

function after(byte: number, page: Buffer, at: number): number {
  if (page[at] !== byte) throw new SyntaxError(`There is no ${String.fromCharCode(byte)}`);
  return at + 1;
}

function afterSpace(page: Buffer, from: number): number {
  let at = from;
  while ((page[at] ?? QUOTE) <= 0x20) at += 1;
  return at;
}
