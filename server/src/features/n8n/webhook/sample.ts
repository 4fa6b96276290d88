import type { Redactor } from '../../../platform/redact.ts';
import { storable } from './fields.ts';

const LONGEST_TEXT = 200;
const MOST_FIELDS = 50;
const MOST_ITEMS = 5;
const DEEPEST = 6;
const MOST_CHARACTERS = 4_000;

/** Where senders put what was processed rather than what happened. */
const PAYLOADS =
  /^(args|arguments|binary|body|completions?|content|cookies?|data|headers|html|inputs?|items?|json|messages?|msg|outputs?|param(eter)?s|prompts?|query|request|response|results?|stack|text)$/i;

/** What is kept of an event that nobody knows, so that a person can see what it is: small, redacted, without payloads. */
export function sampleOf(event: object, redactor: Redactor, keepPayloads: boolean): unknown {
  const sample = redactor.metadata(shortened(event, 0, keepPayloads) as Record<string, unknown>);
  const size = JSON.stringify(sample).length;
  if (size <= MOST_CHARACTERS) return sample;
  return { fields: Object.keys(sample), left_out: `${size} characters` };
}

function shortened(value: unknown, depth: number, keepPayloads: boolean): unknown {
  if (typeof value === 'string') {
    return storable(value, LONGEST_TEXT) + (value.length > LONGEST_TEXT ? '…' : '');
  }
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEEPEST) return '…';
  if (Array.isArray(value)) {
    return value
      .slice(0, MOST_ITEMS)
      .map((each: unknown) => shortened(each, depth + 1, keepPayloads));
  }
  // n8n begins the names of fields that tell of a person with an underscore.
  const keys = Object.keys(value).filter((key) => !key.startsWith('_'));
  return Object.fromEntries(
    keys.slice(0, MOST_FIELDS).map((key) => {
      const child = (value as Record<string, unknown>)[key];
      const isPayload = !keepPayloads && PAYLOADS.test(key);
      return [
        storable(key, 100),
        isPayload ? '[payload]' : shortened(child, depth + 1, keepPayloads),
      ];
    }),
  );
}
