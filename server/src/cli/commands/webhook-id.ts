import type { Page, Webhook } from '@rollcall/client/contract';
import type { Api } from '../http/api.ts';
import { readPages } from '../http/pages.ts';
import { resolveId } from '../http/resolve-id.ts';
import { clean } from '../terminal/text.ts';

export const WEBHOOKS = '/api/v1/webhooks';

/** @param url those that lead exactly there; all when left out */
export const readWebhooks = (api: Api, url?: string): Promise<Page<Webhook>> =>
  readPages<Webhook>(api, WEBHOOKS, { url }, { noun: 'webhooks' });

/** @throws CommandFailure when no webhook is meant, or several could be */
export const webhookId = (api: Api, given: string): Promise<string> =>
  resolveId<Webhook>(given, {
    noun: 'webhook',
    listing: 'rollcall webhooks list',
    read: async () => (await readWebhooks(api)).items,
    describe: ({ url, events }) => `${clean(url)}  ${events.join(' ')}`,
  });
