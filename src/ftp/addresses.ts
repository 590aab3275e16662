/** Numeric addresses as text, without the system's help. */

export interface NumericAddress {
  readonly family: 4 | 6;
  /** In the one form that it has (RFC 5952 for IPv6). */
  readonly address: string;
}

/** Undefined if `text` is no address. A zone (`%eth0`) is refused. An IPv4-mapped IPv6 address is an IPv4 address. */
export function parseAddress(text: string): NumericAddress | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** Whether both are numeric and the same; zones do not count, nor does IPv6 clothing of IPv4. */
export function sameAddress(a: string, b: string): boolean {
  const first = parseAddress(withoutZone(a))?.address;
  return first !== undefined && first === parseAddress(withoutZone(b))?.address;
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/, '');
}

/** Leading zeros are refused: some read them as octal. */
function parseIpv4(text: string): NumericAddress | undefined {
  const octets = text.split('.');
  const isSound = octets.length === 4 && octets.every((octet) => /^(?:0|[1-9]\d{0,2})$/.test(octet));
  return isSound && octets.every((octet) => Number(octet) <= 255) ? { family: 4, address: text } : undefined;
}

function parseIpv6(text: string): NumericAddress | undefined {
  if (!/^[\da-f:.]{2,45}$/i.test(text)) return undefined;
  const address = URL.parse(`http://[${text}]`)?.hostname.slice(1, -1);
  if (address === undefined) return undefined;
  const mapped = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(address);
  if (mapped === null) return { family: 6, address };
  const octets = mapped.slice(1).flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
  return { family: 4, address: octets.join('.') };
}
