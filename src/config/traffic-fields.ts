/** Values that traffic rules alone have, each read from the text that an operator writes. */
import { isIP } from 'node:net';

import type { Network } from '../engine/network.ts';
import type { RequestRate } from '../engine/snapshot.ts';
import { parseAddress, parseInteger } from './address.ts';

/** Bits of the longest prefix: that of one address. */
const lengths = { 4: 32, 6: 128 } as const;

/** ADDR/BITS (RFC 4632), or ADDR for that address alone. */
export function parseNetwork(text: string): Network | undefined {
  const [place = '', bits, ...rest] = text.split('/');
  const address = parseAddress(place);
  if (address === undefined || address.includes('%') || rest.length > 0) return undefined;
  const length = lengths[isIP(address) === 4 ? 4 : 6];
  const prefix = bits === undefined ? length : parseInteger(bits, 0, length);
  return prefix === undefined ? undefined : { address, prefix };
}

const seconds = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3_600],
]);

/** Most of either: more is no bound. */
const most = 1_000_000;

/** N/s[,BURST] with s, m or h; without a burst as many may come at once as in one unit of time. */
export function parseRate(text: string): RequestRate | undefined {
  const parts = /^(\d+)\/([smh])(?:,(\d+))?$/.exec(text);
  const count = parseInteger(parts?.[1] ?? '', 1, most);
  const unit = seconds.get(parts?.[2] ?? '');
  const burst = parts?.[3] === undefined ? count : parseInteger(parts[3], 1, most);
  if (count === undefined || unit === undefined || burst === undefined) return undefined;
  return { perSecond: count / unit, burst };
}

/** A pattern of file names, as glob.ts has them: bounded, since each character of it costs memory. */
export function parseGlob(text: string): string | undefined {
  return isPlain(text, 255) ? text : undefined;
}

/** What stands in place of a file name: of its words in braces there are two. */
export function parseRewrite(text: string): string | undefined {
  const bare = text.replaceAll(/\{(client_ip|name)\}/g, '');
  const climbs = text.split(/[/\\]/).includes('..');
  return isPlain(text, 255) && !/[{}]/.test(bare) && !climbs ? text : undefined;
}

function isPlain(text: string, longest: number): boolean {
  return /^[^\p{Cc}]+$/u.test(text) && Buffer.byteLength(text) <= longest;
}
