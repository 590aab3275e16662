import type { Endpoint } from '../../src/net/net.ts';
import { type Lab, Peer, vip } from '../helpers/lab.ts';
import type { Noise } from './noise.ts';

const address = '10.8.0.1';
/** The newest ports are those that are in use. */
const remembered = 40;

/** Someone who sees every datagram and throws others at the ports that the balancer uses, on both of its sides. */
export class Stranger {
  readonly #noise: Noise;
  readonly #peer: Peer;
  readonly #targets: Endpoint[] = [];

  constructor(lab: Lab, noise: Noise) {
    this.#noise = noise;
    this.#peer = new Peer(lab.net.host([address]), address);
    lab.net.addFilter(({ from, to }) => {
      if (from.address === address || to.address === address) return 'pass';
      for (const end of [from, to]) this.#notice(end);
      return 'pass';
    });
  }

  act(): void {
    for (const target of this.#targets) {
      if (this.#noise.chance(0.5)) this.#peer.send(this.#packet(), target);
    }
  }

  /** Numbers that a running transfer could have, above all. */
  #packet(): Uint8Array {
    return this.#noise.chance(0.8) ? this.#noise.transferPacket() : this.#noise.datagram();
  }

  #notice({ address, port }: Endpoint): void {
    if (address !== vip || this.#targets.some((target) => target.port === port)) return;
    this.#targets.push({ address, port });
    if (this.#targets.length > remembered) this.#targets.shift();
  }
}
