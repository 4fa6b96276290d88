import { hash, randomBytes } from 'node:crypto';

/** `rc_` and 32 random bytes. */
export const makeKey = (): string => `rc_${randomBytes(32).toString('base64url')}`;

/** SHA-256, hex: all that is stored of a key. */
export const hashKey = (key: string): string => hash('sha256', key);

/** Enough to recognise a key, too little to use it. */
export const prefixOf = (key: string): string => key.slice(0, 9);
