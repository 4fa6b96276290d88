import type { IDataObject, IWebhookFunctions } from 'n8n-workflow';

import type { Remembered } from './subscription.ts';

/** What came in is an event, or what to answer instead. */
type Received =
  | { event: IDataObject; refusal?: undefined }
  | { event?: undefined; refusal: { status: number; message: string } };

/** As far as the clocks of two machines may be apart, and an attempt may take: seconds. */
const TOLERANCE_SECONDS = 300;
/** Deliveries that are remembered. Rollcall repeats one at most while it waits for an answer. */
const REMEMBERED = 500;
const SECRET_PREFIX = 'whsec_';

/**
 * Reads a delivery: its signature has to be Rollcall's (Standard Webhooks), its time now, and its id one that has not
 * been here yet.
 */
export async function receive(context: IWebhookFunctions): Promise<Received> {
  const data = context.getWorkflowStaticData('node');
  const { secret, delivered = [] } = data as Remembered;
  const id = header(context, 'webhook-id');
  const timestamp = header(context, 'webhook-timestamp');
  const { rawBody } = context.getRequestObject() as { rawBody?: Buffer };
  if (!secret) return refuse(401, 'This workflow has no subscription. Activate it again.');
  if (!id || !timestamp || !rawBody) return refuse(401, 'This is no signed delivery.');

  const age = Math.abs(Date.now() / 1000 - Number(timestamp));
  if (!(age <= TOLERANCE_SECONDS)) {
    return refuse(401, 'The delivery is too old, or the clocks differ by more than five minutes.');
  }
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), rawBody]);
  if (!(await isSigned(secret, signed, header(context, 'webhook-signature') ?? ''))) {
    return refuse(401, 'The signature does not fit.');
  }
  if (delivered.includes(id)) return refuse(200, 'This delivery has been here.');

  data.delivered = [...delivered, id].slice(-REMEMBERED);
  return { event: { delivery_id: id, ...context.getBodyData() } };
}

const refuse = (status: number, message: string): Received => ({ refusal: { status, message } });

function header(context: IWebhookFunctions, name: string): string | undefined {
  const value = context.getHeaderData()[name];
  return typeof value === 'string' ? value : undefined;
}

/** Whether one of the signatures, separated by spaces, is an HMAC-SHA256 of the bytes. */
async function isSigned(secret: string, bytes: Buffer, signatures: string): Promise<boolean> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const raw = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
  const key = await crypto.subtle.importKey('raw', raw, algorithm, false, ['verify']);
  for (const signature of signatures.split(' ')) {
    const [version, text = ''] = signature.split(',', 2);
    const candidate = Buffer.from(text, 'base64');
    if (version === 'v1' && (await crypto.subtle.verify('HMAC', key, candidate, bytes))) {
      return true;
    }
  }
  return false;
}
