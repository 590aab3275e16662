import { encodeAck, encodeError, isError } from '../../src/tftp/packet.ts';
import type { Endpoint } from '../../src/net/net.ts';
import { type Lab, Peer, type Received, vip } from '../helpers/lab.ts';
import type { Noise } from './noise.ts';
import type { HostilePort } from './hostile-port.ts';

const portsEach = 3;
/** Datagrams that an attacker answers: two that answer each other for ever would keep virtual time from going on. */
const maxAnswers = 400;

/** A host that sends what it should not, from several ports, to the listener and to every TID that it has heard of. */
export class HostileClient {
  isMuted = false;
  readonly #noise: Noise;
  readonly #ports: readonly HostilePort[];
  readonly #listener: Endpoint;
  readonly #tids: Endpoint[] = [];
  #answers = 0;
  #lastRequest: Uint8Array;

  constructor(ports: readonly HostilePort[], noise: Noise, listener: Endpoint) {
    this.#noise = noise;
    this.#ports = ports;
    this.#listener = listener;
    this.#lastRequest = noise.request();
    for (const port of ports) port.onDatagram = (datagram) => this.#answer(port, datagram);
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
    this.#send(this.#noise.pick(this.#ports), packet, this.#listener);
  }

  #toTid(packet: Uint8Array): void {
    this.#send(this.#noise.pick(this.#ports), packet, this.#noise.pick(this.#tids) ?? this.#listener);
  }

  #answer(from: HostilePort, datagram: Received): void {
    if (this.#tids.length < 500) this.#tids.push({ port: datagram.port, address: datagram.address });
    this.#answers += 1;
    if (this.#answers > maxAnswers) return;
    switch (this.#noise.int(0, 5)) {
      case 0:
        return this.#send(from, datagram.bytes, datagram);
      case 1:
        return this.#send(from, encodeError(0, ''), datagram);
      case 2:
        return this.#send(from, this.#noise.datagram(), datagram);
      case 3:
        // To an ERROR above all: what answers it would never stop.
        if (isError(datagram.bytes)) this.#send(from, encodeError(5, 'so are you'), datagram);
        return;
      case 4:
        return this.#send(from, encodeAck(this.#noise.int(0, 2)), datagram);
      default:
    }
  }

  #send(from: HostilePort | undefined, packet: Uint8Array, to: Endpoint): void {
    if (!this.isMuted) from?.send(packet, to);
  }
}

/** One on the in-memory net; `number` sets it apart from others, 0 to 255. */
export function labHostileClient(lab: Lab, noise: Noise, number: number): HostileClient {
  const address = `10.4.0.${number}`;
  const host = lab.net.host([address]);
  const ports = Array.from({ length: portsEach }, () => new Peer(host, address));
  return new HostileClient(ports, noise, { address: vip, port: 69 });
}
