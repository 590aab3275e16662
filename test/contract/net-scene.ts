import { afterEach, beforeEach } from 'vitest';
import {
  NetError,
  type Clock,
  type Endpoint,
  type Net,
  type TidHandlers,
  type TidSocket,
  type UdpBinding,
  type UdpSocket,
} from '../../src/net/net.ts';

/** What nets of all kinds can do. */
export type AnyNet = Clock & Pick<Net, 'bindUdp' | 'localAddresses' | 'mtuOf' | 'random'>;

/** One host that talks to itself. */
export interface World<Kind extends AnyNet> {
  readonly net: Kind;
  /** Lets time pass until `condition` holds, and fails if it never does. */
  until(condition: () => boolean): Promise<void>;
  /** Called when all sockets are closed. */
  close?(): void;
}

export type NetWorld = World<Net>;

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

export interface Heard<Socket> {
  readonly socket: Socket;
  readonly ear: Ear;
}

interface BindOptions extends Partial<UdpBinding> {
  readonly ear?: Ear;
}

/** A world, the addresses of one family in it, and sockets that are closed when the test is over. */
export class UdpScene<Kind extends AnyNet = AnyNet> {
  readonly net: Kind;
  readonly until: (condition: () => boolean) => Promise<void>;
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
  readonly #world: World<Kind>;

  constructor(world: World<Kind>, family: 4 | 6) {
    this.net = world.net;
    this.#world = world;
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
    this.atEnd(() => socket.close());
    return { socket, ear };
  };

  /** A port of the loopback address that nobody listens on. */
  readonly deadEndpoint = (): Endpoint => {
    const { socket } = this.bind();
    socket.close();
    return { address: this.loopback, port: socket.port };
  };

  atEnd(close: () => void): void {
    this.#closers.push(close);
  }

  end(): void {
    for (const close of this.#closers) close();
    this.#world.close?.();
  }
}

/** Of a net that opens one TID at a time. */
export class NetScene extends UdpScene<Net> {
  readonly openTid = (peer: Endpoint): Heard<TidSocket> => {
    const ear = new Ear();
    const socket = this.net.openTid(peer, ear);
    this.atEnd(() => socket.close());
    return { socket, ear };
  };
}

/** Gives each test of the surrounding suite a scene of its own. */
export function useScene<Scene extends { end(): void }>(create: () => Scene): () => Scene {
  let scene: Scene;
  beforeEach(() => {
    scene = create();
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
