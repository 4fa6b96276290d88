import type { EntityReference } from '@rollcall/client/contract';
import { InvalidArgumentError } from 'commander';

/** Reads a whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^\d+$/.test(text) || number < least || !Number.isSafeInteger(number)) {
      throw new InvalidArgumentError(`Give a whole number of at least ${least}.`);
    }
    return number;
  };
}

/** Reads `TYPE/ID`; the id may hold slashes. */
export function entityReference(text: string): EntityReference {
  const at = text.indexOf('/');
  if (at < 1 || at === text.length - 1) {
    throw new InvalidArgumentError('Give a type and an id: TYPE/ID, such as team/billing.');
  }
  return { entity_type: text.slice(0, at), entity_id: text.slice(at + 1) };
}

/** Collects an option that may be given several times. */
export const collect = (text: string, before: string[] = []): string[] => [...before, text];

export const referenceText = ({ entity_type, entity_id }: EntityReference): string =>
  `${entity_type}/${entity_id}`;
