/** What this host knows: its addresses, its interfaces, and the names that its resolver finds. */
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { isIP, SocketAddress } from 'node:net';
import { networkInterfaces } from 'node:os';
import { NetError, type LocalAddress } from './net.ts';
import { toNetError } from './node-errors.ts';

export function localAddresses(): LocalAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, infos = []]) => {
    // An address with a label is listed under `eth0:label`, which is no interface of its own.
    const device = name.split(':', 1)[0] ?? name;
    return infos.map((info): LocalAddress => {
      if (info.family === 'IPv4') return { address: info.address, family: 4, device };
      const zone = info.scopeid === 0 || info.address.includes('%') ? '' : `%${device}`;
      return { address: `${info.address}${zone}`, family: 6, device };
    });
  });
}

export function mtuOf(address: string): number | undefined {
  const device = localAddresses().find((local) => local.address === address)?.device;
  if (device === undefined) return undefined;
  try {
    const mtu = Number(readFileSync(`/sys/class/net/${device}/mtu`, 'utf8'));
    return mtu > 0 ? mtu : undefined;
  } catch {
    return undefined;
  }
}

export async function lookupHost(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [canonical(host)];
  try {
    const found = await lookup(host, { all: true, order: 'verbatim' });
    const addresses = [...new Set(found.map((entry) => entry.address))];
    if (addresses.length > 0) return addresses;
  } catch (error) {
    throw toNetError(error, `cannot find the host "${host}"`, 'TLB_ERR_UNKNOWN_HOST');
  }
  throw new NetError('TLB_ERR_UNKNOWN_HOST', `cannot find the host "${host}": it has no address`);
}

/** The one spelling that the kernel has for a numeric address, so that addresses can be compared as text. */
function canonical(numeric: string): string {
  const [address = '', zone] = numeric.split('%');
  const spelled = new SocketAddress({ address, family: isIP(address) === 6 ? 'ipv6' : 'ipv4' }).address;
  return zone === undefined ? spelled : `${spelled}%${zone}`;
}
