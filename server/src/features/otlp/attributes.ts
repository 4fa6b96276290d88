export type Attributes = Record<string, unknown>;

/** What is kept of one span, event, link or resource; what goes beyond is left out, and the span is kept. */
const ATTRIBUTES_AT_MOST = 128;
const KEY_LENGTH = 255;
const TEXT_LENGTH = 4_096;
const DEPTH = 6;
/** Values inside of arrays and maps, over all levels of one attribute. */
const NESTED_AT_MOST = 200;

/** Counts down what may still be read of one attribute. */
export interface Budget {
  left: number;
}

/**
 * Puts attributes together within the limits.
 * @param read turns a value as it was sent into a plain one; it may be called as often as `budget` allows
 */
export function collect<Sent>(
  entries: Iterable<Sent>,
  keyOf: (entry: Sent) => unknown,
  read: (entry: Sent, budget: Budget) => unknown,
): Attributes {
  // Without a prototype, a key such as __proto__ is a key like any other.
  const attributes = Object.create(null) as Attributes;
  let count = 0;
  for (const entry of entries) {
    const key = keyOf(entry);
    if (typeof key !== 'string' || key === '' || key.length > KEY_LENGTH) continue;
    const value = read(entry, { left: NESTED_AT_MOST });
    if (value === undefined) continue;
    attributes[storable(key)] = value;
    if (++count === ATTRIBUTES_AT_MOST) break;
  }
  return attributes;
}

/** Whether one more nested value may be read at this depth. */
export const mayNest = (depth: number, budget: Budget): boolean =>
  depth < DEPTH && budget.left-- > 0;

export const clip = (text: string, longest = TEXT_LENGTH): string =>
  storable(text.length > longest ? text.slice(0, longest) : text);

/** PostgreSQL stores neither NUL nor half a surrogate pair. */
function storable(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed();
  return whole.includes('\0') ? whole.replaceAll('\0', '\uFFFD') : whole;
}

/** A 64-bit integer as a number, or as text where a number would not hold it. */
export const integer = (value: bigint): number | string =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
    ? Number(value)
    : String(value);

/** JSON has no NaN and no infinity. */
export const double = (value: number): number | string =>
  Number.isFinite(value) ? value : String(value);
