import type { Connection } from '../../server/src/platform/database/embedded/start.ts';

/** Tells jest's workers how to reach the run's maintenance database: a `Connection` as JSON. */
const VARIABLE = 'ROLLCALL_TEST_CLUSTER';

/** Setup and teardown are loaded apart from each other, in one process. */
const ENDING = Symbol.for('rollcall.test.cluster.end');
const shared = globalThis as { [ENDING]?: () => Promise<void> };

export function announceCluster(connection: Connection, end: () => Promise<void>): void {
  process.env[VARIABLE] = JSON.stringify(connection);
  shared[ENDING] = end;
}

export async function endCluster(): Promise<void> {
  const end = shared[ENDING];
  delete shared[ENDING];
  delete process.env[VARIABLE];
  await end?.();
}

/** The database server of this run; fails outside jest's `rollcall` project. */
export function runningCluster(): Connection {
  const text = process.env[VARIABLE];
  if (text === undefined) {
    throw new Error(
      `${VARIABLE} is not set: run the tests through jest, which starts the database.`,
    );
  }
  return JSON.parse(text) as Connection;
}
