import { familyOfText, isWildcard } from './memory-address.ts';
import { NetError, type Endpoint } from './net.ts';

const ephemeral = { first: 32_768, count: 28_232 } as const;

/** What holds a port. */
export interface Bound extends Endpoint {
  /** As in UdpBinding. */
  readonly reusePort?: boolean;
}

/** The open sockets of one host and one protocol, and the ports that they hold. */
export class SocketTable<Socket extends Bound> {
  readonly #byPort = new Map<number, Socket[]>();
  /** Goes round the ephemeral ports, so that each rests for as long as possible. */
  #cursor: number;

  constructor(random: () => number) {
    this.#cursor = Math.floor(random() * ephemeral.count);
  }

  add(socket: Socket): void {
    this.#byPort.set(socket.port, [...this.#at(socket.port), socket]);
  }

  remove(socket: Socket): void {
    const others = this.#at(socket.port).filter((other) => other !== socket);
    if (others.length > 0) this.#byPort.set(socket.port, others);
    else this.#byPort.delete(socket.port);
  }

  all(): Socket[] {
    return [...this.#byPort.values()].flat();
  }

  /** Who hears what `from` sends to `to`: sockets of just that address before those of all addresses. */
  listenerAt(to: Endpoint, from: Endpoint): Socket | undefined {
    const wildcard = familyOfText(to.address) === 6 ? '::' : '0.0.0.0';
    const sockets = this.#at(to.port);
    const own = sockets.filter(({ address }) => address === to.address);
    const hearing = own.length > 0 ? own : sockets.filter(({ address }) => address === wildcard);
    return hearing[from.port % hearing.length];
  }

  isTaken({ address, port, reusePort = false }: Bound): boolean {
    return this.#at(port).some(
      (socket) =>
        familyOfText(socket.address) === familyOfText(address) &&
        (socket.address === address || isWildcard(socket.address) || isWildcard(address)) &&
        !(reusePort && socket.reusePort === true),
    );
  }

  /** An ephemeral port that no socket holds at `address`. Throws NetError. */
  freePort(address: string): number {
    for (let tries = 0; tries < ephemeral.count; tries++) {
      this.#cursor = (this.#cursor + 1) % ephemeral.count;
      const port = ephemeral.first + this.#cursor;
      if (!this.isTaken({ address, port })) return port;
    }
    throw new NetError('TLB_ERR_NO_PORTS', `cannot bind ${address}: no free port is left`);
  }

  #at(port: number): readonly Socket[] {
    return this.#byPort.get(port) ?? [];
  }
}
