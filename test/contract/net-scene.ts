import { afterEach, beforeEach } from 'vitest';
import {
  NetError,
  type Endpoint,
  type Net,
  type TidHandlers,
  type TidSocket,
  type UdpBinding,
  type UdpSocket,
} from '../../src/net/net.ts';

/** One host that talks to itself. */
export interface NetWorld {
  readonly net: Net;
  /** Lets time pass until `condition` holds, and fails if it never does. */
  until(condition: () => boolean): Promise<void>;
}

interface Datagram {
  readonly data: string;
  readonly from: Endpoint;
}

/** Handlers that write down what they hear, then do `afterDatagram`. */
export class Ear implements TidHandlers {
  readonly datagrams: Datagram[] = [];
  readonly errors: NetError[] = [];
  refusals = 0;
  readonly #afterDatagram: (data: Uint8Array, port: number, address: string) => void;

  constructor(afterDatagram: (data: Uint8Array, port: number, address: string) => void = () => undefined) {
    this.#afterDatagram = afterDatagram;
  }

  get data(): string[] {
    return this.datagrams.map((datagram) => datagram.data);
  }

  onDatagram(data: Uint8Array, port: number, address: string): void {
    this.datagrams.push({ data: Buffer.from(data).toString('latin1'), from: { address, port } });
    this.#afterDatagram(data, port, address);
  }

  onError(error: NetError): void {
    this.errors.push(error);
  }

  onRefused(): void {
    this.refusals++;
  }
}

interface Heard<Socket> {
  readonly socket: Socket;
  readonly ear: Ear;
}

interface BindOptions extends Partial<UdpBinding> {
  readonly ear?: Ear;
}

/** A world, the addresses of one family in it, and sockets that are closed when the test is over. */
export class NetScene {
  readonly net: Net;
  readonly until: NetWorld['until'];
  readonly family: 4 | 6;
  readonly loopback: string;
  readonly wildcard: string;
  /** An address that the host does not have. */
  readonly foreign: string;
  readonly otherLoopback: string;
  readonly otherWildcard: string;
  /** Payload of the longest datagram: 65535 bytes less both headers; IPv6 does not count its own. */
  readonly longest: number;
  readonly #closers: (() => void)[] = [];

  constructor(world: NetWorld, family: 4 | 6) {
    this.net = world.net;
    this.until = (condition) => world.until(condition);
    this.family = family;
    [this.loopback, this.otherLoopback] = family === 4 ? ['127.0.0.1', '::1'] : ['::1', '127.0.0.1'];
    [this.wildcard, this.otherWildcard] = family === 4 ? ['0.0.0.0', '::'] : ['::', '0.0.0.0'];
    this.foreign = family === 4 ? '198.51.100.7' : '2001:db8::7';
    this.longest = family === 4 ? 65_507 : 65_527;
  }

  /** Where nothing else is asked for, on a free port of the loopback address. */
  readonly bind = ({ ear = new Ear(), ...asked }: BindOptions = {}): Heard<UdpSocket> => {
    const socket = this.net.bindUdp({ address: this.loopback, port: 0, ...asked }, ear);
    this.#closers.push(() => socket.close());
    return { socket, ear };
  };

  readonly openTid = (peer: Endpoint): Heard<TidSocket> => {
    const ear = new Ear();
    const socket = this.net.openTid(peer, ear);
    this.#closers.push(() => socket.close());
    return { socket, ear };
  };

  /** A port of the loopback address that nobody listens on. */
  readonly deadEndpoint = (): Endpoint => {
    const { socket } = this.bind();
    socket.close();
    return { address: this.loopback, port: socket.port };
  };

  end(): void {
    for (const close of this.#closers) close();
  }
}

/** Gives each test of the surrounding suite a scene of its own. */
export function useScene(createWorld: () => NetWorld, family: 4 | 6): () => NetScene {
  let scene: NetScene;
  beforeEach(() => {
    scene = new NetScene(createWorld(), family);
  });
  afterEach(() => scene.end());
  return () => scene;
}

export const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** The code of the NetError that `act` throws, or what happened instead. */
export function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return error instanceof NetError ? error.code : String(error);
  }
  return 'no error';
}
