import { randomUUID } from 'node:crypto';
import type { WebhookDelivery } from '@rollcall/client/contract';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { OutboundAnswer, OutboundPost } from '../../platform/outbound/post.ts';
import { afterAnswer, afterFailure, type Outcome } from './outcome.ts';
import { signedHeaders } from './signature.ts';
import type { ClaimedDelivery, WebhooksStore } from './webhooks.store.ts';

export type Post = (
  post: Pick<OutboundPost, 'url' | 'headers' | 'body' | 'timeoutMs' | 'signal'>,
) => Promise<OutboundAnswer>;

interface Needs {
  store: WebhooksStore;
  post: Post;
  /** Decrypts a secret. */
  open: (sealed: string) => string;
  clock: Clock;
  log: Log;
  version: string;
  /** From 0 to 1. */
  random?: () => number;
}

export interface DeliveryWorker {
  /** Begins to send what is due and nobody else is sending; does not wait for the answers. */
  look(): Promise<void>;
  /** Resolves when nothing is on its way. */
  idle(): Promise<void>;
  /** Sends one delivery now, once. @throws Problem 404 */
  test(author: { tenant: string; actor: string }, webhook: string): Promise<WebhookDelivery>;
  /** Breaks off what is on its way; it is sent again by whoever comes next. */
  stop(): Promise<void>;
}

const TIMEOUT_MS = 10_000;
/** Well beyond the timeout: whoever holds a claim longer than this is no more. */
const LEASE_SECONDS = 60;
const PATIENCE = 5;
/** On their way at a time, from this server. */
const MOST = { ofTenant: 8, inAll: 64 };

/** Takes deliveries out of the outbox and sends them; any number of servers may do so at once. */
export function deliveryWorker(needs: Needs): DeliveryWorker {
  const { store, clock, log, random = Math.random } = needs;
  const stopping = new AbortController();
  /** By delivery: its tenant. */
  const onTheirWay = new Map<string, string>();
  const work = new Set<Promise<void>>();

  async function look(): Promise<void> {
    if (stopping.signal.aborted) return;
    for (const tenant of await store.tenantsWithDeliveries(clock())) await take(tenant);
  }

  async function take(tenant: string): Promise<void> {
    const ofTenant = [...onTheirWay.values()].filter((each) => each === tenant).length;
    const room = Math.min(MOST.ofTenant - ofTenant, MOST.inAll - onTheirWay.size);
    if (room <= 0 || stopping.signal.aborted) return;
    const claim = claimNow();
    for (const delivery of await store.claim(tenant, claim, PATIENCE, room)) {
      onTheirWay.set(delivery.id, tenant);
      const done = deliver(delivery, claim.claim).finally(() => work.delete(done));
      work.add(done);
    }
  }

  /** And then whatever is next in line. */
  async function deliver(delivery: ClaimedDelivery, claim: string): Promise<void> {
    try {
      await attempt(delivery, claim);
      onTheirWay.delete(delivery.id);
      await take(delivery.tenant);
    } catch (error) {
      // What is claimed and was not recorded is sent again when the claim has run out.
      log.warn({ err: error, delivery: delivery.id }, 'The outbox of webhooks is out of reach');
    } finally {
      onTheirWay.delete(delivery.id);
    }
  }

  async function attempt(
    delivery: ClaimedDelivery,
    claim: string,
    conclude = (outcome: Outcome) => outcome,
  ): Promise<WebhookDelivery | null> {
    const outcome = await send(delivery);
    return store.settle(delivery, claim, conclude(outcome), clock());
  }

  async function send(delivery: ClaimedDelivery): Promise<Outcome> {
    const { id, url, sealed_secret } = delivery;
    try {
      const body = JSON.stringify(delivery.body);
      const answer = await needs.post({
        url,
        headers: {
          'content-type': 'application/json',
          'user-agent': `Rollcall/${needs.version}`,
          ...signedHeaders(needs.open(sealed_secret), id, clock(), body),
        },
        body,
        timeoutMs: TIMEOUT_MS,
        signal: stopping.signal,
      });
      return afterAnswer(answer, delivery, clock(), random());
    } catch (error) {
      const failure: unknown = stopping.signal.aborted ? stopping.signal.reason : error;
      return afterFailure(failure, delivery, clock(), random());
    }
  }

  const claimNow = () => ({ claim: randomUUID(), now: clock(), leaseSeconds: LEASE_SECONDS });

  async function idle(): Promise<void> {
    while (work.size > 0) await Promise.all(work);
  }

  return {
    look,
    idle,
    async test(author, webhook) {
      const claim = claimNow();
      const delivery = await store.beginTest(author, webhook, claim);
      const settled = await attempt(delivery, claim.claim, once);
      if (settled) return settled;
      // Deleted meanwhile: says so.
      await store.get(author.tenant, webhook);
      throw new Error(`The claim of delivery ${delivery.id} was lost`);
    },
    async stop() {
      stopping.abort(new Error('The server stopped meanwhile.'));
      await idle();
    },
  };
}

/** Nobody waits for a second attempt of a test. */
const once = (outcome: Outcome): Outcome =>
  outcome.outcome === 'retry' ? { ...outcome, outcome: 'dead', nextAt: null } : outcome;
