import { BlockList, isIP } from 'node:net';

/** IANA's special-purpose registries (RFC 6890 and what has been added since), and multicast. */
const IPV4: [network: string, bits: number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Link-local, and with it the metadata services of clouds.
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  // Reached over the public internet's addresses, answered inside of a cloud.
  ['168.63.129.16', 32],
  ['100.100.100.200', 32],
];

/** Of 2000::/3 alone: outside of it nothing is public. */
const IPV6: [network: string, bits: number][] = [
  // Teredo, benchmarking, ORCHID and the like: some hold an IPv4 address that nobody has looked at.
  ['2001::', 23],
  ['2001:db8::', 32],
  // 6to4: the same.
  ['2002::', 16],
  ['3fff::', 20],
];

const special = new BlockList();
for (const [network, bits] of IPV4) special.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of IPV6) special.addSubnet(network, bits, 'ipv6');
const unicast = new BlockList();
unicast.addSubnet('2000::', 3, 'ipv6');

/**
 * Whether an address belongs to the public internet. IPv6 that stands for IPv4 (mapped, compatible, translated, tunnelled)
 * does not, whatever it holds.
 */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !special.check(address, 'ipv4');
  return family === 6 && unicast.check(address, 'ipv6') && !special.check(address, 'ipv6');
}
