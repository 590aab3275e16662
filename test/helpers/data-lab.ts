/** Two connections of a data relay on an in-memory network: the client's, the balancer's two ends, the backend's. */
import { type DataLink, type RelayOptions, StreamRelay } from '../../src/engine/data-relay.ts';
import type { Direction, RelayOutcome } from '../../src/ftp/effects.ts';
import type { MemoryHost } from '../../src/net/memory-host.ts';
import { MemoryNet, type MemoryNetOptions } from '../../src/net/memory-net.ts';
import type { TcpSocket } from '../../src/net/tcp.ts';
import { TcpEar } from '../contract/net-tcp-scene.ts';
import { pass } from './virtual-time.ts';

export const stallTimeout = 300_000;

/** The far end of a leg, and what it hears. */
export interface Far {
  readonly socket: TcpSocket;
  readonly ear: TcpEar;
}

interface Leg {
  readonly far: Far;
  readonly near: TcpSocket;
}

export class DataLab {
  readonly net: MemoryNet;
  readonly direction: Direction;
  readonly source: Far;
  readonly target: Far;
  /** The relay's ends. */
  readonly toSource: TcpSocket;
  readonly toTarget: TcpSocket;
  readonly relay: StreamRelay;
  readonly dismissed: TcpSocket[] = [];
  outcome: RelayOutcome | undefined;
  /** As told by onBytes. */
  counted = 0;

  constructor(net: MemoryNet, direction: Direction, client: Leg, backend: Leg, early: Early) {
    const [source, target] = direction === 'download' ? [backend, client] : [client, backend];
    this.net = net;
    this.direction = direction;
    this.source = source.far;
    this.target = target.far;
    this.toSource = source.near;
    this.toTarget = target.near;
    const options: RelayOptions = {
      stallTimeout,
      onBytes: (count) => (this.counted += count),
      onFault: () => undefined,
      dismiss: (socket) => {
        this.dismissed.push(socket);
        socket.handle(new TcpEar());
        socket.end();
      },
      breakLater: (socket) => {
        socket.handle(new TcpEar());
        net.setTimer(250, () => socket.reset());
      },
    };
    const link = (leg: Leg, said: Partial<DataLink> = {}): DataLink => {
      if (said.early) leg.near.pause();
      return { socket: leg.near, early: undefined, isEnded: false, ...said };
    };
    const [from, to] = [link(source, early.source), link(target, early.target)];
    const pair = direction === 'download' ? { client: to, backend: from } : { client: from, backend: to };
    this.relay = new StreamRelay(net, { ...pair, direction }, options);
    void this.relay.done.then((outcome) => (this.outcome = outcome));
  }

  get ofSource(): string {
    return this.direction === 'download' ? 'backend-reset' : 'client-reset';
  }

  get ofTarget(): string {
    return this.direction === 'download' ? 'client-reset' : 'backend-reset';
  }

  pass(milliseconds: number): Promise<void> {
    return pass(this.net, milliseconds);
  }
}

interface Early {
  readonly source?: Partial<DataLink>;
  readonly target?: Partial<DataLink>;
}

export interface DataLabOptions extends Partial<MemoryNetOptions> {
  readonly early?: Early;
}

export async function openDataLab(direction: Direction, options: DataLabOptions = {}): Promise<DataLab> {
  const net = new MemoryNet({ seed: 1, ...options });
  const balancer = net.host(['10.0.0.1']);
  const legs = [];
  for (const address of ['10.2.0.1', '10.1.0.1'])
    legs.push(await openLeg(net, net.host([address]), balancer));
  const [client, backend] = legs;
  if (!client || !backend) throw new Error('no legs');
  return new DataLab(net, direction, client, backend, options.early ?? {});
}

async function openLeg(net: MemoryNet, far: MemoryHost, balancer: MemoryHost): Promise<Leg> {
  const { promise, resolve } = Promise.withResolvers<TcpSocket>();
  const handlers = { onConnection: resolve, onError: () => undefined };
  const listener = await balancer.listenTcp({ address: '10.0.0.1', port: 0 }, handlers);
  const socket = await net.play(far.connectTcp(listener, { timeout: 1_000 }));
  const near = await net.play(promise);
  listener.close();
  const ear = new TcpEar();
  socket.handle(ear);
  return { far: { socket, ear }, near };
}
