import { isIPv4, isIPv6 } from 'node:net';
import type { Endpoint } from '../net/net.ts';
import { AF_INET, AF_INET6 } from './constants.ts';
import { SOCKADDR_IN, SOCKADDR_IN6 } from './layout.ts';
import type { Libc } from './libc.ts';

/**
 * A sockaddr_in or sockaddr_in6. A zone is the name of an interface that this host has, or its index. Throws TypeError
 * if the address is not numeric or names no interface of this host, RangeError for what is no port.
 */
export function encodeName(libc: Libc, endpoint: Endpoint): Uint8Array {
  const { address, port } = endpoint;
  if (!(Number.isInteger(port) && port >= 0 && port <= 0xffff)) throw new RangeError(`no port: ${port}`);
  if (isIPv4(address)) return encode4(libc, address, port);
  if (isIPv6(address)) return encode6(libc, address, port);
  throw new TypeError(`not a numeric address: ${JSON.stringify(address)}`);
}

/** The reverse of `encodeName`; a link-local address has the name of its interface for a zone. */
export function decodeName(libc: Libc, name: Uint8Array): Endpoint {
  const view = new DataView(name.buffer, name.byteOffset, name.byteLength);
  const family = name.byteLength < 2 ? 0 : view.getUint16(0, true);
  if (family === AF_INET && name.byteLength >= SOCKADDR_IN.size) {
    const address = libc.inetNtop(AF_INET, name.subarray(SOCKADDR_IN.address, SOCKADDR_IN.address + 4));
    return { address, port: view.getUint16(SOCKADDR_IN.port, false) };
  }
  if (family === AF_INET6 && name.byteLength >= SOCKADDR_IN6.size) {
    const address = libc.inetNtop(AF_INET6, name.subarray(SOCKADDR_IN6.address, SOCKADDR_IN6.address + 16));
    const scope = view.getUint32(SOCKADDR_IN6.scope, true);
    const zone = scope === 0 ? '' : `%${libc.ifIndextoname(scope) || scope}`;
    return { address: address + zone, port: view.getUint16(SOCKADDR_IN6.port, false) };
  }
  throw new RangeError(`${name.byteLength} bytes are no socket address of family ${family}`);
}

function encode4(libc: Libc, address: string, port: number): Uint8Array {
  const name = new Uint8Array(SOCKADDR_IN.size);
  const view = new DataView(name.buffer);
  view.setUint16(SOCKADDR_IN.family, AF_INET, true);
  view.setUint16(SOCKADDR_IN.port, port, false);
  libc.inetPton(AF_INET, address, name.subarray(SOCKADDR_IN.address));
  return name;
}

function encode6(libc: Libc, address: string, port: number): Uint8Array {
  const name = new Uint8Array(SOCKADDR_IN6.size);
  const view = new DataView(name.buffer);
  const [groups = '', zone] = address.split('%', 2);
  view.setUint16(SOCKADDR_IN6.family, AF_INET6, true);
  view.setUint16(SOCKADDR_IN6.port, port, false);
  libc.inetPton(AF_INET6, groups, name.subarray(SOCKADDR_IN6.address));
  if (zone !== undefined) view.setUint32(SOCKADDR_IN6.scope, scopeOf(libc, zone), true);
  return name;
}

function scopeOf(libc: Libc, zone: string): number {
  const index = /^\d{1,9}$/.test(zone) ? Number(zone) : libc.ifNametoindex(zone);
  if (index === 0) throw new TypeError(`no network interface ${JSON.stringify(zone)} on this host`);
  return index;
}
