import type { Socket } from 'node:dgram';
import { NetError, type Endpoint, type UdpBinding, type UdpHandlers, type UdpSocket } from './net.ts';
import { endpointOf, openDgram } from './node-dgram.ts';
import { toNetError } from './node-errors.ts';

/** Opens, binds and wires a socket. Throws NetError. */
export function bindNodeUdp(at: UdpBinding, handlers: UdpHandlers): UdpSocket {
  return new NodeUdpSocket(openDgram({ ...at, shared: false }), handlers);
}

/** One unconnected socket. */
export class NodeUdpSocket implements UdpSocket {
  readonly address: string;
  readonly port: number;
  readonly #socket: Socket;
  readonly #handlers: UdpHandlers;
  #open = true;

  /** `socket` is bound and has no handlers yet. */
  constructor(socket: Socket, handlers: UdpHandlers) {
    ({ address: this.address, port: this.port } = endpointOf(socket));
    this.#socket = socket;
    this.#handlers = handlers;
    socket.on('message', (data, from) => {
      if (this.#open) handlers.onDatagram(data, from.port, from.address);
    });
    socket.on('error', (error) => this.#fail(error, 'cannot receive'));
  }

  send(data: Uint8Array, port: number, address: string): void {
    if (!this.#open) return;
    sendNow(this.#socket, data, { port, address }, this.#onSent);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.close();
  }

  readonly #onSent = (error: Error | null): void => {
    if (error !== null) this.#fail(error, 'cannot send');
  };

  #fail(error: Error, attempt: string): void {
    if (!this.#open) return;
    this.#handlers.onError(
      error instanceof NetError
        ? error
        : toNetError(error, `${attempt} on ${this.address} port ${this.port}`),
    );
  }
}

/** Sends without ever throwing. `to` is undefined on a connected socket. `onSent` is called a tick later. */
export function sendNow(
  socket: Socket,
  data: Uint8Array,
  to: Endpoint | undefined,
  onSent: (error: Error | null) => void,
): void {
  if (socket.getSendQueueCount() > 0) {
    refuse(onSent, 'the send buffer is full');
    return;
  }
  // A datagram that has to wait for the send buffer keeps its bytes, while the caller may reuse its own at once.
  const copy = Buffer.from(data);
  if (to === undefined) {
    socket.send(copy, onSent);
  } else if (!Number.isInteger(to.port) || to.port < 1 || to.port > 65535 || to.address === '') {
    refuse(onSent, `"${to.address}" port ${to.port} is no destination`);
  } else {
    socket.send(copy, to.port, to.address, onSent);
  }
}

function refuse(onSent: (error: Error | null) => void, reason: string): void {
  process.nextTick(onSent, new NetError('TLB_ERR_SOCKET', `cannot send: ${reason}`));
}
