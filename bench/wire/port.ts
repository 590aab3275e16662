import type { Endpoint } from '../../src/net/net.ts';
import { setOption } from '../../src/linux/socket-options.ts';
import { bind, boundTo, close, connect, openUdp } from '../../src/linux/sockets.ts';
import type { Wire } from './wire.ts';

/** Bytes; the system may grant less. Bursts of a whole crowd must not be lost. */
const receiveBuffer = 4_000_000;

/** A UDP socket. What it receives lies in the wire's batch, until the next socket receives. */
export class Port {
  readonly #wire: Wire;
  readonly #fd: number;

  /** `onReceived` is told how many datagrams lie in the batch, from slot 0 on. Throws SyscallError. */
  constructor(wire: Wire, local: Endpoint, onReceived: (count: number) => void) {
    this.#wire = wire;
    this.#fd = openUdp(wire.libc, 4);
    setOption(wire.libc, this.#fd, 'SO_RCVBUF', receiveBuffer);
    bind(wire.libc, this.#fd, local);
    wire.watch(this.#fd, () => onReceived(Math.max(0, wire.batch.receive(this.#fd))));
  }

  /** Throws SyscallError. */
  get local(): Endpoint {
    return boundTo(this.#wire.libc, this.#fd);
  }

  /** What is received from now on tells the address that it went to. Throws SyscallError. */
  tellDestinations(): void {
    setOption(this.#wire.libc, this.#fd, 'IP_PKTINFO', 1);
  }

  /** Throws SyscallError. */
  connect(peer: Endpoint): void {
    connect(this.#wire.libc, this.#fd, peer);
  }

  /** Sends slots of `batch`; what the system does not take is lost, as on any network. */
  send(batch: Wire['batch'], from: number, count: number): void {
    let sent = 0;
    while (sent < count) sent += Math.max(1, batch.send(this.#fd, from + sent, count - sent));
  }

  close(): void {
    this.#wire.unwatch(this.#fd);
    close(this.#wire.libc, this.#fd);
  }
}
