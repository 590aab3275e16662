/** Clients and servers by script: each datagram is the test's own. */
import type { Socket } from 'node:dgram';
import { onTestFinished } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import { blockOf, encodeAck, encodeRequest, Opcode, opcodeOf } from '../../src/tftp/packet.ts';
import { until } from './processes.ts';
import { boundSocket } from './sockets.ts';

interface Datagram {
  readonly data: Buffer;
  readonly from: Endpoint;
}

/** A socket that keeps what it gets. */
export class UdpPeer implements Endpoint {
  readonly address: string;
  readonly port: number;
  /** Everything that came, oldest first. */
  readonly received: Datagram[] = [];
  /** Called for each datagram from now on. */
  onDatagram: ((datagram: Datagram) => void) | undefined;
  readonly #socket: Socket;
  #taken = 0;

  private constructor(socket: Socket) {
    const { address, port } = socket.address();
    this.address = address;
    this.port = port;
    this.#socket = socket;
    socket.on('message', (data, { address, port }) => {
      const datagram = { data, from: { address, port } };
      this.received.push(datagram);
      this.onDatagram?.(datagram);
    });
  }

  /** Closed when the test ends; port 0 lets the kernel choose. */
  static async open(address = '127.0.0.1', port = 0): Promise<UdpPeer> {
    const socket = await boundSocket(address, port);
    onTestFinished(() => void socket.close());
    return new UdpPeer(socket);
  }

  send(data: Uint8Array, to: Endpoint): void {
    this.#socket.send(data, to.port, to.address);
  }

  /** Waits for the oldest datagram that was not taken yet. */
  next(): Promise<Datagram> {
    return until('a datagram comes', () => {
      const datagram = this.received[this.#taken];
      if (datagram !== undefined) this.#taken += 1;
      return datagram;
    });
  }
}

/** A download in blocks of 512 bytes that stands still at its first block until it is let go on. */
export class HeldDownload {
  readonly #client: UdpPeer;
  readonly #blocks = new Map<number, Buffer>();
  #latest: Datagram;

  private constructor(client: UdpPeer, first: Datagram) {
    this.#client = client;
    this.#latest = first;
  }

  /** Resolves when the first block has come. */
  static async begin(server: Endpoint, file: string, from?: string): Promise<HeldDownload> {
    const client = await UdpPeer.open(from);
    client.send(encodeRequest(Opcode.rrq, file, 'octet'), server);
    return new HeldDownload(client, await client.next());
  }

  /** The port that the transfer is answered from. */
  get tid(): number {
    return this.#latest.from.port;
  }

  /** Acknowledges everything from now on. Resolves with the file. */
  async finish(): Promise<Buffer> {
    for (;;) {
      const { data, from } = this.#latest;
      if (opcodeOf(data) !== Opcode.data) throw new Error(`not a block: ${data.toString('latin1')}`);
      this.#blocks.set(blockOf(data), data.subarray(4));
      this.#client.send(encodeAck(blockOf(data)), from);
      if (data.length < 516) return Buffer.concat([...this.#blocks.values()]);
      this.#latest = await this.#client.next();
    }
  }
}
