/** What operators say in the environment. */
export interface HooksSettings {
  url: string;
  key: string;
  inventorySeconds: number;
  /** 0: never. */
  runningSeconds: number;
  queueBytes: number;
  payloads: boolean;
}

export type ReadSettings = { settings: HooksSettings } | { off: string | undefined };

const DEFAULT_URL = 'http://127.0.0.1:7655';
const INVENTORY = { unsaid: 3_600, least: 60, most: 604_800 };
const RUNNING = { unsaid: 5, least: 0, most: 3_600 };
const QUEUE = { unsaid: 16_000_000, least: 1_000_000, most: 1_000_000_000 };

/** What the environment says, or `off` with the line to print: these hooks do nothing then. */
export function readSettings(environment: Record<string, string | undefined>): ReadSettings {
  const said = (name: string): string => environment[name]?.trim() ?? '';
  if (isTrue(said('ROLLCALL_HOOKS_DISABLED'))) return { off: undefined };
  const key = said('ROLLCALL_API_KEY');
  if (key === '') {
    return { off: 'ROLLCALL_API_KEY is not set, so nothing is reported.' };
  }
  if (!/^[\x21-\x7e]{1,500}$/.test(key)) {
    return { off: 'ROLLCALL_API_KEY is not a key, so nothing is reported.' };
  }
  const url = (said('ROLLCALL_URL') || DEFAULT_URL).replace(/\/+$/, '');
  if (!isAddress(url)) {
    return { off: 'ROLLCALL_URL is not an http or https address, so nothing is reported.' };
  }
  return {
    settings: {
      url,
      key,
      inventorySeconds: numberIn(said('ROLLCALL_HOOKS_INVENTORY_SECONDS'), INVENTORY),
      runningSeconds: numberIn(said('ROLLCALL_HOOKS_RUNNING_SECONDS'), RUNNING),
      queueBytes: numberIn(said('ROLLCALL_HOOKS_QUEUE_BYTES'), QUEUE),
      payloads: isTrue(said('ROLLCALL_HOOKS_PAYLOADS')),
    },
  };
}

const isTrue = (value: string): boolean => /^(?:true|1|yes|on)$/i.test(value);

function isAddress(url: string): boolean {
  try {
    return /^https?:$/.test(new URL(url).protocol);
  } catch {
    return false;
  }
}

function numberIn(value: string, range: { unsaid: number; least: number; most: number }): number {
  const number = /^\d{1,12}$/.test(value) ? Number(value) : range.unsaid;
  return Math.min(Math.max(number, range.least), range.most);
}
