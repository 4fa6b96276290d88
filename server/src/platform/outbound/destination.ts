import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Allowance } from './allowance.ts';
import { isPublicAddress } from './public-address.ts';

/** A name for what is wrong with an address, the same at creation and at delivery. */
export type DestinationFault =
  'invalid_url' | 'credentials_in_url' | 'unknown_host' | 'forbidden_address';

export class DestinationError extends Error {
  readonly code: DestinationFault;

  constructor(code: DestinationFault, message: string) {
    super(message);
    this.name = 'DestinationError';
    this.code = code;
  }
}

export interface Address {
  address: string;
  family: number;
}

export type ResolveHost = (host: string) => Promise<Address[]>;

export const resolveHost: ResolveHost = (host) => lookup(host, { all: true, verbatim: true });

export interface Destination {
  url: URL;
  /** All that the name leads to, each of them looked at. Connect to one of these, and do not ask for the name again. */
  addresses: Address[];
}

/**
 * Looks where an address leads before anything is sent there. One forbidden address among several refuses them all.
 * @throws DestinationError
 */
export async function checkDestination(
  address: string,
  allowed: Allowance,
  resolve: ResolveHost = resolveHost,
): Promise<Destination> {
  const url = parse(address);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) ? [{ address: host, family: isIP(host) }] : await ask(host, resolve);
  if (!allowed.name(host)) {
    const refused = addresses.find((one) => !mayBeCalled(one.address, allowed));
    if (refused) {
      const where = host === refused.address ? host : `${host} is at ${refused.address}, which`;
      throw new DestinationError(
        'forbidden_address',
        `${where} is not public. Whoever runs the server may allow it with ROLLCALL_WEBHOOK_ALLOW.`,
      );
    }
  }
  return { url, addresses };
}

function parse(address: string): URL {
  if (!URL.canParse(address)) throw new DestinationError('invalid_url', 'This is no URL.');
  const url = new URL(address);
  if (!/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw new DestinationError('invalid_url', 'The URL must begin with http:// or https://.');
  }
  if (url.username !== '' || url.password !== '') {
    throw new DestinationError(
      'credentials_in_url',
      'The URL must hold no user and no password; deliveries are signed instead.',
    );
  }
  return url;
}

async function ask(host: string, resolve: ResolveHost): Promise<Address[]> {
  const addresses = await resolve(host).catch(() => []);
  if (addresses.length === 0) {
    throw new DestinationError('unknown_host', `No address is known for the host ${host}.`);
  }
  return addresses;
}

const mayBeCalled = (address: string, allowed: Allowance): boolean =>
  isPublicAddress(address) || allowed.address(address);
