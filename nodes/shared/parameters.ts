import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { NodeOperationError } from 'n8n-workflow';

/** What was really set: fields without the empty ones that n8n hands over for untouched inputs. */
export function present(fields: IDataObject): IDataObject {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) => value !== undefined && value !== null && value !== '',
    ),
  );
}

/**
 * The object in a JSON parameter, which holds text when typed in and anything when an expression
 * made it. Throws a NodeOperationError that names the parameter.
 */
export function jsonObject(
  context: IExecuteFunctions,
  itemIndex: number,
  displayName: string,
  value: unknown,
): IDataObject | undefined {
  if (value === undefined || value === '') return undefined;
  const parsed = typeof value === 'string' ? parse(value) : value;
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
    return parsed as IDataObject;
  }
  throw new NodeOperationError(context.getNode(), `"${displayName}" is not a JSON object`, {
    itemIndex,
    description: 'Write an object such as { "key": "value" }, or an expression that gives one.',
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A list from a comma-separated text, or from an expression that gives an array. */
export function list(value: unknown): string[] | undefined {
  if (typeof value !== 'string' && !Array.isArray(value)) return undefined;
  const entries = typeof value === 'string' ? value.split(',') : value.map(String);
  return entries.map((entry) => entry.trim()).filter(Boolean);
}

/** The text of a value that is text or a number; `undefined` for anything else and for no text. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}
