declare module 'pg-copy-streams' {
  import type { Submittable } from 'pg';
  import type { Readable, Writable } from 'node:stream';

  /** The receiving end of COPY ... FROM STDIN, to be passed to `client.query`. */
  export function from(statement: string): Writable & Submittable;

  /** The sending end of COPY ... TO STDOUT. */
  export function to(statement: string): Readable & Submittable;
}
