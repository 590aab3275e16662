import { afterEach, beforeEach } from 'vitest';
import { NetError, type Endpoint, type Net } from '../../src/net/net.ts';
import type {
  ConnectOptions,
  TcpBinding,
  TcpEnd,
  TcpHandlers,
  TcpListener,
  TcpSocket,
} from '../../src/net/tcp.ts';

/** One host that talks to itself. */
export interface TcpWorld {
  readonly net: Net;
  /** Lets time pass until `condition` holds, and fails if it never does. */
  until(condition: () => boolean): Promise<void>;
  /** Lets time pass until `work` is settled. */
  settle<T>(work: Promise<T>): Promise<T>;
  /** Listeners and connections that are open on this host. */
  openSockets(): number;
  /** Whether the peer's end is proven to be its own, so that a reset behind it takes nothing away; not if left out. */
  readonly isEndProven?: boolean;
}

/** Handlers that write down what they hear, then do `afterData`. */
export class TcpEar implements TcpHandlers {
  readonly chunks: Uint8Array[] = [];
  /** Everything but data, in order. */
  readonly events: string[] = [];
  readonly errors: (NetError | undefined)[] = [];
  readonly #afterData: (data: Uint8Array) => void;

  constructor(afterData: (data: Uint8Array) => void = () => undefined) {
    this.#afterData = afterData;
  }

  get data(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  get length(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  get isClosed(): boolean {
    return this.events.some((event) => event.startsWith('close'));
  }

  onData(data: Uint8Array): void {
    this.chunks.push(data);
    this.#afterData(data);
  }

  onEnd(): void {
    this.events.push('end');
  }

  onDrain(): void {
    this.events.push('drain');
  }

  onClose(end: TcpEnd, error?: NetError): void {
    this.events.push(`close ${end}`);
    this.errors.push(error);
  }
}

export interface Heard {
  readonly socket: TcpSocket;
  readonly ear: TcpEar;
}

/** Both ends of one connection. */
export interface Pair {
  readonly client: Heard;
  readonly server: Heard;
}

export interface Listening {
  readonly listener: TcpListener;
  /** The ends that were accepted, without handlers. */
  readonly accepted: TcpSocket[];
  readonly errors: NetError[];
}

/** A world, the addresses of one family in it, and sockets that are closed when the test is over. */
export class TcpScene {
  readonly net: Net;
  readonly until: TcpWorld['until'];
  readonly settle: TcpWorld['settle'];
  readonly openSockets: TcpWorld['openSockets'];
  readonly isEndProven: boolean;
  readonly family: 4 | 6;
  readonly loopback: string;
  readonly wildcard: string;
  readonly otherLoopback: string;
  readonly otherWildcard: string;
  /** An address that the host does not have. */
  readonly foreign: string;
  readonly #closers: (() => void)[] = [];

  constructor(world: TcpWorld, family: 4 | 6) {
    this.net = world.net;
    this.until = (condition) => world.until(condition);
    this.settle = (work) => world.settle(work);
    this.openSockets = () => world.openSockets();
    this.isEndProven = world.isEndProven ?? false;
    this.family = family;
    [this.loopback, this.otherLoopback] = family === 4 ? ['127.0.0.1', '::1'] : ['::1', '127.0.0.1'];
    [this.wildcard, this.otherWildcard] = family === 4 ? ['0.0.0.0', '::'] : ['::', '0.0.0.0'];
    this.foreign = family === 4 ? '198.51.100.7' : '2001:db8::7';
  }

  /** Where nothing else is asked for, on a free port of the loopback address. */
  readonly listen = async (
    asked: Partial<TcpBinding> & { readonly onConnection?: (socket: TcpSocket) => void } = {},
  ): Promise<Listening> => {
    const { onConnection = () => undefined, ...at } = asked;
    const accepted: TcpSocket[] = [];
    const errors: NetError[] = [];
    const listener = await this.settle(
      this.net.listenTcp(
        { address: this.loopback, port: 0, ...at },
        {
          onConnection: (socket) => {
            accepted.push(socket);
            this.#closers.push(() => socket.reset());
            onConnection(socket);
          },
          onError: (error) => errors.push(error),
        },
      ),
    );
    this.#closers.push(() => listener.close());
    return { listener, accepted, errors };
  };

  readonly connect = async (to: Endpoint, options: Partial<ConnectOptions> = {}): Promise<TcpSocket> => {
    const { address, port } = to;
    const socket = await this.settle(this.net.connectTcp({ address, port }, { timeout: 10_000, ...options }));
    this.#closers.push(() => socket.reset());
    return socket;
  };

  /** A connection whose ends have `clientEar` and `serverEar`, or no handlers where that is undefined. */
  readonly pair = async (
    clientEar: TcpEar | undefined = new TcpEar(),
    serverEar: TcpEar | undefined = new TcpEar(),
  ): Promise<Pair> => {
    const pair = await this.quietPair();
    pair.client.handle(clientEar);
    pair.server.handle(serverEar);
    return {
      client: { socket: pair.client, ear: clientEar },
      server: { socket: pair.server, ear: serverEar },
    };
  };

  /** Both ends of a connection, without handlers. */
  readonly quietPair = async (): Promise<{ client: TcpSocket; server: TcpSocket }> => {
    const { listener, accepted } = await this.listen();
    const client = await this.connect(listener);
    await this.until(() => accepted.length === 1);
    listener.close();
    const [server] = accepted;
    if (server === undefined) throw new Error('nothing was accepted');
    return { client, server };
  };

  /** A port of the loopback address that nobody listens on. */
  readonly deadEndpoint = async (): Promise<Endpoint> => {
    const { listener } = await this.listen();
    listener.close();
    return { address: listener.address, port: listener.port };
  };

  end(): void {
    for (const close of this.#closers) close();
  }
}

/** Gives each test of the surrounding suite a scene of its own, and fails it if it leaves anything open. */
export function useTcpScene(createWorld: () => TcpWorld, family: 4 | 6): () => TcpScene {
  let scene: TcpScene;
  let openBefore = 0;
  beforeEach(() => {
    scene = new TcpScene(createWorld(), family);
    openBefore = scene.openSockets();
  });
  afterEach(async () => {
    scene.end();
    await scene.until(() => scene.openSockets() === openBefore);
  });
  return () => scene;
}

export const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** The code of the NetError that `work` rejects with, or what happened instead. */
export async function rejectionOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return error instanceof NetError ? error.code : String(error);
  }
  return 'no error';
}
