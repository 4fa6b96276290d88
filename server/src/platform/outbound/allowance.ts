import { BlockList, isIP } from 'node:net';

/** Which addresses may be called although they are not public. */
export interface Allowance {
  /** Every address of this host name. */
  name(host: string): boolean;
  address(address: string): boolean;
}

const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i;

/** An IP address, a network such as `10.0.0.0/8` or `fd00::/8`, or a host name. */
export function isAllowEntry(entry: string): boolean {
  const [address = '', bits, ...more] = entry.split('/');
  const family = isIP(address);
  if (bits === undefined) return family !== 0 || (HOST_NAME.test(entry) && !/^[\d.]+$/.test(entry));
  return (
    family !== 0 && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= widthOf(address)
  );
}

/** @param entries each passes `isAllowEntry` */
export function allowance(entries: string[]): Allowance {
  const networks = new BlockList();
  const names = new Set<string>();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    if (isIP(address) === 0) names.add(bare(entry));
    else networks.addSubnet(address, Number(bits ?? widthOf(address)), familyOf(address));
  }
  return {
    name: (host) => names.has(bare(host)),
    address: (address) => networks.check(address, familyOf(address)),
  };
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');
const widthOf = (address: string): number => (isIP(address) === 6 ? 128 : 32);
const bare = (host: string): string => host.toLowerCase().replace(/\.$/, '');
