import type { Socket } from 'node:dgram';
import type { UdpHandlers, UdpSocket } from './net.ts';
import { endpointOf } from './node-dgram.ts';
import { toNetError } from './node-errors.ts';
import type { DatagramSender } from './node-sender.ts';

/** One unconnected socket. */
export class NodeUdpSocket implements UdpSocket {
  readonly address: string;
  readonly port: number;
  readonly #socket: Socket;
  readonly #sender: DatagramSender;
  readonly #handlers: UdpHandlers;
  #open = true;

  /** `socket` is bound and has no handlers yet. */
  constructor(socket: Socket, sender: DatagramSender, handlers: UdpHandlers) {
    ({ address: this.address, port: this.port } = endpointOf(socket));
    this.#socket = socket;
    this.#sender = sender;
    this.#handlers = handlers;
    socket.on('message', (data, from) => handlers.onDatagram(data, from.port, from.address));
    socket.on('error', (error) => this.#fail(error, 'cannot receive at'));
  }

  send(data: Uint8Array, port: number, address: string): void {
    if (this.#open) this.#sender.send(this.#socket, data, { port, address }, this.#onSent);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.close();
  }

  readonly #onSent = (error: Error | null): void => {
    if (error !== null) this.#fail(error, 'cannot send from');
  };

  #fail(error: Error, attempt: string): void {
    if (this.#open) this.#handlers.onError(toNetError(error, `${attempt} ${this.address} port ${this.port}`));
  }
}
