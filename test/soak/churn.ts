import type { Endpoint, Net, Timer, UdpSocket } from '../../src/net/net.ts';
import { blockOf, encodeAck, encodeRequest, Opcode, opcodeOf } from '../../src/tftp/packet.ts';

/** One after the other: a request for the same file again, right after its end, may be taken for a late copy. */
export const churnFiles: readonly string[] = ['one', 'two', 'three'];
const requests = churnFiles.map((file) => encodeRequest(Opcode.rrq, file, 'octet'));
const lastAck = encodeAck(1);
/** Silence after which a transfer counts as lost and the next one begins. Milliseconds. */
const patience = 2_000;

/** Reads files of one block again and again from one port, as a boot ROM does. */
export class ChurnClient {
  transfers = 0;
  lost = 0;
  readonly #net: Net;
  readonly #server: Endpoint;
  readonly #socket: UdpSocket;
  /** The port that this transfer is answered from; 0 before the answer. */
  #tid = 0;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(net: Net, address: string, server: Endpoint) {
    this.#net = net;
    this.#server = server;
    this.#socket = net.bindUdp(
      { address, port: 0 },
      { onDatagram: (data, port) => this.#onDatagram(data, port), onError: () => {} },
    );
  }

  next(): void {
    if (this.#isStopped) return;
    this.#tid = 0;
    const request = requests[(this.transfers + this.lost) % requests.length] ?? lastAck;
    this.#socket.send(request, this.#server.port, this.#server.address);
    this.#timer?.cancel();
    this.#timer = this.#net.setTimer(patience, () => {
      this.lost += 1;
      this.next();
    });
  }

  close(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#socket.close();
  }

  #onDatagram(data: Uint8Array, port: number): void {
    if (opcodeOf(data) !== Opcode.data || blockOf(data) !== 1 || this.#tid !== 0) return;
    this.#tid = port;
    this.#socket.send(lastAck, port, this.#server.address);
    this.transfers += 1;
    this.next();
  }
}
