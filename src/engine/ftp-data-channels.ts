/**
 * The data connections of one session, by their generation: how each leg is opened, who may be at its other end, and
 * the relay between the two.
 *
 *   client's leg    listen   on the address that its control connection reached, for the control peer's address alone
 *                   connect  from that address, source port 20 if it is to be had
 *   backend's leg   listen   on the address that our control connection has, for the backend's address alone
 *                   connect  to the address of its control connection, or to the one that the machine names
 */
import type { BackendDataAddress, DataAddress, Direction, FtpInputs, RelayOutcome } from '../ftp/effects.ts';
import { type Endpoint, NetError } from '../net/net.ts';
import type { TcpSocket } from '../net/tcp.ts';
import type { TlsFacts, TlsSession } from '../net/tls.ts';
import type { FtpDataRefusal } from '../observe/events.ts';
import { DataLeg, type DataLegEvent } from './data-leg.ts';
import { type DataLink, type DataRelay, StreamRelay } from './data-relay.ts';
import type { FtpSessionHost } from './ftp-session-host.ts';
import { isInNetwork } from './network.ts';
import type { DataRules } from './snapshot.ts';

/** Both ends of a control connection. */
export interface ControlEnds {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** What the other end has connected to, where that was not `local` itself but a proxy in front of it. */
  readonly reached?: Endpoint;
}

/** What the channels need of their session. */
export interface DataChannelsOwner {
  readonly clientEnds: ControlEnds;
  /** Undefined before a backend was found; then no data connection is asked for. */
  readonly backendEnds: ControlEnds | undefined;
  /** What data connections of a leg resume; undefined for one in clear. */
  tlsOf(leg: Side): TlsSession | undefined;
  tell(input: (machine: FtpInputs, now: number) => void): void;
  onDataBytes(direction: Direction, count: number): void;
  onDataSecure(leg: Side, facts: TlsFacts): void;
  /** An open one broke, and there is more to it than a reset. */
  onDataFault(leg: Side, error: NetError): void;
  onDataRefused(leg: Side, reason: FtpDataRefusal, peer?: Endpoint): void;
}

type Side = 'client' | 'backend';

interface Channel {
  client: DataLeg | undefined;
  backend: DataLeg | undefined;
  relay: DataRelay | undefined;
}

/** RFC 959 section 3.2: the port next to that of the control connection. */
const sourcePort = 20;
const backlog = 8;

export class FtpDataChannels {
  readonly #host: FtpSessionHost;
  readonly #owner: DataChannelsOwner;
  readonly #channels = new Map<number, Channel>();
  readonly #isProtected: Record<Side, boolean> = { client: false, backend: false };

  constructor(host: FtpSessionHost, owner: DataChannelsOwner) {
    this.#host = host;
    this.#owner = owner;
  }

  protectData(leg: Side, isProtected: boolean): void {
    this.#isProtected[leg] = isProtected;
  }

  listenForClient(generation: number, form: 'pasv' | 'epsv'): void {
    const { ports, service } = this.#host;
    const { local, remote, reached = local } = this.#owner.clientEnds;
    const address =
      (form === 'pasv' && advertisedTo(remote.address, service.data)) || withoutZone(reached.address);
    const leg = this.#openLeg(generation, 'client', (event) => this.#tellClient(generation, address, event));
    void leg.listen((handlers) => ports.listen(local.address, handlers), remote.address);
  }

