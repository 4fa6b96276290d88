/**
 * Reads single fields of what n8n hands over: live objects, which may hold getters that throw, proxies and cycles.
 * Nothing here throws, and nothing goes deeper than it is told.
 */

/** The field, or undefined when it is not there or cannot be read. */
export function field(value: unknown, ...path: (string | number)[]): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    try {
      if (!Object.hasOwn(current, key)) return undefined;
      current = (current as Record<string | number, unknown>)[key];
    } catch {
      return undefined;
    }
  }
  return current;
}

/** Text of 1 to `longest` characters that PostgreSQL can hold; longer text is cut. */
export function text(value: unknown, longest: number): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  const cut = value.slice(0, longest);
  return cut.includes('\0') || !cut.isWellFormed() ? storable(cut) : cut;
}

const storable = (value: string): string | undefined =>
  value.replaceAll('\0', '').toWellFormed() || undefined;

/** An id: text, or a whole number as text; never cut, since a part of it would be another id. */
export function id(value: unknown): string | undefined {
  if (Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' && value.length <= 255 ? text(value, 255) : undefined;
}

/** A finite number from 0 on, at most `most`. */
export function amount(value: unknown, most = 1e12): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= most ? value : undefined;
}

/** A whole number from 0 on. */
export function count(value: unknown): number | undefined {
  return Number.isInteger(value) ? amount(value) : undefined;
}

export function flag(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

/** A `Date`, milliseconds since 1970, or ISO 8601, as ISO 8601. */
export function moment(value: unknown): string | undefined {
  try {
    if (typeof value === 'number') {
      return value >= 0 && value < LAST_MOMENT ? new Date(value).toISOString() : undefined;
    }
    if (value instanceof Date) return moment(value.getTime());
    const isShort = typeof value === 'string' && value.length <= 40;
    return isShort ? moment(Date.parse(value)) : undefined;
  } catch {
    return undefined;
  }
}

const LAST_MOMENT = Date.UTC(9999, 0);

/** Elements of an array, at most `most`; none when it is anything else. */
export function list(value: unknown, most: number): unknown[] {
  try {
    if (!Array.isArray(value)) return [];
    const items: unknown[] = [];
    const length = Math.min(Number(value.length), most);
    for (let index = 0; index < length; index += 1) items.push(field(value, index));
    return items;
  } catch {
    return [];
  }
}

/** Length of an array, without a look at what is in it. */
export function lengthOf(value: unknown): number | undefined {
  try {
    return Array.isArray(value) ? count(value.length) : undefined;
  } catch {
    return undefined;
  }
}

/** Own keys of an object, at most `most`; none of anything else. */
export function keys(value: unknown, most: number): string[] {
  try {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? Object.keys(value).slice(0, most) : [];
  } catch {
    return [];
  }
}

/** Without the fields that are undefined. */
export function present<Fields extends object>(fields: Fields): Fields {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Fields;
}
