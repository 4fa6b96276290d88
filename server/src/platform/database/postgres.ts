import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Database } from './port.ts';
import { isLostRace, problemFromFailure } from './sqlstate.ts';

export interface PostgresOptions {
  /** libpq URL. */
  url: string;
  /** Connections at most. */
  connections: number;
  /** Milliseconds after which the database gives up on a call. */
  timeoutMs: number;
  onIdleError: (error: Error) => void;
}

const IDENTIFIER = /^[a-z_]+$/;
/** Longer than the minute between two gap checks, which find their plans in a connection that was kept. */
const IDLE_MS = 90_000;
const RACES = 3;

/**
 * PostgreSQL 15 to 18 over a pool; safe behind a transaction-mode pooler, as nothing outlives a call. PgBouncer has
 * to be told `ignore_startup_parameters = statement_timeout`.
 */
export function connectPostgres(options: PostgresOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connections,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: IDLE_MS,
    statement_timeout: options.timeoutMs,
    application_name: 'rollcall',
  });
  pool.on('error', options.onIdleError);

  async function call<Result>(
    name: string,
    args: Record<string, unknown>,
    race = 1,
  ): Promise<Result> {
    try {
      const { rows } = await pool.query<{ result: Result }>(
        callText(name, Object.keys(args)),
        Object.values(args).map(parameter),
      );
      return rows[0]?.result as Result;
    } catch (cause) {
      const error = cause as Partial<pg.DatabaseError> & Error;
      const code = error.code ?? (/timeout|terminated|ended/i.test(error.message) ? '08006' : '');
      if (isLostRace(code) && race < RACES) return call(name, args, race + 1);
      throw problemFromFailure({
        code,
        message: error.message,
        detail: error.detail,
        hint: error.hint,
        constraint: error.constraint,
        cause,
      });
    }
  }

  const listen: Database['listen'] = async (channel, hear, lost) => {
    if (!IDENTIFIER.test(channel)) throw new Error(`Not a channel: ${channel}`);
    const client = new pg.Client({
      connectionString: options.url,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      application_name: 'rollcall live',
    });
    // What goes wrong with it ends it, too.
    client.on('error', () => undefined);
    client.once('end', lost);
    client.on('notification', ({ payload = '' }) => hear(payload));
    // The other side of a broken connection never says goodbye.
    const close = () => Promise.race([client.end(), pause(1_000, undefined, { ref: false })]);
    try {
      await client.connect();
      await client.query(`listen ${channel}`);
    } catch (error) {
      await close();
      throw error;
    }
    return { close };
  };

  return { call, listen, close: () => pool.end() };
}

function callText(name: string, args: string[]): string {
  for (const identifier of [name, ...args]) {
    if (!IDENTIFIER.test(identifier))
      throw new Error(`Not a function or argument name: ${identifier}`);
  }
  return `select rollcall_api.${name}(${args.map((arg, index) => `${arg} => $${index + 1}`).join(', ')}) as result`;
}

/** pg would send an array as a PostgreSQL array; every structured argument of ours is JSON. */
function parameter(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}
