import { BlockList, isIP, SocketAddress } from 'node:net';

/**
 * A numeric address in the spelling in which sockets report it (so that the two can be compared), or undefined for a
 * host name.
 */
export function numericAddress(host: string): string | undefined {
  const family = isIP(host);
  if (family !== 6) return family === 4 ? host : undefined;
  const [address = host, zone] = host.split('%', 2);
  const { address: spelled } = new SocketAddress({ address, family: 'ipv6' });
  return zone === undefined ? spelled : `${spelled}%${zone}`;
}

/**
 * The addresses that a name stands for: all of one family, IPv4 if it has any. Resolvers change their order from
 * answer to answer, hence they are sorted.
 */
export function addressesOfOneFamily(resolved: readonly string[]): string[] {
  const ipv4 = resolved.filter((address) => isIP(address) === 4);
  return [...new Set(ipv4.length > 0 ? ipv4 : resolved)].sort();
}

/** Addresses that mean "none", "all" or "many", and those that belong to the other family. */
const unusable = new BlockList();
unusable.addSubnet('0.0.0.0', 8);
// Multicast, reserved, broadcast.
unusable.addSubnet('224.0.0.0', 3);
unusable.addAddress('::', 'ipv6');
unusable.addSubnet('ff00::', 8, 'ipv6');
/** Apart from the others: to a list, this is all of IPv4, too. */
const mapped = new BlockList();
mapped.addSubnet('::ffff:0:0', 96, 'ipv6');
const linkLocal = new BlockList();
linkLocal.addSubnet('fe80::', 10, 'ipv6');

/** Whether a server can be reached there. A link-local address needs its zone. `address` is numeric. */
export function isUsableAddress(address: string): boolean {
  if (isIP(address) === 4) return !unusable.check(address);
  const [bare = '', zone] = address.split('%', 2);
  const isAmbiguous = zone === undefined && linkLocal.check(bare, 'ipv6');
  return !isAmbiguous && !unusable.check(bare, 'ipv6') && !mapped.check(bare, 'ipv6');
}
