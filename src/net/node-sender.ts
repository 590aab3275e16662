import type { Socket } from 'node:dgram';
import { NetError, type Endpoint, type NetErrorCode } from './net.ts';

export type OnSent = (error: Error | null) => void;

/** No UDP datagram is longer: its header counts the bytes with 16 bits (RFC 768). */
const maxDatagram = 65_535;

/**
 * Sends datagrams now or drops them, and never throws. A datagram that the socket has no room for waits in node:dgram,
 * which keeps no copy of its own: so each leaves from memory of ours, and that memory is left to the one that waits.
 */
export class DatagramSender {
  #outgoing = Buffer.allocUnsafeSlow(maxDatagram);

  /** `to` is undefined on a connected socket. `onSent` is called a tick later. */
  send(socket: Socket, data: Uint8Array, to: Endpoint | undefined, onSent: OnSent): void {
    if (to !== undefined && !isDestination(to)) {
      refuse(onSent, 'TLB_ERR_SOCKET', `"${to.address}" port ${to.port} is no destination`);
    } else if (data.length > maxDatagram) {
      refuse(onSent, 'TLB_ERR_MESSAGE_TOO_LONG', 'the datagram is too long');
    } else if (socket.getSendQueueCount() > 0) {
      refuse(onSent, 'TLB_ERR_SOCKET', 'the send buffer is full');
    } else {
      this.#outgoing.set(data);
      const datagram = this.#outgoing.subarray(0, data.length);
      if (to === undefined) socket.send(datagram, onSent);
      else socket.send(datagram, to.port, to.address, onSent);
      if (socket.getSendQueueCount() > 0) this.#outgoing = Buffer.allocUnsafeSlow(maxDatagram);
    }
  }
}

/** True for what a datagram can be sent to, as far as the port tells; the address is the system's to judge. */
export function isDestination({ address, port }: Endpoint): boolean {
  return Number.isInteger(port) && port > 0 && port <= 65_535 && address !== '';
}

function refuse(onSent: OnSent, code: NetErrorCode, reason: string): void {
  process.nextTick(onSent, new NetError(code, `cannot send: ${reason}`));
}
