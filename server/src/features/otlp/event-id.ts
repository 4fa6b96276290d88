import { hash } from 'node:crypto';

/** A UUID (version 8, RFC 9562) that a span always gets again, so that a span sent twice is one event. */
export function eventId(traceId: string, spanId: string): string {
  const digits = hash('sha256', `otlp:${traceId}:${spanId}`);
  const variant = '89ab'[Number.parseInt(digits[16] as string, 16) & 3];
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `8${digits.slice(13, 16)}`,
    `${variant}${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ].join('-');
}
