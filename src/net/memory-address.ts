/** 4, 6, or 0 if `address` is not numeric. Addresses are compared as text: each has one spelling in a simulation. */
export function familyOfText(address: string): 4 | 6 | 0 {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) {
    return address.split('.').every((octet) => Number(octet) <= 255) ? 4 : 0;
  }
  return /^[\da-f]*:[\da-f:.]*(%\w+)?$/i.test(address) ? 6 : 0;
}

/** True from 0 to 65535. */
export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535;
}

export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

/** UDP over IPv4 carries 65535 bytes less both headers; IPv6 does not count its own (RFC 768, RFC 8200). */
export function maxPayload(family: 4 | 6): number {
  return family === 4 ? 65_507 : 65_527;
}
