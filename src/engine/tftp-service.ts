/**
 * One TFTP service: takes what arrives at its listeners, decides whether it opens a session, belongs to one or is
 * refused, and keeps the tables by which sessions are found and limited.
 */
import type { Backend } from '../balance/pool.ts';
import type { ScoreWriter } from '../balance/scoreboard.ts';
import { formatEndpoint, NetError, type UdpSocket } from '../net/net.ts';
import type { BackendTids, TidNet } from '../net/tids.ts';
import { type DropReason, dropReasons, type Emit, type RejectReason } from '../observe/events.ts';
import {
  encodeError,
  ErrorCode,
  isError,
  latin1,
  Opcode,
  opcodeOf,
  transferOpcodeOf,
} from '../tftp/packet.ts';
import type { EngineParts } from './engine.ts';
import { ErrorThrottle } from './error-throttle.ts';
import { FileFilter } from './file-filter.ts';
import { Gate } from './gate.ts';
import { type Listener, type ListenerHandlers, ListenerSet } from './listeners.ts';
import { isSilent } from './refusals.ts';
import { RelayedSession } from './relayed-session.ts';
import { admit, type FileTraffic } from './request-rules.ts';
import { RouteTable } from './routes.ts';
import { BackendPlaces, type SavedService } from './saved-relay.ts';
import { type Place, ServiceBackends } from './service-backends.ts';
import type { SessionHost } from './session-host.ts';
import type { SessionOpening } from './session-opening.ts';
import type { TftpService } from './snapshot.ts';
import type { TimerWheel } from './timer-wheel.ts';
import { isShortage } from './tries.ts';

const unknownTid = encodeError(ErrorCode.unknownTid, 'unknown transfer ID');
const unknownHere = encodeError(ErrorCode.unknownTid, 'no transfer is known here');
const malformed = encodeError(ErrorCode.illegalOperation, 'not a TFTP packet');
const tooMany = encodeError(ErrorCode.notDefined, 'too many transfers, try again later');
const notYou = encodeError(ErrorCode.accessViolation, 'not allowed');
const tooOften = encodeError(ErrorCode.notDefined, 'too many requests, try again later');
const nobody = encodeError(ErrorCode.notDefined, 'no server is available, try again later');

export class TftpServiceEngine implements SessionHost {
  readonly net: TidNet;
  readonly tids: BackendTids;
  readonly wheel: TimerWheel;
  readonly throttle: ErrorThrottle = new ErrorThrottle();
  readonly emit: Emit;
  readonly backends: ServiceBackends;
  readonly #writer: ScoreWriter;
  readonly #workers: number;
  /** To a clock that all workers share. */
  readonly #epoch: number;
  readonly #listeners: ListenerSet;
  readonly #sessions = new Set<RelayedSession>();
  /** Sessions that have ended and only listen for late packets, the oldest first. */
  readonly #ended = new Set<RelayedSession>();
  /** Active sessions by client address. */
  readonly #perClient = new Map<string, number>();
  #service: TftpService;
  #gate: Gate;
  #traffic: FileTraffic;
  #isDraining = false;
  #isRetired = false;

  constructor(parts: EngineParts<TidNet>, service: TftpService, wheel: TimerWheel) {
    this.net = parts.net;
    this.emit = parts.emit;
    this.wheel = wheel;
    this.#writer = parts.scoreboard.writer(parts.worker);
    this.#workers = parts.scoreboard.size.workers;
    this.#epoch = parts.epoch ?? 0;
    this.#service = service;
    this.#gate = new Gate(service.access, service.rates);
    this.#traffic = trafficOf(service);
    this.backends = new ServiceBackends(parts, service, wheel);
    this.tids = parts.net.backendTids((tid, data, port, address) =>
      this.#onStranger('foreign-backend', tid, data, port, address),
    );
    const handlers: ListenerHandlers = {
      onDatagram: (listener, data, port, address) => this.#onDatagram(listener, data, port, address),
      onGone: (listener) => this.#onListenerGone(listener),
      onFailed: (listener, error) => this.#listeners.lose(listener, error),
      onSendFailed: () => this.dropped('send-failed'),
      onStranger: (tid, data, port, address) => this.#onStranger('foreign-client', tid, data, port, address),
    };
    const { net, emit } = parts;
    this.#listeners = new ListenerSet({ net, service: service.name, emit, handlers }, service.tids);
  }

  get service(): TftpService {
    return this.#service;
  }

  get listeners(): readonly Listener[] {
    return this.#listeners.listeners;
  }

  /** Throws NetError. */
  start(): void {
    this.#listeners.open(this.#service.listeners);
  }

  /** Takes those listeners out of service that `service` does not have any longer. */
  release(service: TftpService): void {
    this.#listeners.release(service.listeners);
  }

