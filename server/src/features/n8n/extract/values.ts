/** What a parameter says: a literal, something that only a run can tell, or nothing. */
export type Stated =
  { kind: 'literal'; text: string } | { kind: 'expression'; text: string } | { kind: 'absent' };

/** The value as an object, or an empty one when it is anything else. */
export function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

/** The value as a list; an object stands for a list of one, as in single-value fixed collections. */
export function list(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return typeof value === 'object' && value !== null ? [value] : [];
}

/** Follows own keys only, so that names such as `constructor` or `__proto__` reach nothing. */
export function at(value: unknown, ...path: string[]): unknown {
  let current = value;
  for (const key of path) {
    const holder = fields(current);
    if (!Object.hasOwn(holder, key)) return undefined;
    current = holder[key];
  }
  return current;
}

/**
 * Reads a parameter that may be a plain string, a number, or a resource locator
 * (`{ __rl: true, mode, value }`). A leading `=` without `{{` is n8n's way to write a literal.
 */
export function stated(value: unknown): Stated {
  const inner = at(value, 'value') ?? value;
  if (typeof inner === 'number' && Number.isFinite(inner)) {
    return { kind: 'literal', text: String(inner) };
  }
  if (typeof inner !== 'string') return { kind: 'absent' };
  const isExpression = inner.startsWith('=') && inner.includes('{{');
  const text = (inner.startsWith('=') && !isExpression ? inner.slice(1) : inner).trim();
  if (text === '') return { kind: 'absent' };
  return { kind: isExpression ? 'expression' : 'literal', text };
}

/** The literal text of a parameter, `undefined` when it is absent or an expression. */
export function literal(value: unknown): string | undefined {
  const said = stated(value);
  return said.kind === 'literal' ? said.text : undefined;
}

/** The first of these parameters that says something. */
export function firstStated(...values: unknown[]): Stated {
  for (const value of values) {
    const said = stated(value);
    if (said.kind !== 'absent') return said;
  }
  return { kind: 'absent' };
}

/** Order by code unit: the same on every machine, whatever its locale. */
export function byCodeUnit(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
