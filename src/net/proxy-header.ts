/**
 * The header by which a proxy tells whose connection it passes on: the PROXY protocol, versions 1 and 2, as HAProxy's
 * specification of 2020-03-05 has it. Version 1 is a line of text:
 *
 *   "PROXY TCP4 192.0.2.1 198.51.100.1 40000 21\r\n"     at most 107 bytes
 *
 * Version 2 is binary, with numbers in network order:
 *
 *   12 bytes    1                  1                      2        length bytes
 *   -----------------------------------------------------------------------------------------------
 *   signature | version, command | family, transport    | length | addresses, ports | type-length-values
 */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { type Endpoint, NetError } from './net.ts';
import { unmapped } from './node-tcp-address.ts';

/** What a header says of the connection. */
export type ProxyHeader =
  | { readonly kind: 'proxied'; readonly source: Endpoint; readonly destination: Endpoint }
  /** It is the proxy's own, or that of somebody who has no address that means anything here. */
  | { readonly kind: 'own' };

/** A header and what came behind it. */
export interface HeaderRead {
  readonly header: ProxyHeader;
  readonly rest: Uint8Array;
}

const textStart: Uint8Array = Buffer.from('PROXY ', 'latin1');
const signature: Uint8Array = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const binaryStart = 16;
/** With the end of the line. */
const maxText = 107;
/** Bytes behind the first 16: addresses, and whatever proxies add to them, such as a client's certificate. */
const maxBinary = 4_096;

const [lineFeed, carriageReturn] = [0x0a, 0x0d];
const families = { inet: 1, inet6: 2, unix: 3 } as const;

/** Reads one header that comes in any pieces. */
export class ProxyHeaderReader {
  readonly #held = new Uint8Array(binaryStart + maxBinary);
  #length = 0;

