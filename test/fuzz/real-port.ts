import type { Endpoint, Net, UdpSocket } from '../../src/net/net.ts';
import type { Received } from '../helpers/lab.ts';
import type { HostilePort } from './hostile-port.ts';

/** A port of this host. */
export class RealPort implements HostilePort {
  onDatagram: ((datagram: Received) => void) | undefined;
  readonly #socket: UdpSocket;

  constructor(net: Net, address: string) {
    this.#socket = net.bindUdp(
      { address, port: 0 },
      {
        onDatagram: (data, port, address) =>
          this.onDatagram?.({ bytes: new Uint8Array(data), port, address }),
        // What cannot be sent because a buffer is full is as good as lost.
        onError: () => {},
      },
    );
  }

  get endpoint(): Endpoint {
    return { address: this.#socket.address, port: this.#socket.port };
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    this.#socket.send(bytes, to.port, to.address);
  }

  close(): void {
    this.#socket.close();
  }
}

export function portsOn(net: Net, address: string, count: number): RealPort[] {
  return Array.from({ length: count }, () => new RealPort(net, address));
}
