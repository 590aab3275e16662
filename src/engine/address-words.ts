import { mix } from '../balance/hash.ts';

const colon = 0x3a;
const dot = 0x2e;
const zero = 0x30;

/**
 * A numeric address as four words of 32 bits. It is read anew for each request, so one object serves them all and
 * nothing is allocated. IPv4 addresses lie at ::ffff:0:0/96, with or without their IPv6 clothing (RFC 4291 section 2.5.5.2).
 */
export class AddressWords {
  readonly words: Int32Array = new Int32Array(4);
  readonly #groups = new Uint16Array(8);
  #isIpv4 = false;

  get family(): 4 | 6 {
    return this.#isIpv4 ? 4 : 6;
  }

  /** Returns whether `text` is an address; a zone (`%eth0`) does not count. */
  read(text: string): boolean {
    const zone = text.indexOf('%');
    const end = zone < 0 ? text.length : zone;
    this.#groups.fill(0);
    const isSound = text.includes(':') ? this.#readIpv6(text, end) : this.#readIpv4(text, end);
    for (let at = 0; at < 4; at += 1) this.words[at] = (this.#group(2 * at) << 16) | this.#group(2 * at + 1);
    this.#isIpv4 = this.words[0] === 0 && this.words[1] === 0 && this.words[2] === 0xffff;
    return isSound;
  }

  /** Word `at` with zeros behind the leading `bits` of the whole address. */
  masked(at: number, bits: number): number {
    const left = bits - 32 * at;
    if (left <= 0) return 0;
    const word = this.words[at] ?? 0;
    return left >= 32 ? word : word & (-1 << (32 - left));
  }

  /** 0 to 2^31 - 1, from the leading `bits` of the whole address. */
  hash(bits: number, seed: number): number {
    let hash = mix(seed);
    for (let at = 0; at < 4; at += 1) hash = mix(Math.imul(hash, 0x9e37_79b1) ^ this.masked(at, bits));
    return hash;
  }

  #group(at: number): number {
    return this.#groups[at] ?? 0;
  }

  #readIpv4(text: string, end: number): boolean {
    this.#groups[5] = 0xffff;
    return this.#readOctets(text, 0, end, 6);
  }

  /** Four octets into two groups from `group` on. */
  #readOctets(text: string, start: number, end: number, group: number): boolean {
    let octet = -1;
    let count = 0;
    for (let at = start; at <= end; at += 1) {
      const digit = at === end ? dot - zero : text.charCodeAt(at) - zero;
      if (digit >= 0 && digit <= 9) {
        octet = Math.max(octet, 0) * 10 + digit;
        if (octet > 255) return false;
        continue;
      }
      if (digit !== dot - zero || octet < 0 || count === 4) return false;
      const to = group + (count >> 1);
      this.#groups[to] = (this.#group(to) << 8) | octet;
      octet = -1;
      count += 1;
    }
    return count === 4;
  }

  #readIpv6(text: string, end: number): boolean {
    let count = 0;
    let gap = -1;
    for (let at = 0; at < end;) {
      if (text.charCodeAt(at) === colon) {
        // Two of them stand for zeros, once, or at the very front; one alone stands between two groups.
        const isGap = text.charCodeAt(at + 1) === colon && at + 1 < end;
        if (isGap ? gap >= 0 : at === 0 || at + 1 === end) return false;
        if (isGap) gap = count;
        at += isGap ? 2 : 1;
        if (isGap && at < end && text.charCodeAt(at) === colon) return false;
        continue;
      }
      const next = groupEnd(text, at, end);
      if (next < end && text.charCodeAt(next) === dot) {
        if (count > 6 || !this.#readOctets(text, at, end, count)) return false;
        count += 2;
        break;
      }
      if (next === at || next - at > 4 || count === 8) return false;
      this.#groups[count] = hexOf(text, at, next);
      count += 1;
      at = next;
    }
    return this.#spread(count, gap);
  }

  /** Puts the zeros of `::` before group `gap`, if there is one. */
  #spread(count: number, gap: number): boolean {
    if (gap < 0) return count === 8;
    if (count > 7) return false;
    this.#groups.copyWithin(8 - count + gap, gap, count);
    this.#groups.fill(0, gap, 8 - count + gap);
    return true;
  }
}

/** Behind the last hexadecimal digit from `start` on. */
function groupEnd(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && hexDigit(text.charCodeAt(at)) >= 0) at += 1;
  return at;
}

function hexOf(text: string, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at += 1) value = (value << 4) | hexDigit(text.charCodeAt(at));
  return value;
}

/** -1 for what is none. */
function hexDigit(code: number): number {
  if (code >= zero && code <= 0x39) return code - zero;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
