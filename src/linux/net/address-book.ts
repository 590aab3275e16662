import { isIPv4 } from 'node:net';
import type { Clock } from '../../net/net.ts';
import { SOCKADDR_IN } from '../layout.ts';
import type { Libc } from '../libc.ts';
import { decodeName, encodeName } from '../name-codec.ts';
import type { SocketNames } from '../socket-names.ts';
import { AddressTexts } from './address-texts.ts';

/** Addresses that are remembered. Anybody can send from any address: when there are more, all are forgotten. */
const maxKnown = 65_536;
/** Milliseconds for which link-local addresses are remembered: the interface that their zone names may become another. */
const zoneLifetime = 1_000;

/** An address as the kernel has it: of IPv4 a signed number, which takes no memory of its own; else a name with port 0. */
export type AddressName = number | Uint8Array;

/**
 * Socket addresses between the two forms that they have: numbers in an arena, text in the engine. What was translated
 * once is remembered, so that a datagram allocates nothing.
 */
export class AddressBook {
  readonly #libc: Libc;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #texts4 = new Map<number, string>();
  readonly #texts6 = new AddressTexts(maxKnown);
  readonly #names = new Map<string, AddressName>();
  readonly #zonedTexts = new AddressTexts(maxKnown);
  readonly #zonedNames = new Map<string, AddressName>();
  #zonesUntil = 0;

  constructor(libc: Libc, clock: Pick<Clock, 'now'>) {
    this.#libc = libc;
    this.#clock = clock;
  }

  /** The address in a slot of `names` as text; '' if there is none. */
  text(names: SocketNames, index: number): string {
    const family = names.family(index);
    if (family === 4) return this.#text4(names, index);
    return family === 6 ? this.#text6(names, index) : '';
  }

  /** The name of a numeric address. Undefined if this host has no way to write it. */
  name(address: string): AddressName | undefined {
    const known = this.#names.get(address);
    if (known !== undefined) return known;
    const isZoned = address.includes('%');
    if (isZoned) this.#renewZones();
    const names = isZoned ? this.#zonedNames : this.#names;
    return names.get(address) ?? this.#learn(names, address);
  }

  #learn(names: Map<string, AddressName>, address: string): AddressName | undefined {
    try {
      const bytes = encodeName(this.#libc, { address, port: 0 });
      const name = isIPv4(address) ? new DataView(bytes.buffer).getInt32(SOCKADDR_IN.address) : bytes;
      if (names.size >= maxKnown) names.clear();
      names.set(address, name);
      return name;
    } catch (error) {
      if (error instanceof TypeError) return undefined;
      throw error;
    }
  }

  #text4(names: SocketNames, index: number): string {
    // As a signed number, which a map finds without boxing it.
    const key = names.address4(index) | 0;
    const known = this.#texts4.get(key);
    if (known !== undefined) return known;
    if (this.#texts4.size >= maxKnown) this.#texts4.clear();
    const text = decodeName(this.#libc, names.copy(index)).address;
    this.#texts4.set(key, text);
    return text;
  }

  #text6(names: SocketNames, index: number): string {
    const isZoned = names.scope(index) !== 0;
    if (isZoned) this.#renewZones();
    const texts = isZoned ? this.#zonedTexts : this.#texts6;
    const known = texts.get(names, index);
    if (known !== undefined) return known;
    const text = decodeName(this.#libc, names.copy(index)).address;
    texts.set(names, index, text);
    return text;
  }

  #renewZones(): void {
    const now = this.#clock.now();
    if (now < this.#zonesUntil) return;
    this.#zonesUntil = now + zoneLifetime;
    this.#zonedTexts.clear();
    this.#zonedNames.clear();
  }
}
