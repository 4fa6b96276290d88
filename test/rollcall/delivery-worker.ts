import { connectPostgres } from '../../server/src/platform/database/postgres.ts';
import {
  deliveryWorker,
  type DeliveryWorker,
} from '../../server/src/features/webhooks/delivery.ts';
import { webhooksStore } from '../../server/src/features/webhooks/webhooks.store.ts';
import { createLog } from '../../server/src/platform/log.ts';
import { allowance } from '../../server/src/platform/outbound/allowance.ts';
import { postOutbound } from '../../server/src/platform/outbound/post.ts';
import { secretBox } from '../../server/src/platform/secret-box.ts';
import type { TestRollcall } from './start.ts';

export interface TestWorker extends DeliveryWorker {
  /** Sends all that is due, and waits for the answers. */
  sendDue(): Promise<void>;
  close(): Promise<void>;
}

interface WorkerOptions {
  timeoutMs?: number;
  allow?: string[];
}

/** The worker of one more server on a test's database, by the test's clock; delays are as long as they get. */
export function startWorker(
  { databaseUrl, clock }: Pick<TestRollcall, 'databaseUrl' | 'clock'>,
  { timeoutMs = 10_000, allow = ['127.0.0.1'] }: WorkerOptions = {},
): TestWorker {
  const database = connectPostgres({
    url: databaseUrl,
    connections: 4,
    timeoutMs: 30_000,
    onIdleError: () => undefined,
  });
  const worker = deliveryWorker({
    store: webhooksStore(database),
    post: (post) => postOutbound({ ...post, timeoutMs, allowed: allowance(allow) }),
    open: secretBox(() => 'a secret for tests').open,
    clock: clock.now,
    log: createLog('silent'),
    version: '0.0.0-test',
    random: () => 1,
  });
  return {
    ...worker,
    async sendDue() {
      await worker.look();
      await worker.idle();
    },
    async close() {
      await worker.stop();
      await database.close();
    },
  };
}
