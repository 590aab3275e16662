import { NetError, type Endpoint } from './net.ts';
import { familyOf } from './node-dgram.ts';

/** What node:net says of one end of a socket; undefined if the connection has gone. IPv4 is told as IPv4. */
export function endOf(address: string | undefined, port: number | undefined): Endpoint | undefined {
  if (address === undefined || port === undefined) return undefined;
  return { address: unmapped(address), port };
}

/** An IPv4-mapped address (RFC 4291 section 2.5.5.2) is IPv4 to everyone but the socket. */
export function unmapped(address: string): string {
  const [, ipv4 = address] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  return ipv4;
}

/** The family of a numeric address with a port from `lowest` to 65535. Throws NetError; `attempt` as in toNetError. */
export function checkEndpoint({ address, port }: Endpoint, lowest: 0 | 1, attempt: string): 4 | 6 {
  const family = familyOf(address);
  if (Number.isInteger(port) && port >= lowest && port <= 65_535) return family;
  throw new NetError('TLB_ERR_SOCKET', `${attempt}: no such port`);
}
