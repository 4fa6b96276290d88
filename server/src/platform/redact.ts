import { MAY_BE_SECRET, SECRET_KEYS, SECRET_VALUES } from '@rollcall/client/contract';

const HIDDEN = '[redacted]';

/** The same few keys come with every event: what is known of one is kept. */
const KEYS_KEPT = 2_000;
const KEY_LENGTH_KEPT = 64;

export interface Redactor {
  /** Free text with what looks like a secret or an address taken out. */
  text(value: string): string;
  /** A copy in which values under secret keys, and secrets inside values, are replaced. */
  metadata(value: Record<string, unknown>): Record<string, unknown>;
}

/** @param keys, values what to hide beside the built-in patterns */
export function createRedactor(keys: string[], values: RegExp[]): Redactor {
  const hiddenKeys = [...SECRET_KEYS, ...keys.map(plain).filter(Boolean)];
  const hiddenValues = [...SECRET_VALUES, ...values];

  const isSecret = (key: string): boolean => {
    const name = plain(key);
    return name.endsWith('token') || hiddenKeys.some((part) => name.includes(part));
  };

  const text = (value: string): string =>
    values.length === 0 && !MAY_BE_SECRET.test(value)
      ? value
      : hiddenValues.reduce((rest, pattern) => rest.replace(pattern, HIDDEN), value);

  const known = new Map<string, { name: string; secret: boolean }>();
  function judge(key: string): { name: string; secret: boolean } {
    const kept = known.get(key);
    if (kept) return kept;
    const judged = { name: text(key), secret: isSecret(key) };
    if (key.length <= KEY_LENGTH_KEPT) {
      if (known.size >= KEYS_KEPT) known.clear();
      known.set(key, judged);
    }
    return judged;
  }

  function copy(value: unknown): unknown {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) return value.map(copy);
    if (typeof value !== 'object' || value === null) return value;
    return metadata(value as Record<string, unknown>);
  }

  function metadata(value: Record<string, unknown>): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      const child = value[key];
      const { name, secret } = judge(key);
      const shown = secret && child !== null ? HIDDEN : copy(child);
      if (name === '__proto__') define(result, name, shown);
      else result[name] = shown;
    }
    return result;
  }

  return { text, metadata };
}

function plain(key: string): string {
  return key.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** As a field of its own: assigned, this name would change what the object inherits. */
function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true });
}
