import { createHmac, randomBytes } from 'node:crypto';

const PREFIX = 'whsec_';

/** 32 random bytes as Standard Webhooks writes a secret. */
export const makeSecret = (): string => PREFIX + randomBytes(32).toString('base64');

/**
 * The headers that a delivery is known and trusted by (Standard Webhooks 1.0.0).
 * @param at when this attempt is made; receivers refuse what is too old
 */
export function signedHeaders(
  secret: string,
  id: string,
  at: Date,
  body: string,
): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
}
