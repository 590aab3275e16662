import { isIP, SocketAddress } from 'node:net';

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
