import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database/port.ts';
import type { Route } from '../../platform/http/route.ts';
import type { Log } from '../../platform/log.ts';
import { allowance } from '../../platform/outbound/allowance.ts';
import { checkDestination } from '../../platform/outbound/destination.ts';
import { postOutbound } from '../../platform/outbound/post.ts';
import type { SecretBox } from '../../platform/secret-box.ts';
import { every, type Task } from '../../platform/tasks.ts';
import { deliveryWorker } from './delivery.ts';
import { webhooksRoutes } from './webhooks.routes.ts';
import { webhooksStore } from './webhooks.store.ts';

interface Needs {
  database: Database;
  /** Where deliveries may go although it is not public (see platform/outbound/allowance.ts). */
  allow: string[];
  secrets: SecretBox;
  listTenants: () => Promise<string[]>;
  clock: Clock;
  log: Log;
  version: string;
}

export interface WebhookDeliveries {
  routes: Route[];
  startTasks(): Task[];
  /** Breaks off what is on its way; the next server sends it again. */
  stop(): Promise<void>;
}

const LOOK_SECONDS = 1;
const TRIM_SECONDS = 3_600;
const DELIVERED_DAYS = 7;
const DEAD_DAYS = 30;

/** Subscriptions and the worker that serves them. */
export function webhookDelivery(needs: Needs): WebhookDeliveries {
  const { secrets, listTenants, clock, log, version } = needs;
  const store = webhooksStore(needs.database);
  const allowed = allowance(needs.allow);
  const worker = deliveryWorker({
    store,
    post: (message) => postOutbound({ ...message, allowed }),
    open: secrets.open,
    clock,
    log,
    version,
  });
  const checkUrl = (url: string) => checkDestination(url, allowed);

  let away = false;
  /** Comes every second: a database that is away is told of once. */
  async function look(): Promise<void> {
    try {
      await worker.look();
      away = false;
    } catch (error) {
      if (!away) log.warn({ err: error }, 'The outbox of webhooks is out of reach; trying again');
      away = true;
    }
  }

  async function trim(): Promise<void> {
    for (const tenant of await listTenants()) {
      await store.trim(tenant, clock(), DELIVERED_DAYS, DEAD_DAYS);
    }
  }

  return {
    routes: webhooksRoutes({ store, worker, checkUrl, seal: secrets.seal, clock }),
    startTasks: () => [
      every(LOOK_SECONDS, 'webhook deliveries', log, look),
      every(TRIM_SECONDS, 'old webhook deliveries', log, trim),
    ],
    stop: worker.stop,
  };
}
