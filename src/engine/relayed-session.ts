/**
 * A session with its sockets: carries out what the session machine (tftp/session.ts) decides.
 *
 *   client TID ◀──▶ VIP TID │ backend-facing TID ◀──▶ backend TID
 *
 * A datagram is relayed only if it comes from the client's own ip:port or from the pinned backend TID. Every other
 * source gets ERROR 5 and the session does not notice (RFC 1350 section 4).
 */
import type { Backend } from '../balance/pool.ts';
import type { UdpHandlers } from '../net/net.ts';
import type { VipTid } from '../net/tids.ts';
import type { FailoverReason } from '../observe/events.ts';
import {
  blockOf,
  encodeError,
  ErrorCode,
  isError,
  latin1,
  Opcode,
  transferOpcodeOf,
} from '../tftp/packet.ts';
import {
  blockSizeOf,
  decodeOack,
  decodeRequest,
  maxPacketLength,
  type TftpRequest,
  transferOptions,
} from '../tftp/request.ts';
import { TftpSession } from '../tftp/session.ts';
import { RepeatVerdict, TimerVerdict, Verdict } from '../tftp/session-verdicts.ts';
import type { BackendLeg, LegOwner } from './backend-leg.ts';
import type { Listener } from './listeners.ts';
import { windowBytes } from './request-rules.ts';
import type { BackendPlaces, SavedRelay } from './saved-relay.ts';
import { SessionAccount } from './session-account.ts';
import type { SessionHost } from './session-host.ts';
import { reopening, type SessionOpening } from './session-opening.ts';
import { WheelEntry } from './timer-wheel.ts';
import { type Question, Tries } from './tries.ts';

const unknownTid = encodeError(ErrorCode.unknownTid, 'unknown transfer ID');
const nobodyLeft = encodeError(ErrorCode.notDefined, 'no server is available, try again later');
const givenUp = encodeError(ErrorCode.notDefined, 'transfer given up by the load balancer');

export class RelayedSession extends WheelEntry implements LegOwner, UdpHandlers {
  readonly listener: Listener;
  readonly clientPort: number;
  readonly clientAddress: string;
  readonly #host: SessionHost;
  readonly #machine: TftpSession;
  /** Place of its route among those of the service, or `noRoute`. */
  readonly route: number;
  readonly #openedAt: number;
  readonly #tries: Tries;
  readonly #account: SessionAccount;
  /** What is needed once or twice is read again from these: there may be very many sessions. */
  readonly #received: string;
  readonly #forwarded: string;
  /** A socket of its own, or the listener's in single-port mode. */
  readonly #clientSocket: VipTid;
  /** Set when a backend has answered. */
  #leg: BackendLeg | undefined;
  #isClosed = false;

  /** Opens the sockets that the client's side needs, or goes on with what is `saved`. Throws NetError. */
  constructor(host: SessionHost, opening: SessionOpening, saved?: SavedRelay) {
    super();
    this.#host = host;
    this.listener = opening.listener;
    this.clientPort = opening.clientPort;
    this.clientAddress = opening.clientAddress;
    this.route = opening.route;
    this.#received = opening.received;
    this.#forwarded = opening.forwarded;
    this.#openedAt = opening.now - (saved?.openedAgo ?? 0);
    const { requests, timing } = host.service;
    const isRead = opening.request.opcode === Opcode.rrq;
    this.#machine = saved
      ? TftpSession.restore(saved.machine, opening.now)
      : new TftpSession(isRead, requests.retryNotFound, timing, opening.now);
    this.#account = new SessionAccount(host, this);
    this.#tries = new Tries(host, this);
    const client = { address: opening.clientAddress, port: opening.clientPort };
    const receiveBuffer = isRead ? undefined : windowBytes(opening.request);
    const options = { receiveBuffer, moved: saved?.vipTid };
    this.#clientSocket = opening.listener.openVipTid(client, this, options);
  }

  /** A session that another process has saved goes on here. Throws NetError, with the session closed. */
  static restore(
    host: SessionHost,
    listener: Listener,
    saved: SavedRelay,
    backends: readonly Backend[],
  ): RelayedSession {
    const session = new RelayedSession(host, reopening(saved, listener, host.net.now()), saved);
    try {
      const legs = session.#tries.restore(saved.tries, backends);
      session.#leg = legs[saved.answered];
      session.#account.restore(saved.account, backends);
      host.wheel.schedule(session);
      return session;
    } catch (error) {
      session.#close();
      throw error;
    }
  }

