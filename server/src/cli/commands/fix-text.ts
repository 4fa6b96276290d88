import type { FixChange, FixStatus } from '@rollcall/client/contract';
import { referenceText } from '../options.ts';
import { clean, paint, type Colour } from '../terminal/text.ts';

const LONGEST_VALUE = 60;

/** The diff, a line for each field. */
export const changeLines = (changes: FixChange[]): string[] =>
  changes.map(({ entity, field, from, to }) => {
    const what = clean(`${referenceText(entity)}  ${field}:`);
    return `  ${what} ${paint('red', valueText(from))} → ${paint('green', valueText(to))}`;
  });

function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  const text = clean(typeof value === 'string' ? value : JSON.stringify(value));
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}

export function fixStatusColour(status: FixStatus): Colour {
  if (status === 'failed') return 'red';
  if (status === 'pending') return 'yellow';
  return status === 'undone' ? 'dim' : 'green';
}
