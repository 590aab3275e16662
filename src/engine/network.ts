import { parseAddress } from '../ftp/addresses.ts';

/** A range of IP addresses as in CIDR notation (RFC 4632): all that begin with the same bits. */
export interface Network {
  /** Numeric, without a zone. */
  readonly address: string;
  /** Leading bits that count: 0 to 32, or to 128 for IPv6. */
  readonly prefix: number;
}

/** Whether the numeric `address` is in the network; a zone does not count. Families never match each other. */
export function isInNetwork(address: string, network: Network): boolean {
  const bits = bitsOf(address.replace(/%.*$/, ''));
  const start = bitsOf(network.address);
  return (
    bits !== undefined && bits.length === start?.length && bits.startsWith(start.slice(0, network.prefix))
  );
}

/** As many zeros and ones as the family has bits; undefined if `text` is no address. */
function bitsOf(text: string): string | undefined {
  const parsed = parseAddress(text);
  if (parsed === undefined) return undefined;
  return parsed.family === 4 ? ipv4Bits(parsed.address) : ipv6Bits(parsed.address);
}

function ipv4Bits(address: string): string {
  return address
    .split('.')
    .map((octet) => binary(Number(octet), 8))
    .join('');
}

/** `address` in its RFC 5952 form, which has hexadecimal groups alone. */
function ipv6Bits(address: string): string {
  const [head = '', tail = ''] = address.split('::');
  const [first, last] = [groupsOf(head), groupsOf(tail)];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0');
  return [...first, ...zeros, ...last].map((group) => binary(Number.parseInt(group, 16), 16)).join('');
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':');
}

function binary(value: number, width: number): string {
  return value.toString(2).padStart(width, '0');
}