  /**
   * Asks the first backend; `opening` is that of the constructor. Returns false when there is none; the session is closed then.
   * Throws NetError, with the session closed, when this host has run out of ports or descriptors.
   */
  open(opening: SessionOpening): boolean {
    try {
      const backend = this.#tries.askFirst(this.#questionOf(opening));
      if (!backend) {
        this.#close();
        return false;
      }
      this.#account.countOn(backend);
      this.#host.onActive(this);
      this.#host.wheel.schedule(this);
      return true;
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  override get deadline(): number {
    return this.#machine.deadline;
  }

  get isActive(): boolean {
    return this.#machine.isActive;
  }

  /** Whether `request` may be this session's own, sent once more. */
  isSameRequest(request: Uint8Array): boolean {
    return this.#received.length === request.length && this.#received === latin1(request, 0, request.length);
  }

  /** The client sent the session's request again. Returns false if that has to be served as a new one. */
  onRepeatedRequest(): boolean {
    const verdict = this.#machine.onRepeat(this.#host.net.now());
    if (verdict === RepeatVerdict.renew) return false;
    if (verdict === RepeatVerdict.resend) this.#tries.askAgain(this.#forwarded);
    else this.#host.dropped('repeated-request');
    return true;
  }

  /** A datagram of the session's own client: in single-port mode one that is no request. */
  onDatagram(data: Uint8Array): void {
    const opcode = transferOpcodeOf(data);
    if (opcode === 0) return this.#host.dropped('malformed');
    const now = this.#host.net.now();
    const verdict = this.#machine.onClient(opcode, blockOf(data), data.length, now);
    const leg = this.#leg;
    if (verdict >= Verdict.dropUnexpected || !leg) return this.#drop(verdict);
    leg.send(data);
    this.#host.relayedToBackend(leg.backend, data.length);
    if (verdict === Verdict.relay) return;
    if (opcode === Opcode.error) this.#account.noteError('client', data);
    this.#afterRelay(verdict);
  }

  onLegDatagram(leg: BackendLeg, data: Uint8Array, port: number, address: string): void {
    if (leg === this.#leg ? leg.isPeer(port, address) : !this.#machine.isAnswered) {
      this.#fromBackend(leg, data, port, address);
      return;
    }
    this.#host.dropped('foreign-backend');
    if (!this.#machine.isAnswered || isError(data)) return;
    if (this.#host.throttle.mayAnswer(port, address, this.#host.net.now())) {
      leg.sendTo(unknownTid, port, address);
    }
  }

  onLegRefused(leg: BackendLeg): void {
    this.#host.backends.suspect(leg.backend, 'refused');
    if (this.#machine.isAnswered) return;
    this.#tries.drop(leg);
    this.#askNext(leg.backend, 'refused');
  }

  onLegError(): void {
    this.#host.dropped('send-failed');
  }

  /** The same of the client's side. */
  onError(): void {
    this.#host.dropped('send-failed');
  }

  override onDeadline(now: number): void {
    const verdict = this.#machine.onTimer(now);
    switch (verdict) {
      case TimerVerdict.retry:
        this.#onTryInterval();
        break;
      case TimerVerdict.endAndClose:
        this.#report(now);
        this.#close();
        return;
      case TimerVerdict.close:
        this.#close();
        return;
      default:
    }
    if (!this.#isClosed) this.#host.wheel.schedule(this);
  }

  /** The client starts something new from the port that this session uses: its backend is told to stop first. */
  replace(now: number): void {
    if (this.isActive) this.#leg?.send(givenUp);
    this.#machine.replaced(now);
    this.#report(now);
    this.#close();
  }

  /** The balancer stops: both ends are told. */
  abort(now: number): void {
    if (this.isActive) {
      this.#leg?.send(givenUp);
      this.#toClient(givenUp);
      this.#account.noteError('balancer', givenUp);
    }
    this.#machine.aborted(now);
    this.#report(now);
    this.#close();
  }

  /** All of it, for another process. */
  save(now: number, places: BackendPlaces): SavedRelay {
    const { address, port } = this.listener;
    return {
      listener: { address, port },
      client: { address: this.clientAddress, port: this.clientPort },
      vipTid: this.#clientSocket.move?.(),
      received: this.#received,
      forwarded: this.#forwarded,
      route: this.route,
      openedAgo: now - this.#openedAt,
      machine: this.#machine.save(now),
      tries: this.#tries.save(places),
      answered: this.#tries.placeOf(this.#leg),
      account: this.#account.save(places),
    };
  }

  /** Another process has it: what is counted for it is taken back, and nobody is told anything. */
  leave(): void {
    this.#account.countOn(undefined);
    this.#close();
  }

  /** Gives back what an ended session keeps for late packets. */
  evict(): void {
    this.#close();
  }

  #fromBackend(leg: BackendLeg, data: Uint8Array, port: number, address: string): void {
    const opcode = transferOpcodeOf(data);
    if (opcode === 0) return this.#host.dropped('malformed');
    const now = this.#host.net.now();
    const verdict = this.#machine.onBackend(opcode, blockOf(data), data.length, now);
    if (verdict >= Verdict.dropUnexpected) return this.#drop(verdict);
    if (verdict === Verdict.retryNotFound) {
      this.#onNotFound(leg, data);
      return;
    }
    if (!this.#leg) this.#pin(leg, data, port, address);
    this.#toClient(data);
    this.#host.relayedToClient(leg.backend, data.length);
    if (verdict === Verdict.relay) return;
    if (opcode === Opcode.error) this.#account.noteError('backend', data);
    this.#afterRelay(verdict);
  }

  #pin(leg: BackendLeg, data: Uint8Array, port: number, address: string): void {
    leg.pin(port, address);
    this.#leg = leg;
    this.#tries.answeredBy(leg);
    this.#account.countOn(leg.backend);
    if (transferOpcodeOf(data) !== Opcode.oack) return;
    const options = decodeOack(data);
    const { windowsize, timeout } = transferOptions(options);
    this.#account.granted = latin1(data, 0, Math.min(data.length, maxPacketLength));
    this.#machine.granted(blockSizeOf(options), windowsize, timeout);
  }

  #afterRelay(verdict: number): void {
    const now = this.#host.net.now();
    if (verdict === Verdict.relayAndEnd || verdict === Verdict.relayPinAndEnd) this.#report(now);
    if (verdict === Verdict.relayAndResume) this.#resume();
    this.#host.wheel.schedule(this);
  }

  get #request(): TftpRequest {
    return decodeRequest(Buffer.from(this.#received, 'latin1'));
  }

  get #forwardedFile(): string {
    return decodeRequest(Buffer.from(this.#forwarded, 'latin1')).file;
  }

  #questionOf({ request, file }: Pick<SessionOpening, 'request' | 'file'>): Question {
    return {
      client: this.clientAddress,
      file,
      user: '',
      route: this.route,
      packet: this.#forwarded,
      receiveBuffer: request.opcode === Opcode.rrq ? windowBytes(request) : undefined,
    };
  }

  #onTryInterval(): void {
    const previous = this.#tries.latest?.backend;
    this.#tries.markSilent();
    this.#askNext(previous, 'silent');
  }

  /** Another server may have the file: this one has said all that it will. */
  #onNotFound(leg: BackendLeg, data: Uint8Array): void {
    this.#tries.notFound = new Uint8Array(data);
    this.#tries.drop(leg);
    this.#askNext(leg.backend, 'not-found');
  }

  #askNext(from: Backend | undefined, reason: FailoverReason): void {
    const question = this.#questionOf({ request: this.#request, file: this.#forwardedFile });
    const next = this.#tries.askAnother(question);
    const now = this.#host.net.now();
    if (next) {
      this.#machine.asked(now);
      this.#account.countOn(next);
      this.#account.tellFailover(from, next, reason);
    } else if (!this.#tries.isWaiting && this.#tries.notFound) {
      this.#machine.errorFromBackend(ErrorCode.fileNotFound, now);
      this.#failWith('backend', this.#tries.notFound, now);
    } else if (this.#tries.hasOpen) {
      this.#account.countOn(this.#tries.latest?.backend);
      if (!this.#tries.isWaiting) this.#machine.exhausted();
    } else {
      this.#machine.noBackend(now);
      this.#failWith('balancer', nobodyLeft, now);
    }
    this.#host.wheel.schedule(this);
  }

  #failWith(from: 'backend' | 'balancer', packet: Uint8Array, now: number): void {
    this.#toClient(packet);
    this.#account.noteError(from, packet);
    this.#report(now);
  }

  #toClient(data: Uint8Array): void {
    this.#clientSocket.send(data, this.clientPort, this.clientAddress);
  }

  #drop(verdict: number): void {
    switch (verdict) {
      case Verdict.dropUnproven:
        return this.#host.dropped('unproven-client');
      case Verdict.dropAfterError:
        return this.#host.dropped('after-error');
      default:
        return this.#host.dropped('unexpected-first-reply');
    }
  }

  /** The transfer has ended: counted, logged and out of the limits, once. */
  #report(now: number): void {
    if (this.#account.isCounted) {
      this.#account.countOn(undefined);
      this.#host.onEnded(this);
    }
    if (this.#account.isReported) return;
    const facts = { request: this.#request, forwarded: this.#forwardedFile, openedAt: this.#openedAt };
    this.#account.report(facts, this.#machine, now);
  }

  #resume(): void {
    this.#account.countOn(this.#leg?.backend);
    this.#host.onActive(this);
    this.#account.tellResumed(this.#request.file);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#host.wheel.remove(this);
    this.#tries.close();
    this.listener.closeVipTid(this.#clientSocket);
    this.#host.onClosed(this);
  }
}