  /** The mode of its TIDs is the same. Running sessions keep their backend, and all rules that they began with. */
  update(service: TftpService): void {
    this.backends.update(service);
    this.#gate = new Gate(service.access, service.rates);
    this.#traffic = trafficOf(service);
    this.#service = service;
    this.#listeners.update(service.listeners, service.tids);
  }

  /** Others want to listen there: sessions that need a listener which is out of service end. */
  yieldTo(others: readonly TftpService[]): void {
    this.#listeners.yieldTo(others.flatMap(({ listeners }) => listeners));
  }

  /** The service is gone: sessions go on to their end, with the backends that they have. */
  retire(): void {
    this.#isRetired = true;
    this.#listeners.retire();
    this.backends.update({ ...this.#service, pool: { backends: [] } });
    if (this.isOver) this.tids.close();
  }

  /** Whether it is retired and nothing is left of it. */
  get isOver(): boolean {
    return this.#isRetired && this.#sessions.size === 0;
  }

  drain(): void {
    this.#isDraining = true;
  }

  /** All sessions, for another process. */
  save(): SavedService {
    const now = this.net.now();
    const places = new BackendPlaces();
    const sessions = [...this.#sessions].map((session) => session.save(now, places));
    return { name: this.#service.name, backends: places.backends, sessions };
  }

  /** Goes on with sessions that another process has saved. Throws NetError if one of them cannot be had. */
  restore({ sessions, backends }: SavedService<Backend>): void {
    for (const saved of sessions) {
      const { address, port } = saved.listener;
      const listener = this.listeners.find((own) => own.address === address && own.port === port);
      if (!listener) {
        const place = formatEndpoint(address, port);
        throw new NetError('TLB_ERR_ADDRESS_NOT_LOCAL', `nobody listens on ${place}, where a session began`);
      }
      if (listener.isSinglePort !== (saved.vipTid === undefined)) {
        throw new TypeError(`service ${this.#service.name} takes its TIDs from elsewhere than before`);
      }
      const session = RelayedSession.restore(this, listener, saved, backends);
      this.#add(session);
      if (saved.account.countedOn >= 0) this.onActive(session);
      else this.#ended.add(session);
    }
  }

  /** Another process has the sessions: nobody is told anything. */
  leave(): void {
    this.#isDraining = true;
    for (const session of this.#sessions) session.leave();
    this.#listeners.close();
  }

  stop(): void {
    const now = this.net.now();
    for (const session of this.#sessions) session.abort(now);
    this.#listeners.close();
    this.tids.close();
  }

  relayedToClient(backend: Backend, length: number): void {
    this.#writer.toClient(backend.index, length);
  }

  relayedToBackend(backend: Backend, length: number): void {
    this.#writer.toBackend(backend.index, length);
  }

  dropped(reason: DropReason): void {
    this.#writer.dropped(this.#service.index, dropReasons.indexOf(reason));
  }

  onActive(session: RelayedSession): void {
    this.#ended.delete(session);
    const { clientAddress } = session;
    this.#perClient.set(clientAddress, (this.#perClient.get(clientAddress) ?? 0) + 1);
  }

  onEnded(session: RelayedSession): void {
    const { clientAddress } = session;
    const left = (this.#perClient.get(clientAddress) ?? 1) - 1;
    if (left > 0) this.#perClient.set(clientAddress, left);
    else this.#perClient.delete(clientAddress);
    this.#ended.add(session);
    this.#boundEnded();
  }

  onClosed(session: RelayedSession): void {
    const { listener } = session;
    listener.sessions.remove(session);
    this.#sessions.delete(session);
    this.#ended.delete(session);
    this.#listeners.left(listener);
    if (this.isOver) this.tids.close();
  }

  #onDatagram(listener: Listener, data: Uint8Array, port: number, address: string): void {
    const known = listener.sessions.first(port, address);
    const opcode = opcodeOf(data);
    if (opcode === Opcode.rrq || opcode === Opcode.wrq) {
      const same = known && listener.sessions.asking(data, port, address);
      if (same?.onRepeatedRequest()) return;
      this.#onRequest(listener, data, port, address);
    } else if (known && listener.isSinglePort) {
      known.onDatagram(data);
    } else {
      this.#onStray(listener, data, port, address);
    }
  }

  /** Something that is no request and belongs to no session. An ERROR is never answered with an ERROR. */
  #onStray(listener: Listener, data: Uint8Array, port: number, address: string): void {
    const opcode = transferOpcodeOf(data);
    this.dropped(opcode === 0 ? 'malformed' : 'unknown-session');
    if (opcode === Opcode.error) return;
    if (!this.throttle.mayAnswer(port, address, this.net.now())) return;
    listener.send(opcode === 0 ? malformed : unknownHere, port, address);
  }

  /** To a TID that was lent to somebody else: the session there does not notice (RFC 1350 section 4). */
  #onStranger(
    reason: DropReason,
    tid: UdpSocket | undefined,
    data: Uint8Array,
    port: number,
    address: string,
  ): void {
    this.dropped(reason);
    if (!tid || isError(data)) return;
    if (this.throttle.mayAnswer(port, address, this.net.now())) tid.send(unknownTid, port, address);
  }

  #onRequest(listener: Listener, data: Uint8Array, clientPort: number, clientAddress: string): void {
    const reject = (reason: RejectReason, answer: Uint8Array | undefined, file?: string): void => {
      if (answer && !isSilent(reason, this.#service)) listener.send(answer, clientPort, clientAddress);
      this.#emitReject(listener, clientPort, clientAddress, reason, file);
    };
    // Silence: the client repeats, and whoever takes the VIP over serves it.
    if (this.#isDraining || listener.isParting) return reject('draining', undefined);
    const now = this.net.now();
    const turnedAway = this.#gate.refusalOf(clientAddress, now + this.#epoch);
    if (turnedAway) return reject(turnedAway, turnedAway === 'denied-address' ? notYou : tooOften);
    const { requests } = this.#service;
    const family = listener.address.includes(':') ? 6 : 4;
    const mtu = requests.maxBlksize === 'auto' ? this.net.mtuOf(listener.address) : undefined;
    const admission = admit(data, requests, this.#traffic, { family, client: clientAddress, mtu });
    if (admission.kind === 'rejected') return reject(admission.reason, admission.answer, admission.file);
    const { request, forwarded, file, route } = admission;
    if (listener.isSinglePort) listener.sessions.first(clientPort, clientAddress)?.replace(now);
    const limit = this.#limitReached(clientAddress);
    if (limit) return reject(limit, tooMany, request.file);
    // The net may overwrite what it has handed over, and this is needed for as long as the session may repeat it.
    const received = latin1(data, 0, data.length);
    const opening: SessionOpening = {
      listener,
      clientPort,
      clientAddress,
      request,
      received,
      forwarded: forwarded === data ? received : latin1(forwarded, 0, forwarded.length),
      file,
      route,
      now,
    };
    const failure = this.#open(opening);
    if (failure) reject(failure, this.#answerTo(failure, { client: clientAddress, route }), request.file);
  }

  #answerTo(failure: RejectReason, place: Place): Uint8Array | undefined {
    if (failure !== 'no-backend') return tooMany;
    const isLimit = this.backends.isFullFor(place);
    return isLimit && this.#service.limits.answer === 'silent' ? undefined : nobody;
  }

  #add(session: RelayedSession): void {
    session.listener.sessions.add(session);
    this.#sessions.add(session);
  }

  #limitReached(clientAddress: string): RejectReason | undefined {
    const { total, perClient } = this.#service.limits;
    if (total > 0 && this.backends.active >= total) return 'max-sessions';
    if (perClient > 0 && (this.#perClient.get(clientAddress) ?? 0) >= perClient) {
      return 'max-sessions-per-client';
    }
    return undefined;
  }

  /** Opens a session; when sockets have run out, at the expense of those that only listen for late packets. */
  #open(opening: SessionOpening): RejectReason | undefined {
    for (;;) {
      try {
        return this.#tryOpen(opening);
      } catch (error) {
        if (!(error instanceof NetError)) throw error;
        if (!isShortage(error) || !this.#evictOldest()) return 'no-resources';
      }
    }
  }

  #tryOpen(opening: SessionOpening): RejectReason | undefined {
    const session = new RelayedSession(this, opening);
    const { request } = opening;
    if (!session.open(opening)) return 'no-backend';
    this.#add(session);
    const op = request.opcode === Opcode.rrq ? 'read' : 'write';
    this.emit({ kind: 'session.start', service: this.#service.name, op });
    return undefined;
  }

  /**
   * As many sessions may listen for late packets as may be active, so that a burst of small files stays bounded. Each
   * worker has its share of them.
   */
  #boundEnded(): void {
    const { total } = this.#service.limits;
    if (total > 0 && this.#ended.size > Math.ceil(total / this.#workers)) this.#evictOldest();
  }

  #evictOldest(): boolean {
    const [oldest] = this.#ended;
    oldest?.evict();
    return oldest !== undefined;
  }

  #onListenerGone(listener: Listener): void {
    if (!listener.isSinglePort) return;
    const now = this.net.now();
    for (const session of listener.sessions) session.abort(now);
  }

  #emitReject(
    listener: Listener,
    clientPort: number,
    clientAddress: string,
    reason: RejectReason,
    file: string | undefined,
  ): void {
    this.emit({
      kind: 'session.reject',
      service: this.#service.name,
      client: formatEndpoint(clientAddress, clientPort),
      vip: formatEndpoint(listener.address, listener.port),
      reason,
      ...(file !== undefined && { file }),
    });
  }
}

function trafficOf({ access, routes }: TftpService): FileTraffic {
  return {
    files: new FileFilter(access?.files ?? { allow: [], deny: [] }),
    routes: new RouteTable(routes ?? []),
  };
}
