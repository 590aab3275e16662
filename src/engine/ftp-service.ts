/**
 * One FTP service: takes what connects to its listeners, refuses what is too much with 421, and keeps the sessions of
 * the others.
 */
import { encodeAnswer } from '../ftp/replies.ts';
import { parseUserMap, type UserMap } from '../ftp/user-map.ts';
import { type Endpoint, formatEndpoint, type Net } from '../net/net.ts';
import type { TcpSocket } from '../net/tcp.ts';
import type { Emit, RejectReason } from '../observe/events.ts';
import { Departures } from './departures.ts';
import type { EngineParts } from './engine.ts';
import { FtpListeners } from './ftp-listeners.ts';
import { FtpRelayedSession } from './ftp-relayed-session.ts';
import type { CreateFtpMachine, FtpSessionHost } from './ftp-session-host.ts';
import { Gate, type GateReason } from './gate.ts';
import { PassivePool } from './passive-pool.ts';
import { PassivePorts } from './passive-ports.ts';
import { ServiceBackends } from './service-backends.ts';
import type { FtpService } from './snapshot.ts';
import type { TimerWheel } from './timer-wheel.ts';

type Refusal = GateReason | Extract<RejectReason, 'max-sessions' | 'max-sessions-per-client' | 'draining'>;

/** Milliseconds that clients have to read their last reply when the service stops. */
const stopTime = 1_000;

const tooOften = { code: 421, text: 'Too many connections in a short time, try again later.' };

const refusals: Readonly<Record<Refusal, Uint8Array>> = {
  'denied-address': encodeAnswer({ code: 421, text: 'Service not available to your address.' }),
  'rate-per-client': encodeAnswer(tooOften),
  'rate-per-prefix': encodeAnswer(tooOften),
  'max-sessions': encodeAnswer({ code: 421, text: 'Too many connections, try again later.' }),
  'max-sessions-per-client': encodeAnswer({
    code: 421,
    text: 'Too many connections from your address, try again later.',
  }),
  draining: encodeAnswer({ code: 421, text: 'Service not available, closing control connection.' }),
};

export class FtpServiceEngine implements FtpSessionHost {
  readonly net: Net;
  readonly wheel: TimerWheel;
  readonly departures: Departures;
  readonly backends: ServiceBackends;
  readonly emit: Emit;
  readonly createMachine: CreateFtpMachine;
  readonly #worker: number;
  /** To a clock that all workers share. */
  readonly #epoch: number;
  readonly #listeners: FtpListeners;
  readonly #sessions = new Set<FtpRelayedSession>();
  /** Sessions by client address. */
  readonly #perClient = new Map<string, number>();
  #service: FtpService;
  #gate: Gate;
  #users: UserMap | undefined;
  #pool: PassivePool;
  #ports: PassivePorts;
  #isDraining = false;

