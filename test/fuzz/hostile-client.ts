import { encodeAck, encodeError, isError } from '../../src/tftp/packet.ts';
import { type Lab, Peer, type Received, vip } from '../helpers/lab.ts';
import type { Noise } from './noise.ts';

const listener = { address: vip, port: 69 };
const portsEach = 3;
/** Datagrams that an attacker answers: two that answer each other for ever would keep virtual time from going on. */
const maxAnswers = 400;

/** A host that sends what it should not, from several ports, to the listener and to every TID that it has heard of. */
export class HostileClient {
  readonly address: string;
  isMuted = false;
  readonly #noise: Noise;
  readonly #peers: readonly Peer[];
  readonly #tids: { readonly port: number; readonly address: string }[] = [];
  #answers = 0;
  #lastRequest: Uint8Array;

  /** `number` sets it apart from others of its kind, 0 to 255. */
  constructor(lab: Lab, noise: Noise, number: number) {
    this.#noise = noise;
    this.address = `10.4.0.${number}`;
    const host = lab.net.host([this.address]);
    this.#peers = Array.from({ length: portsEach }, () => new Peer(host, this.address));
    this.#lastRequest = noise.request();
    for (const peer of this.#peers) peer.onDatagram = (datagram) => this.#answer(peer, datagram);
  }

  /** One move. */
  act(): void {
    switch (this.#noise.int(0, 7)) {
      case 0:
        return this.#flood();
      case 1:
        return this.#storm();
      case 2:
      case 3:
        return this.#toListener(this.#noise.request());
      case 4:
        return this.#toListener(this.#lastRequest);
      case 5:
        return this.#toTid(this.#noise.datagram());
      default:
        return this.#toListener(this.#noise.datagram());
    }
  }

  #flood(): void {
    const repeated = this.#noise.request();
    for (let n = this.#noise.int(1, 40); n > 0; n--) {
      this.#toListener(this.#noise.chance(0.5) ? repeated : this.#noise.request());
    }
  }

  #storm(): void {
    const packet = this.#noise.pick([encodeAck(0), encodeAck(1), encodeError(0, ''), this.#noise.datagram()]);
    for (let n = this.#noise.int(1, 40); n > 0; n--) this.#toTid(packet);
  }

  #toListener(packet: Uint8Array): void {
    this.#lastRequest = packet;
    this.#send(this.#noise.pick(this.#peers), packet, listener);
  }

  #toTid(packet: Uint8Array): void {
    this.#send(this.#noise.pick(this.#peers), packet, this.#noise.pick(this.#tids) ?? listener);
  }

  #answer(peer: Peer, datagram: Received): void {
    if (this.#tids.length < 500) this.#tids.push({ port: datagram.port, address: datagram.address });
    this.#answers += 1;
    if (this.#answers > maxAnswers) return;
    switch (this.#noise.int(0, 5)) {
      case 0:
        return this.#send(peer, datagram.bytes, datagram);
      case 1:
        return this.#send(peer, encodeError(0, ''), datagram);
      case 2:
        return this.#send(peer, this.#noise.datagram(), datagram);
      case 3:
        // To an ERROR above all: what answers it would never stop.
        if (isError(datagram.bytes)) this.#send(peer, encodeError(5, 'so are you'), datagram);
        return;
      case 4:
        return this.#send(peer, encodeAck(this.#noise.int(0, 2)), datagram);
      default:
    }
  }

  #send(peer: Peer | undefined, packet: Uint8Array, to: { port: number; address: string }): void {
    if (!this.isMuted) peer?.send(packet, to);
  }
}
