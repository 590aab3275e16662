/**
 * A balancer on an in-memory network with scripted clients and backends around it: virtual time, every datagram seen.
 */
import { Scoreboard } from '../../src/balance/scoreboard.ts';
import { TftpEngine } from '../../src/engine/tftp-engine.ts';
import type { Snapshot, TftpService } from '../../src/engine/snapshot.ts';
import type { MemoryHost } from '../../src/net/memory-host.ts';
import { MemoryNet, type MemoryNetOptions } from '../../src/net/memory-net.ts';
import type { UdpSocket } from '../../src/net/net.ts';
import { withOwnTids } from '../../src/net/own-tids.ts';
import { dropReasons, type Event, type EngineEvent, type SessionEnd } from '../../src/observe/events.ts';
import { encodeRequest, Opcode } from '../../src/tftp/packet.ts';

export const vip = '10.0.0.1';

export interface LabOptions extends Partial<MemoryNetOptions> {
  readonly backends?: number;
  readonly service?: Partial<TftpService>;
  readonly vips?: readonly string[];
}

export interface Received {
  readonly bytes: Uint8Array;
  readonly port: number;
  readonly address: string;
}

/** One scripted UDP port that keeps what it receives. */
export class Peer {
  readonly received: Received[] = [];
  readonly socket: UdpSocket;
  onDatagram: ((datagram: Received) => void) | undefined;

  constructor(host: MemoryHost, address: string, port = 0) {
    this.socket = host.bindUdp(
      { address, port },
      {
        onDatagram: (data, port, address) => {
          const datagram = { bytes: new Uint8Array(data), port, address };
          this.received.push(datagram);
          this.onDatagram?.(datagram);
        },
        onError: (error) => {
          throw error;
        },
      },
    );
  }

  get last(): Received {
    const last = this.received.at(-1);
    if (!last) throw new Error('nothing was received');
    return last;
  }

  send(bytes: Uint8Array, to: { port: number; address: string }): void {
    this.socket.send(bytes, to.port, to.address);
  }

  answer(bytes: Uint8Array): void {
    this.send(bytes, this.last);
  }
}

export const labService: Omit<TftpService, 'pool' | 'listeners'> = {
  kind: 'tftp',
  index: 0,
  name: 'tftp',
  policy: 'round-robin',
  tids: { kind: 'ephemeral', ports: undefined },
  requests: {
    readOnly: false,
    maxBlksize: undefined,
    maxWindowsize: undefined,
    stripMulticast: true,
    retryNotFound: false,
    backendAnyAddress: false,
    transparent: false,
  },
  limits: { total: 1_000, perClient: 0, perBackend: 0 },
  timing: { tryInterval: 1_000, idleTimeout: 60_000 },
};

export class Lab {
  readonly net: MemoryNet;
  readonly balancer: MemoryHost;
  readonly scoreboard: Scoreboard;
  readonly engine: TftpEngine;
  readonly events: Event[] = [];
  /** The hosts behind the backends, by their place. */
  readonly backendHosts: MemoryHost[] = [];
  #clients = 0;

  constructor(options: LabOptions = {}) {
    this.net = new MemoryNet({ seed: options.seed ?? 1, ...(options.link && { link: options.link }) });
    this.balancer = this.net.host(options.vips ?? [vip]);
    const count = options.backends ?? 2;
    for (let n = 0; n < count; n++) this.backendHosts.push(this.net.host([backendAddress(n)]));
    this.scoreboard = Scoreboard.create({
      services: 1,
      backends: 16,
      workers: 1,
      reasons: dropReasons.length,
    });
    this.engine = new TftpEngine({
      snapshot: this.snapshot(count, options.service),
      scoreboard: this.scoreboard,
      worker: 0,
      net: withOwnTids(this.balancer),
      emit: (event) => this.events.push(event),
    });
  }

  snapshot(backends: number, service: Partial<TftpService> = {}): Snapshot {
    const pool = {
      backends: Array.from({ length: backends }, (_, index) => ({
        index,
        name: `b${index}`,
        address: backendAddress(index),
        port: 69,
        weight: 1,
      })),
    };
    const listeners = [{ address: vip, port: 69 }];
    return { version: 1, services: [{ ...labService, listeners, pool, ...service }] };
  }

  /** The request port of backend `n`. */
  backend(n: number, port = 69): Peer {
    return new Peer(this.backendHost(n), backendAddress(n), port);
  }

  /** A server's port for one transfer. */
  backendTid(n: number): Peer {
    return this.backend(n, 0);
  }

  backendHost(n: number): MemoryHost {
    const host = this.backendHosts[n];
    if (!host) throw new Error(`no backend ${n}`);
    return host;
  }

  /** A client on a host of its own. */
  client(port = 0): Peer {
    this.#clients += 1;
    const address = `10.2.${this.#clients >> 8}.${this.#clients & 255}`;
    return new Peer(this.net.host([address]), address, port);
  }

  read(client: Peer, file: string, options: Record<string, string> = {}): void {
    client.send(encodeRequest(Opcode.rrq, file, 'octet', options), { address: vip, port: 69 });
    this.settle();
  }

  write(client: Peer, file: string, options: Record<string, string> = {}): void {
    client.send(encodeRequest(Opcode.wrq, file, 'octet', options), { address: vip, port: 69 });
    this.settle();
  }

  /** Lets everything arrive that is on its way. */
  settle(): void {
    this.net.advance(5);
  }

  of<K extends EngineEvent['kind']>(kind: K): Extract<EngineEvent, { kind: K }>[] {
    return this.events.filter((event): event is Extract<EngineEvent, { kind: K }> => event.kind === kind);
  }

  get ends(): SessionEnd[] {
    return this.of('session.end');
  }

  drops(reason: (typeof dropReasons)[number]): number {
    return this.scoreboard.drops(0, dropReasons.indexOf(reason));
  }
}

export function backendAddress(n: number): string {
  return `10.1.0.${n + 1}`;
}