  constructor(parts: EngineParts, service: FtpService, wheel: TimerWheel, createMachine: CreateFtpMachine) {
    this.net = parts.net;
    this.wheel = wheel;
    this.emit = parts.emit;
    this.createMachine = createMachine;
    this.#worker = parts.worker;
    this.departures = new Departures(parts.net, wheel);
    this.#epoch = parts.epoch ?? 0;
    this.backends = new ServiceBackends(parts, service, wheel);
    this.#service = service;
    this.#gate = new Gate(service.access, service.rates);
    this.#users = usersOf(service);
    this.#pool = new PassivePool(service.passivePool, parts.worker);
    this.#ports = new PassivePorts(parts.net, this.#pool);
    this.#listeners = new FtpListeners({
      net: parts.net,
      service: service.name,
      emit: parts.emit,
      onConnection: (socket) => this.#onConnection(socket),
      farewell: refusals['max-sessions'],
      onLost: (listener) => this.#emitReject('no-resources', '', listener),
    });
  }

  get service(): FtpService {
    return this.#service;
  }

  get users(): UserMap | undefined {
    return this.#users;
  }

  get ports(): PassivePorts {
    return this.#ports;
  }

  get endpoints(): readonly Endpoint[] {
    return this.#listeners.endpoints;
  }

  /** Rejects with NetError; `stop` closes what is open then. */
  start(): Promise<void> {
    return this.#listeners.open(this.#service.listeners);
  }

  /** Closes the listeners that `service` does not have any longer. */
  release(service: FtpService): void {
    this.#listeners.release(service.listeners);
  }

  /** Resolves when its new listeners are open, as far as they can be had. All else is done when this returns. */
  update(service: FtpService): Promise<void> {
    this.backends.update(service);
    this.#gate = new Gate(service.access, service.rates);
    if (service.userMap !== this.#service.userMap) this.#users = usersOf(service);
    this.#service = service;
    this.#replacePool(service);
    return this.#listeners.update(service.listeners);
  }

  /** The service is gone: its sessions go on until they end by themselves. */
  retire(): void {
    this.#isDraining = true;
    this.#listeners.close();
    this.backends.update({ ...this.#service, pool: { backends: [] } });
  }

  /** Another process listens: sessions go on as ever, those that have no backend yet included. */
  leave(): void {
    this.#listeners.close();
  }

  get hasSessions(): boolean {
    return this.#sessions.size > 0;
  }

  /** Ports that clients have been told already stay those of the old one. */
  #replacePool(service: FtpService): void {
    // The memory of each snapshot is a copy that means the same bytes, so it does not show what has changed.
    const { passivePorts: range } = service.data;
    const { range: old } = this.#pool;
    if (range?.first === old?.first && range?.last === old?.last) return;
    this.#pool = new PassivePool(service.passivePool, this.#worker);
    this.#ports = new PassivePorts(this.net, this.#pool);
  }

  drain(): void {
    this.#isDraining = true;
    this.#listeners.close();
    for (const session of this.#sessions) session.drain();
  }

  async stop(): Promise<void> {
    this.#isDraining = true;
    this.#listeners.close();
    for (const session of this.#sessions) session.shutdown();
    await this.departures.settle(stopTime);
  }

  onEnded(session: FtpRelayedSession): void {
    this.#sessions.delete(session);
    const { clientAddress } = session;
    const left = (this.#perClient.get(clientAddress) ?? 1) - 1;
    if (left > 0) this.#perClient.set(clientAddress, left);
    else this.#perClient.delete(clientAddress);
  }

  #onConnection(socket: TcpSocket): void {
    const { address, port } = socket.remote;
    const refusal = this.#refusalOf(address);
    if (refusal) {
      socket.write(refusals[refusal]);
      this.departures.add(socket);
      this.#emitReject(refusal, formatEndpoint(address, port), socket.local);
      return;
    }
    const session = new FtpRelayedSession(this, socket);
    this.#sessions.add(session);
    this.#perClient.set(address, (this.#perClient.get(address) ?? 0) + 1);
    this.emit({ kind: 'ftp.session.start', service: this.#service.name });
    session.start();
  }

  #refusalOf(address: string): Refusal | undefined {
    const { total, perClient } = this.#service.limits;
    if (this.#isDraining) return 'draining';
    const turnedAway = this.#gate.refusalOf(address, this.net.now() + this.#epoch);
    if (turnedAway) return turnedAway;
    if (total > 0 && this.backends.active >= total) return 'max-sessions';
    const isTooMuch = perClient > 0 && (this.#perClient.get(address) ?? 0) >= perClient;
    return isTooMuch ? 'max-sessions-per-client' : undefined;
  }

  #emitReject(reason: RejectReason, client: string, vip: Endpoint): void {
    this.emit({
      kind: 'session.reject',
      service: this.#service.name,
      client,
      vip: formatEndpoint(vip.address, vip.port),
      reason,
    });
  }
}

function usersOf({ userMap }: FtpService): UserMap | undefined {
  return userMap === undefined ? undefined : parseUserMap(userMap);
}
