/** Addresses, ports and host names as operators write them. What is not exactly right is refused, never repaired. */
import { BlockList, isIP, SocketAddress } from 'node:net';

import type { ListenerSpec } from '../engine/snapshot.ts';

const dnsPort = 53;

/** A host with a port or without one, taken apart but not looked up. */
export interface HostPort {
  readonly host: string;
  readonly port: number | undefined;
}

/**
 * The canonical text of a numeric address, as the system itself reports it (RFC 5952 for IPv6, `%zone` kept), or
 * undefined. IPv4 addresses in IPv6 clothing are refused: they name no IPv6 listener and no IPv6 backend.
 */
export function parseAddress(text: string): string | undefined {
  const family = isIP(text);
  if (family === 0) return undefined;
  if (family === 4) return text;
  const [bare = '', zone] = text.split('%');
  const address = new SocketAddress({ address: bare, family: 'ipv6' }).address;
  if (address.startsWith('::ffff:')) return undefined;
  return zone === undefined ? address : `${address}%${zone}`;
}

/** A whole number within the bounds, written in plain decimal without a sign or leading zeros; else undefined. */
export function parseInteger(text: string, min: number, max: number): number | undefined {
  if (!/^(0|[1-9]\d{0,14})$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

/** ADDR:PORT with a numeric address, IPv6 in brackets; port 0 is allowed. */
export function parseListener(text: string): ListenerSpec | undefined {
  const parts = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  const address = parseAddress(parts?.[1] ?? parts?.[2] ?? '');
  const port = parseInteger(parts?.[3] ?? '', 0, 65535);
  if (address === undefined || port === undefined) return undefined;
  const bracketed = parts?.[1] !== undefined;
  return bracketed === address.includes(':') ? { address, port } : undefined;
}

/** HOST or HOST:PORT with a numeric address or a host name; IPv6 in brackets where a port follows, bare else. */
export function parseHostPort(text: string): HostPort | undefined {
  if (isIP(text) === 6) return hostPort(parseAddress(text), undefined);
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(text);
  if (parts === null) return undefined;
  const [, bracketed, plain = '', port] = parts;
  if (bracketed === undefined) return hostPort(parseHost(plain), port);
  return isIP(bracketed) === 6 ? hostPort(parseAddress(bracketed), port) : undefined;
}

function hostPort(host: string | undefined, portText: string | undefined): HostPort | undefined {
  const port = portText === undefined ? undefined : parseInteger(portText, 1, 65535);
  if (host === undefined || (portText !== undefined && port === undefined)) return undefined;
  return { host, port };
}

/** A name whose last label is a number is a mistyped address, as 10.0.0.256 is (RFC 3696 section 2). */
function parseHost(text: string): string | undefined {
  if (isIP(text) === 4) return text;
  const labels = text.toLowerCase().replace(/\.$/, '').split('.');
  const sound = labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
  const numeric = /^\d+$/.test(labels.at(-1) ?? '');
  return sound && !numeric && text.length <= 253 ? labels.join('.') : undefined;
}

/** A host name, or the numeric address of a server, without a port. */
export function parseServer(text: string): string | undefined {
  const at = parseHostPort(text);
  return at === undefined || at.port !== undefined || isUnspecified(at.host) ? undefined : at.host;
}

/** A domain name in lower case, without a dot at its end. */
export function parseDomain(text: string): string | undefined {
  return isIP(text) === 0 ? parseHost(text) : undefined;
}

/** ADDR or ADDR:PORT with a numeric address and a port that DNS servers have. */
export function parseDnsServer(text: string): ListenerSpec | undefined {
  const { host = '', port = dnsPort } = parseHostPort(text) ?? {};
  return isIP(host) === 0 || isUnspecified(host) ? undefined : { address: host, port };
}

/** 0.0.0.0 and :: stand for every address, and are nobody's own. */
export function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** What may be a metric label, a field of a log line and part of a URL. */
export function isLabel(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text);
}

/** ADDR:PORT with IPv6 in brackets. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether a listener on `listener` also takes what is sent to `address`. */
export function covers(listener: string, address: string): boolean {
  if (listener === '0.0.0.0') return isIP(address) === 4;
  if (listener === '::') return isIP(address) === 6;
  return listener === address;
}

/** Numeric addresses that never leave the host. */
export function isLoopback(address: string): boolean {
  return isIP(address) === 4 ? address.startsWith('127.') : address === '::1';
}

/** Networks whose addresses the internet does not route (RFC 6890). */
const notPublic = new BlockList();
for (const network of [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  '::/127',
  '2001:db8::/32',
  'fc00::/7',
  'fe80::/10',
  'ff00::/8',
]) {
  const [address = '', prefix] = network.split('/');
  notPublic.addSubnet(address, Number(prefix), isIP(address) === 4 ? 'ipv4' : 'ipv6');
}

/** Numeric addresses that the whole internet may reach. */
export function isPublic(address: string): boolean {
  const [bare = ''] = address.split('%');
  return !notPublic.check(bare, isIP(bare) === 4 ? 'ipv4' : 'ipv6');
}
