import { EndpointTable } from '../../net/endpoint-table.ts';
import type { Endpoint, UdpHandlers, UdpSocket } from '../../net/net.ts';
import type { MovedTid, OnStranger, VipTid } from '../../net/tids.ts';
import { DatagramSocket, type SocketUser } from './datagram-socket.ts';
import { datagramError } from './open-socket.ts';
import type { Owner } from './outbox.ts';
import type { LoopParts } from './parts.ts';

/** One client-facing socket, lent to one session of each client's address and port. */
export class VipSocket implements SocketUser {
  readonly #socket: DatagramSocket;
  readonly #leases = new EndpointTable<VipLease>();
  readonly #onStranger: OnStranger;
  readonly #onGivenBack: () => void;
  /** Answers those whom the socket was not lent for. */
  readonly #answering: UdpSocket;

  /** Takes over `fd`, which is bound. Throws NetError, having closed it. */
  constructor(parts: LoopParts, fd: number, onStranger: OnStranger, onGivenBack: () => void) {
    this.#socket = new DatagramSocket(parts, fd, false, this);
    this.#onStranger = onStranger;
    this.#onGivenBack = onGivenBack;
    const { address, port } = this.#socket;
    this.#answering = {
      address,
      port,
      send: (data, toPort, toAddress) => this.#socket.send(data, toPort, toAddress, unheard),
      close: () => undefined,
    };
  }

  get fd(): number {
    return this.#socket.fd;
  }

  get address(): string {
    return this.#socket.address;
  }

  get port(): number {
    return this.#socket.port;
  }

  isLentTo({ port, address }: Endpoint): boolean {
    return this.#leases.get(port, address) !== undefined;
  }

  lend(client: Endpoint, handlers: UdpHandlers): VipTid {
    const lease = new VipLease(this, client, handlers);
    this.#leases.set(client.port, client.address, lease);
    return lease;
  }

  giveBack({ clientPort, clientAddress }: VipLease): void {
    this.#leases.delete(clientPort, clientAddress);
    this.#onGivenBack();
  }

  send(data: Uint8Array, port: number, address: string, owner: Owner): void {
    this.#socket.send(data, port, address, owner);
  }

  onDatagram(data: Uint8Array, port: number, address: string): void {
    const lease = this.#leases.get(port, address);
    if (lease) lease.handlers.onDatagram(data, port, address);
    else this.#onStranger(this.#answering, data, port, address);
  }

  onRefused(): void {}

  /** It is nobody's in particular, and passes. */
  onUnreceived(): void {}

  close(): void {
    this.#socket.close();
  }
}

/** What strangers are told matters to nobody. */
const unheard: Owner = { onUnsent: () => undefined };

/** The TID of one session. */
class VipLease implements VipTid, Owner {
  readonly handlers: UdpHandlers;
  readonly clientPort: number;
  readonly clientAddress: string;
  readonly #socket: VipSocket;
  #isOpen = true;

  constructor(socket: VipSocket, { port, address }: Endpoint, handlers: UdpHandlers) {
    this.#socket = socket;
    this.clientPort = port;
    this.clientAddress = address;
    this.handlers = handlers;
  }

  get address(): string {
    return this.#socket.address;
  }

  get port(): number {
    return this.#socket.port;
  }

  send(data: Uint8Array, port: number, address: string): void {
    if (this.#isOpen) this.#socket.send(data, port, address, this);
  }

  move(): MovedTid {
    return { fd: this.#socket.fd };
  }

  onUnsent(errno: number): void {
    if (!this.#isOpen) return;
    this.handlers.onError(datagramError(errno, `cannot send from ${this.address} port ${this.port}`));
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#socket.giveBack(this);
  }
}
