/** What an engine does for one session, without sockets; and what a session machine must hold to, checked at each step. */
import { expect } from 'vitest';
import type { Timer } from '../../../src/net/net.ts';
import {
  blockOf,
  dataHeaderLength,
  encodeError,
  ErrorCode,
  isError,
  Opcode,
  opcodeOf,
} from '../../../src/tftp/packet.ts';
import { decodeOack, transferOptions } from '../../../src/tftp/request.ts';
import { TftpSession } from '../../../src/tftp/session.ts';
import {
  RepeatVerdict,
  type SessionResult,
  TimerVerdict,
  Verdict,
} from '../../../src/tftp/session-verdicts.ts';
import type { ModelServer } from './relay-peers.ts';
import type { Backend, Scene } from './relay-scene.ts';

const nobodyLeft = encodeError(ErrorCode.notDefined, 'nobody');
const givenUp = encodeError(ErrorCode.notDefined, 'given up');
/** What an address gets that has proved nothing: three datagrams, or a first window of up to eight. */
const unprovenBound = 8;

export class Relay {
  readonly machine: TftpSession;
  isClosed = false;
  /** How often an active session ended; more than once only after a resume. */
  ends = 0;
  resumes = 0;
  /** Payload of all blocks that went to the receiver, each counted once. */
  readonly relayedBlocks: Map<number, number> = new Map();
  /** The backend's TID. */
  pinned: ModelServer | undefined;
  readonly #scene: Scene;
  readonly #untried: Backend[];
  #listening: Backend[] = [];
  readonly #silent = new Set<Backend>();
  #notFound: Uint8Array | undefined;
  #timer: Timer | undefined;
  #firstResult: SessionResult | undefined;
  /** Whether it counts as active, as far as the verdicts told. */
  #counts = true;
  #errorRelayed = false;
  #unproven = 0;
  #requests = 1;
  #isProven = false;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#untried = [...scene.backends];
    const { retryNotFound } = scene.options;
    this.machine = new TftpSession(scene.isRead, retryNotFound, scene.timing, scene.clock.now());
  }

  open(): void {
    this.#ask();
    this.#arm();
  }

  fromClient(packet: Uint8Array): void {
    if (this.isClosed) return;
    const verdict = this.machine.onClient(opcodeOf(packet), blockOf(packet), packet.length, this.#now());
    const { pinned } = this;
    if (verdict >= Verdict.dropUnexpected || pinned === undefined) {
      expect(verdict).toBeGreaterThanOrEqual(Verdict.dropUnexpected);
      this.#check();
      return;
    }
    this.#isProven = true;
    this.#noteRelayed(packet);
    this.#scene.carry(() => pinned.onPacket(packet));
    this.#afterRelay(verdict);
  }

  fromBackend(server: ModelServer, packet: Uint8Array): void {
    if (this.isClosed) return;
    if (this.pinned !== undefined && this.pinned !== server) {
      this.#scene.refuseForeign(server, packet);
      return;
    }
    if (!this.#listening.includes(server.backend)) return;
    const verdict = this.machine.onBackend(opcodeOf(packet), blockOf(packet), packet.length, this.#now());
    if (verdict >= Verdict.dropUnexpected) return this.#check();
    if (verdict === Verdict.retryNotFound) {
      this.#notFound = packet;
      this.#askNext(server.backend);
      return;
    }
    if (this.pinned === undefined) this.#pin(server, packet, verdict);
    this.#noteRelayed(packet);
    this.#toClient(packet);
    this.#afterRelay(verdict);
  }

  onRefused(backend: Backend): void {
    if (this.isClosed || this.machine.isAnswered || !this.#listening.includes(backend)) return;
    this.#askNext(backend);
  }

  /** False if the request has to be served as a new one. */
  onRepeat(): boolean {
    const verdict = this.machine.onRepeat(this.#now());
    this.#check();
    if (verdict === RepeatVerdict.renew) return false;
    this.#requests += 1;
    const latest = this.#listening.at(-1);
    if (verdict === RepeatVerdict.resend) this.#scene.carry(() => latest?.onRequest(this));
    return true;
  }

  replace(): void {
    const { pinned } = this;
    if (this.machine.isActive && pinned !== undefined) this.#scene.carry(() => pinned.onPacket(givenUp));
    this.machine.replaced(this.#now());
    this.#told();
    this.#close();
  }

  #onTimer(): void {
    const verdict = this.machine.onTimer(this.#now());
    switch (verdict) {
      case TimerVerdict.retry:
        for (const backend of this.#listening) this.#silent.add(backend);
        this.#askNext(undefined);
        break;
      case TimerVerdict.endAndClose:
        this.#told();
        this.#close();
        break;
      case TimerVerdict.close:
        this.#close();
        break;
      default:
        this.#arm();
    }
    this.#check();
  }

  #ask(): void {
    const backend = this.#untried.shift();
    if (backend === undefined) throw new Error('nobody is left to ask');
    this.#listening.push(backend);
    this.#scene.carry(() => backend.onRequest(this));
  }

  /** `failed` is not listened to any longer. */
  #askNext(failed: Backend | undefined): void {
    this.#listening = this.#listening.filter((backend) => backend !== failed);
    const now = this.#now();
    if (this.#untried.length > 0) {
      this.#ask();
      this.machine.asked(now);
    } else if (this.#listening.every((backend) => this.#silent.has(backend)) && this.#notFound) {
      this.machine.errorFromBackend(ErrorCode.fileNotFound, now);
      this.#tell(this.#notFound);
    } else if (this.#listening.length > 0) {
      this.machine.exhausted();
    } else {
      this.machine.noBackend(now);
      this.#tell(nobodyLeft);
    }
    this.#check();
    this.#arm();
  }

  #pin(server: ModelServer, packet: Uint8Array, verdict: number): void {
    expect([Verdict.relayAndPin, Verdict.relayPinAndEnd]).toContain(verdict);
    this.pinned = server;
    this.#listening = [server.backend];
    if (opcodeOf(packet) !== Opcode.oack) return;
    const { blksize, windowsize, timeout } = transferOptions(decodeOack(packet));
    this.machine.granted(blksize, windowsize, timeout);
  }

  #tell(packet: Uint8Array): void {
    this.#noteRelayed(packet);
    this.#toClient(packet);
    this.#told();
  }

  #toClient(packet: Uint8Array): void {
    if (!this.#isProven) this.#unproven += 1;
    expect(this.#unproven).toBeLessThan(unprovenBound + this.#requests);
    this.#scene.toClient(packet, this);
  }

  #afterRelay(verdict: number): void {
    if (verdict === Verdict.relayAndEnd || verdict === Verdict.relayPinAndEnd) this.#told();
    if (verdict === Verdict.relayAndResume) this.#resumed();
    this.#check();
    this.#arm();
  }

  #told(): void {
    expect(this.machine.result).toBeDefined();
    if (this.#counts) this.ends += 1;
    this.#counts = false;
  }

  #resumed(): void {
    expect(this.#counts).toBe(false);
    this.resumes += 1;
    this.#counts = true;
  }

  #close(): void {
    expect(this.machine.isActive).toBe(false);
    this.isClosed = true;
    this.#timer?.cancel();
  }

  /** Nothing follows an ERROR. */
  #noteRelayed(packet: Uint8Array): void {
    expect(this.#errorRelayed).toBe(false);
    if (isError(packet)) this.#errorRelayed = true;
    if (opcodeOf(packet) === Opcode.data)
      this.relayedBlocks.set(blockOf(packet), packet.length - dataHeaderLength);
  }

  /** A result stays what it is, who follows the verdicts knows whether it is active, and what is alive has a time. */
  #check(): void {
    this.#firstResult ??= this.machine.result;
    expect(this.machine.result).toBe(this.#firstResult);
    expect(this.machine.isActive).toBe(this.#counts);
    expect(this.machine.deadline).toBeLessThan(Infinity);
  }

  #arm(): void {
    this.#timer?.cancel();
    if (this.isClosed) return;
    const delay = this.machine.deadline - this.#now();
    this.#timer = this.#scene.clock.setTimer(delay, () => this.#onTimer());
  }

  #now(): number {
    return this.#scene.clock.now();
  }
}
