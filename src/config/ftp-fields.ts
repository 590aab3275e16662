/** Values that FTP options alone have, each read from the text that an operator writes. */
import { isIP } from 'node:net';

import type { Network } from '../engine/network.ts';
import type { AdvertisedAddress } from '../engine/snapshot.ts';
import { parseAddress } from './address.ts';
import { parseNetwork } from './traffic-fields.ts';

/** `auto`, ADDR, or CIDR=ADDR,...; `auto` is the empty list. PASV knows IPv4 alone (RFC 959). */
export function parseAdvertised(text: string): AdvertisedAddress[] | undefined {
  if (text === 'auto') return [];
  const parts = text.split(',').map(parseOne);
  return parts.every((part) => part !== undefined) ? parts : undefined;
}

function parseOne(text: string): AdvertisedAddress | undefined {
  const cut = text.lastIndexOf('=');
  const address = parseAddress(text.slice(cut + 1));
  if (address === undefined || isIP(address) !== 4) return undefined;
  if (cut < 0) return { network: undefined, address };
  const network = parseNetwork(text.slice(0, cut));
  return network && { network, address };
}

/** Verbs behind commas, in upper case. */
export function parseVerbs(text: string): string[] | undefined {
  const verbs = text.toUpperCase().split(',');
  return verbs.every((verb) => /^[A-Z][A-Z0-9]{2,7}$/.test(verb)) ? verbs : undefined;
}

/** Behind commas; an address is a network of its own. */
export function parseNetworks(text: string): Network[] | undefined {
  const parts = text.split(',').map((part) => parseNetwork(part));
  return parts.every((part) => part !== undefined) ? parts : undefined;
}
