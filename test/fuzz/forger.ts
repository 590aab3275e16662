import type { Endpoint } from '../../src/net/net.ts';
import type { MemoryHost } from '../../src/net/memory-host.ts';
import { type Lab, vip } from '../helpers/lab.ts';

/** Writes any source address that it likes on what it sends to the listener, and hears nothing of the answers. */
export class Forger {
  readonly #host: MemoryHost;

  constructor(lab: Lab) {
    this.#host = lab.net.host(['10.6.0.1']);
  }

  send(packet: Uint8Array, from: Endpoint): void {
    this.#host.transmit(from, { address: vip, port: 69 }, packet, undefined);
  }
}

/** What the balancer sends to one address. */
export class Tally {
  datagrams = 0;
  bytes = 0;
  /** Of the largest one. */
  largest = 0;

  constructor(lab: Lab, address: string) {
    lab.net.addFilter(({ from, to, data }) => {
      if (to.address !== address || !lab.balancer.addresses.includes(from.address)) return 'pass';
      this.datagrams += 1;
      this.bytes += data.length;
      this.largest = Math.max(this.largest, data.length);
      return 'pass';
    });
  }
}
