import { encodeAck, encodeData, encodeError, encodeOack, Opcode, opcodeOf } from '../../src/tftp/packet.ts';
import type { Endpoint } from '../../src/net/net.ts';
import type { Lab, Received } from '../helpers/lab.ts';
import type { HostilePort } from './hostile-port.ts';
import type { Noise } from './noise.ts';

const tidsEach = 4;
/** As for hostile clients: two that answer each other for ever must come to an end. */
const maxAnswers = 600;

/** A server that answers what it likes, from where it likes, as often as it likes. */
export class HostileBackend {
  isMuted = false;
  readonly #noise: Noise;
  /** The request port first, then the ports for transfers. */
  readonly #ports: readonly HostilePort[];
  readonly #balancerTids: Endpoint[] = [];
  #answers = 0;

  constructor(ports: readonly HostilePort[], noise: Noise) {
    this.#noise = noise;
    this.#ports = ports;
    for (const port of ports) port.onDatagram = (datagram) => this.#answer(port, datagram);
  }

  /** One move without having been asked. */
  act(): void {
    const to = this.#noise.pick(this.#balancerTids);
    if (!to) return;
    const from = this.#noise.pick(this.#ports);
    for (let n = this.#noise.int(1, 20); n > 0; n--) this.#send(from, this.#noise.datagram(), to);
  }

  #answer(from: HostilePort, datagram: Received): void {
    if (this.#balancerTids.length < 500) {
      this.#balancerTids.push({ port: datagram.port, address: datagram.address });
    }
    this.#answers += 1;
    if (this.#answers > maxAnswers) return;
    const opcode = opcodeOf(datagram.bytes);
    if (opcode === Opcode.rrq || opcode === Opcode.wrq) this.#onRequest(datagram);
    else this.#send(from, this.#noise.chance(0.3) ? datagram.bytes : this.#noise.datagram(), datagram);
  }

  #onRequest(datagram: Received): void {
    const tid = this.#noise.pick(this.#ports);
    const send = (packet: Uint8Array): void => this.#send(tid, packet, datagram);
    switch (this.#noise.int(0, 7)) {
      case 0:
        return this.#everything(datagram);
      case 1:
        return send(datagram.bytes);
      case 2:
        return send(this.#noise.oack());
      case 3:
        send(encodeOack({ blksize: '0', windowsize: '999999999' }));
        return send(encodeData(2, new Uint8Array(0)));
      case 4:
        return send(encodeError(this.#noise.int(0, 9), '\u001B[31mno'));
      case 5:
        for (let block = 1; block < 60; block++) send(encodeData(block, new Uint8Array(512)));
        return;
      case 6:
        return send(encodeAck(0));
      default:
    }
  }

  /** From every port something else. */
  #everything(datagram: Received): void {
    for (const from of this.#ports) {
      for (let n = this.#noise.int(0, 5); n > 0; n--) this.#send(from, this.#noise.datagram(), datagram);
    }
  }

  #send(from: HostilePort | undefined, packet: Uint8Array, to: Endpoint): void {
    if (!this.isMuted) from?.send(packet, to);
  }
}

/** In the place of backend `n`. */
export function labHostileBackend(lab: Lab, noise: Noise, n: number): HostileBackend {
  return new HostileBackend(
    [lab.backend(n), ...Array.from({ length: tidsEach }, () => lab.backendTid(n))],
    noise,
  );
}
