/**
 * A network inside one process, in virtual time: nothing happens but when the clock is told to go on, and the seed
 * decides all that is left to chance. The same seed and the same calls give the same run, datagram by datagram.
 */
import { isLoopback } from './memory-address.ts';
import { VirtualClock } from './memory-clock.ts';
import { MemoryHost, type Packet, type Wire } from './memory-host.ts';
import { delayOf, MemoryLink, perfectLink, type LinkModel } from './memory-link.ts';
import { createSeededRandom } from './memory-random.ts';

export interface MemoryNetOptions {
  /** An integer. */
  readonly seed: number;
  /** Changes to the perfect link. */
  readonly link?: Partial<LinkModel>;
}

/** Sees each datagram as it is sent, before the link's chances. A datagram that one filter drops is gone. */
export type PacketFilter = (packet: Packet) => 'pass' | 'drop';

export class MemoryNet extends VirtualClock {
  /** What lookup finds, by host name. */
  readonly names: Map<string, readonly string[]> = new Map();
  /** May be changed at any time; datagrams on their way are not touched. */
  link: LinkModel;
  readonly #random: () => number;
  readonly #hosts: MemoryHost[] = [];
  readonly #links = new Map<MemoryHost | undefined, Map<MemoryHost | undefined, MemoryLink>>();
  readonly #filters = new Set<PacketFilter>();
  readonly #hostOf = new Map<string, MemoryHost>();

  constructor(options: MemoryNetOptions) {
    super();
    this.#random = createSeededRandom(options.seed);
    this.link = { ...perfectLink, ...options.link };
  }

  /** Sockets that are open on all hosts. */
  get openSockets(): number {
    return this.#hosts.reduce((sum, host) => sum + host.openSockets, 0);
  }

  /** A new host. Each address belongs to one host; loopback addresses are everyone's own. */
  host(addresses: readonly string[]): MemoryHost {
    const host = new MemoryHost(this, this.#wire, createSeededRandom(this.#random() * 2 ** 32));
    host.setAddresses(addresses);
    this.#hosts.push(host);
    return host;
  }

  /** Returns what takes the filter out again. */
  addFilter(filter: PacketFilter): () => void {
    this.#filters.add(filter);
    return () => this.#filters.delete(filter);
  }

  readonly #wire: Wire = {
    move: (host, addresses) => this.#move(host, addresses),
    carry: (from, packet, onRefused) => this.#carry(from, packet, onRefused),
    find: (name) => this.names.get(name) ?? [],
    hostAt: (address, seenFrom) => this.#hostAt(address, seenFrom),
    delay: (from, to) => (from === to ? 0 : delayOf(this.link, this.#random)),
    changed: () => {
      for (const host of this.#hosts) host.tcp.hostsChanged();
    },
  };

  #move(host: MemoryHost, addresses: readonly string[]): void {
    const outer = addresses.filter((address) => !isLoopback(address));
    const taken = outer.find((address) => (this.#hostOf.get(address) ?? host) !== host);
    if (taken !== undefined) throw new RangeError(`another host has ${taken}`);
    for (const address of host.addresses) {
      if (!isLoopback(address)) this.#hostOf.delete(address);
    }
    for (const address of outer) this.#hostOf.set(address, host);
  }

  #carry(from: MemoryHost, packet: Packet, onRefused: (() => void) | undefined): void {
    for (const filter of this.#filters) {
      if (filter(packet) === 'drop') return;
    }
    if (from.state !== 'up') return;
    for (const arrival of this.#arrivals(from, this.#hostAt(packet.to.address, from))) {
      const copy = { ...packet, data: new Uint8Array(packet.data) };
      this.plan(arrival, () => this.#arrive(from, copy, onRefused));
    }
  }

  #arrive(from: MemoryHost, packet: Packet, onRefused: (() => void) | undefined): void {
    const host = this.#hostAt(packet.to.address, from);
    if (host?.state === 'silent') return;
    if (host?.state === 'up' && host.receive(packet)) return;
    const [answered] = onRefused === undefined ? [] : this.#arrivals(host, from);
    if (answered === undefined) return;
    this.plan(answered, () => {
      if (from.state === 'up') onRefused?.();
    });
  }

  /** A host hears itself at once and always. */
  #arrivals(from: MemoryHost | undefined, to: MemoryHost | undefined): number[] {
    return from === to ? [this.now()] : this.#linkBetween(from, to).arrivals(this.link, this.now());
  }

  #hostAt(address: string, seenFrom: MemoryHost): MemoryHost | undefined {
    return seenFrom.addresses.includes(address) ? seenFrom : this.#hostOf.get(address);
  }

  #linkBetween(from: MemoryHost | undefined, to: MemoryHost | undefined): MemoryLink {
    const links = this.#links.get(from) ?? new Map<MemoryHost | undefined, MemoryLink>();
    this.#links.set(from, links);
    const link = links.get(to) ?? new MemoryLink(this.#random);
    links.set(to, link);
    return link;
  }
}