  connectToClient(generation: number, to: DataAddress): void {
    const leg = this.#openLeg(generation, 'client', (event) => this.#tellClient(generation, '', event));
    void leg.connect((signal) => this.#dialClient(to, signal));
  }

  listenForBackend(generation: number): void {
    const ends = this.#owner.backendEnds;
    if (!ends) return;
    const { address } = ends.local;
    const leg = this.#openLeg(generation, 'backend', (event) =>
      this.#tellBackend(generation, withoutZone(address), event),
    );
    const binding = { address, port: 0, backlog };
    void leg.listen((handlers) => this.#host.net.listenTcp(binding, handlers), ends.remote.address);
  }

  connectToBackend(generation: number, to: BackendDataAddress): void {
    const ends = this.#owner.backendEnds;
    if (!ends) return;
    const leg = this.#openLeg(generation, 'backend', (event) => this.#tellBackend(generation, '', event));
    const target = { address: to.address ?? ends.remote.address, port: to.port };
    void leg.connect((signal) => this.#dial(target, undefined, signal));
  }

  dropBackendLeg(generation: number): void {
    const channel = this.#channels.get(generation);
    channel?.backend?.close();
    if (channel) channel.backend = undefined;
  }

  startRelay(generation: number, direction: Direction): void {
    const channel = this.#channels.get(generation);
    if (!channel?.client?.isOpen || !channel.backend?.isOpen) return;
    const client = this.#take(channel.client, 'client', direction);
    const backend = this.#take(channel.backend, 'backend', direction);
    if (client && backend) this.#relay(generation, channel, { client, backend, direction });
  }

  /** Returns the payload that was relayed. */
  abortData(generation: number): number {
    const channel = this.#channels.get(generation);
    if (!channel) return 0;
    this.#channels.delete(generation);
    channel.client?.close();
    channel.backend?.close();
    channel.relay?.abort();
    return channel.relay?.bytes ?? 0;
  }

  close(): void {
    for (const generation of this.#channels.keys()) this.abortData(generation);
  }

  /** A connection that only receives may end as it likes: what it was sent is what counts. */
  #take(leg: DataLeg, side: Side, direction: Direction): DataLink | undefined {
    const link = leg.take();
    const session = leg.isProtected ? this.#owner.tlsOf(side) : undefined;
    if (link === undefined || session === undefined) return link;
    const isSource = (side === 'client') === (direction === 'upload');
    const socket = session.secure(link.socket, {
      channel: 'data',
      use: isSource ? 'read' : 'write',
      // Many begin it only when the server has said 150, which may take its time.
      handshakeTimeout: this.#host.service.timing.stall,
      onSecure: (facts) => this.#owner.onDataSecure(side, facts),
    });
    return { socket, early: undefined, isEnded: false };
  }

  #relay(
    generation: number,
    channel: Channel,
    pair: { readonly client: DataLink; readonly backend: DataLink; readonly direction: Direction },
  ): void {
    const { net, service, departures } = this.#host;
    const relay = new StreamRelay(net, pair, {
      stallTimeout: service.timing.stall,
      onBytes: (count) => this.#owner.onDataBytes(pair.direction, count),
      onFault: (leg, error) => this.#owner.onDataFault(leg, error),
      dismiss: (socket) => departures.add(socket),
      breakLater: (socket) => departures.breakLater(socket),
    });
    channel.relay = relay;
    void relay.done.then((outcome) => this.#onRelayDone(generation, channel, outcome));
  }

  #onRelayDone(generation: number, channel: Channel, outcome: RelayOutcome): void {
    if (this.#channels.get(generation) !== channel) return;
    this.#channels.delete(generation);
    this.#owner.tell((machine, now) => machine.onRelayDone(generation, outcome, now));
  }

  #openLeg(generation: number, side: Side, tell: (event: DataLegEvent) => void): DataLeg {
    const channel = this.#channels.get(generation) ?? {
      client: undefined,
      backend: undefined,
      relay: undefined,
    };
    this.#channels.set(generation, channel);
    const leg = new DataLeg(this.#isProtected[side], (event) => {
      this.#report(side, event);
      tell(event);
    });
    channel[side] = leg;
    return leg;
  }

  #report(side: Side, event: DataLegEvent): void {
    if (event.kind === 'stranger') this.#owner.onDataRefused(side, 'foreign-peer', event.peer);
    if (event.kind === 'failed' || event.kind === 'listen-failed') {
      this.#owner.onDataRefused(side, event.failure);
    }
  }

  #tellClient(generation: number, address: string, event: DataLegEvent): void {
    this.#owner.tell((machine, now) => {
      switch (event.kind) {
        case 'listening':
          return machine.onClientListening(generation, { address, port: event.port }, now);
        case 'listen-failed':
          return machine.onClientListenFailed(generation, event.failure, now);
        case 'open':
          return machine.onClientDataOpen(generation, now);
        case 'failed':
          return machine.onClientDataFailed(generation, event.failure, now);
        case 'stranger':
      }
    });
  }

  #tellBackend(generation: number, address: string, event: DataLegEvent): void {
    this.#owner.tell((machine, now) => {
      switch (event.kind) {
        case 'listening':
          return machine.onBackendListening(generation, { address, port: event.port }, now);
        case 'listen-failed':
          return machine.onBackendListenFailed(generation, event.failure, now);
        case 'open':
          return machine.onBackendDataOpen(generation, now);
        case 'failed':
          return machine.onBackendDataFailed(generation, event.failure, now);
        case 'stranger':
      }
    });
  }

  /** Port 20 takes a privilege, and only one connection to each address and port of a client. */
  async #dialClient(to: DataAddress, signal: AbortSignal): Promise<TcpSocket> {
    const { address } = this.#owner.clientEnds.local;
    try {
      return await this.#dial(to, { address, port: sourcePort }, signal);
    } catch (error) {
      if (!isPortRefused(error)) throw error;
    }
    return this.#dial(to, { address, port: 0 }, signal);
  }

  #dial(to: Endpoint, from: Endpoint | undefined, signal: AbortSignal): Promise<TcpSocket> {
    const { net, service } = this.#host;
    const timeout = service.timing.dataConnect;
    return net.connectTcp(to, { timeout, signal, ...(from && { from }) });
  }
}

function advertisedTo(client: string, { advertised }: DataRules): string | undefined {
  return advertised.find(({ network }) => network === undefined || isInNetwork(client, network))?.address;
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/, '');
}

function isPortRefused(error: unknown): boolean {
  if (!(error instanceof NetError)) return false;
  return error.code === 'TLB_ERR_PERMISSION' || error.code === 'TLB_ERR_ADDRESS_IN_USE';
}