  /** Undefined until the header is whole; nothing is to be read after that. Throws NetError: TLB_ERR_PROXY_HEADER. */
  read(data: Uint8Array): HeaderRead | undefined {
    const before = this.#length;
    const taken = data.subarray(0, this.#held.length - before);
    this.#held.set(taken, before);
    this.#length += taken.length;
    const held = this.#held.subarray(0, this.#length);
    const length = lengthOf(held);
    if (length === undefined || length > held.length) return undefined;
    const whole = held.subarray(0, length);
    const header = isStart(signature, whole) ? parseBinary(whole) : parseText(whole);
    return { header, rest: data.subarray(length - before) };
  }
}

/** The header that says who the client is and what it connected to. Without a zone; mixed families say nothing. */
export function encodeProxyHeader(version: 1 | 2, source: Endpoint, destination: Endpoint): Uint8Array {
  const ends = [source, destination].map(({ address, port }) => ({
    address: address.replace(/%.*$/, ''),
    port,
  }));
  const isFour = ends.every(({ address }) => isIPv4(address));
  const isSix = ends.every(({ address }) => isIPv6(address));
  const [from = source, to = destination] = ends;
  if (version === 1) {
    const said = `${isFour ? 'TCP4' : 'TCP6'} ${from.address} ${to.address} ${from.port} ${to.port}`;
    return Buffer.from(`PROXY ${isFour || isSix ? said : 'UNKNOWN'}\r\n`, 'latin1');
  }
  if (!isFour && !isSix) return binaryHeader(0x20, 0x00, new Uint8Array());
  const family = isFour ? families.inet : families.inet6;
  const addresses = [from, to].flatMap(({ address }) => (isFour ? ipv4Bytes(address) : ipv6Bytes(address)));
  const ports = [from, to].flatMap(({ port }) => [port >> 8, port & 0xff]);
  return binaryHeader(0x21, (family << 4) | 1, Uint8Array.from([...addresses, ...ports]));
}

function binaryHeader(command: number, family: number, body: Uint8Array): Uint8Array {
  return Buffer.concat([
    signature,
    Uint8Array.of(command, family, body.length >> 8, body.length & 0xff),
    body,
  ]);
}

/** Undefined as long as it is not known. */
function lengthOf(held: Uint8Array): number | undefined {
  if (isStart(signature, held)) return binaryLength(held);
  if (isStart(textStart, held)) return textLength(held);
  throw fault('the connection does not begin with one');
}

/** Whether so much as there is of both is the same. */
function isStart(start: Uint8Array, held: Uint8Array): boolean {
  const length = Math.min(start.length, held.length);
  return Buffer.compare(start.subarray(0, length), held.subarray(0, length)) === 0;
}

function textLength(held: Uint8Array): number | undefined {
  const end = held.subarray(0, maxText).indexOf(lineFeed);
  if (end >= 0) return end + 1;
  if (held.length >= maxText) throw fault(`its line is longer than ${maxText} bytes`);
  return undefined;
}

function binaryLength(held: Uint8Array): number | undefined {
  if (held.length < binaryStart) return undefined;
  const length = numberAt(held, 14);
  if (length > maxBinary) throw fault(`it has ${length} bytes, and no more than ${maxBinary} are taken`);
  return binaryStart + length;
}

/** `whole` ends with a line feed. */
function parseText(whole: Uint8Array): ProxyHeader {
  if (whole.at(-2) !== carriageReturn) throw fault('its line does not end with CR LF');
  const line = Buffer.from(whole.subarray(0, -2)).toString('latin1');
  const [, protocol = '', ...fields] = line.split(' ');
  if (protocol === 'UNKNOWN') return { kind: 'own' };
  const isAddress = protocol === 'TCP4' ? isIPv4 : isIPv6;
  const [source = '', destination = '', sourcePort = '', destinationPort = ''] = fields;
  const isKnown = protocol === 'TCP4' || protocol === 'TCP6';
  const areAddresses = [source, destination].every((address) => isAddress(address) && !address.includes('%'));
  const arePorts = [sourcePort, destinationPort].every((port) => isPort(port));
  if (!isKnown || fields.length !== 4 || !areAddresses || !arePorts) throw fault('its line cannot be read');
  return {
    kind: 'proxied',
    source: { address: canonical(source), port: Number(sourcePort) },
    destination: { address: canonical(destination), port: Number(destinationPort) },
  };
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function parseBinary(whole: Uint8Array): ProxyHeader {
  const [command = 0, kind = 0] = whole.subarray(signature.length);
  const [family, transport] = [kind >> 4, kind & 0xf];
  if (command >> 4 !== 2) throw fault(`it is of version ${command >> 4}`);
  if ((command & 0xf) > 1) throw fault(`its command is ${command & 0xf}`);
  if (family > families.unix || transport > 2) throw fault(`it is for connections of kind ${kind}`);
  const isOfTcp = transport === 1 && (family === families.inet || family === families.inet6);
  if ((command & 0xf) === 0 || !isOfTcp) return { kind: 'own' };
  return readAddresses(whole.subarray(binaryStart), family === families.inet ? 4 : 16);
}

/** `size` is that of an address. What follows are type-length-values, which say nothing that is needed here. */
function readAddresses(body: Uint8Array, size: 4 | 16): ProxyHeader {
  if (body.length < 2 * size + 4) throw fault('it is too short for its addresses');
  const end = (index: 0 | 1): Endpoint => ({
    address: addressOf(body.subarray(index * size, (index + 1) * size)),
    port: numberAt(body, 2 * size + 2 * index),
  });
  return { kind: 'proxied', source: end(0), destination: end(1) };
}

function addressOf(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => numberAt(bytes, 2 * index).toString(16));
  return canonical(groups.join(':'));
}

/** As the system spells it, so that addresses can be compared as text. */
function canonical(address: string): string {
  return unmapped(new SocketAddress({ address, family: isIPv4(address) ? 'ipv4' : 'ipv6' }).address);
}

function ipv4Bytes(address: string): number[] {
  return address.split('.').map(Number);
}

function ipv6Bytes(address: string): number[] {
  const [head = '', tail = ''] = new SocketAddress({ address, family: 'ipv6' }).address.split('::');
  const [first, last] = [head, tail].map((part) => part.split(':').flatMap((group) => groupBytes(group)));
  const missing = 16 - (first?.length ?? 0) - (last?.length ?? 0);
  return [...(first ?? []), ...Array.from({ length: missing }, () => 0), ...(last ?? [])];
}

/** Two of them, or those of an IPv4 address at the end. */
function groupBytes(group: string): number[] {
  if (group === '') return [];
  if (group.includes('.')) return ipv4Bytes(group);
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
}

function numberAt(bytes: Uint8Array, index: number): number {
  return ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0);
}

function fault(reason: string): NetError {
  return new NetError('TLB_ERR_PROXY_HEADER', `bad PROXY protocol header: ${reason}`);
}
