/**
 * One TFTP transfer as the balancer sees it: which datagram may pass, when another backend is asked, when the
 * transfer has ended and how. No I/O, no clock: the engine passes integers in and obeys the verdict that comes back.
 * Nothing here allocates per datagram.
 *
 *               first reply            last ACK relayed
 *  requesting ───────────────▶ running ───────────────▶ dallying ──▶ closed
 *      │                        │   ▲   further blocks     │           ▲
 *      │                        │   └──────────────────────┘           │
 *      │    ERROR relayed       │   silence                            │
 *      ├────────────────────────┴──────────▶ lingering ────────────────┤
 *      └── refused or silent everywhere ───────────────────────────────┘
 *
 * Rules
 *  1. Only DATA 1, OACK or ERROR may answer a read, only ACK 0, OACK or ERROR a write (RFC 1350 section 4, RFC 2347).
 *  2. Until that first reply another backend may be asked: at once when one refuses; after a try interval of silence,
 *     but for reads alone, since a silent server may have truncated the file that was to be written.
 *  3. From then on every datagram passes as it is. The end points repeat and acknowledge, the balancer never does
 *     (RFC 1123 section 4.2.3.1). Neither block order nor the value after 65535 is assumed.
 *  4. The final DATA is the one that is shorter than the block size in force: the one of the OACK, else 512 bytes.
 *     The transfer has ended when the ACK of that block has been relayed. Its result is reported once, then.
 *  5. After the end everything stays in place for a while, because a lost last ACK makes the sender repeat.
 *     Further blocks make it a running transfer again.
 *  6. An ERROR is relayed once and ends the transfer. What comes after it is swallowed: some clients answer it.
 *  7. A client is owed few datagrams until it has answered one, because its address may be forged.
 */
import { defaultBlockSize, ErrorCode, Opcode } from './packet.ts';
import * as limits from './session-limits.ts';
import type { SavedSession, SessionTiming } from './saved-session.ts';
import {
  RepeatVerdict,
  resultOfBackendError,
  type SessionResult,
  TimerVerdict,
  Verdict,
} from './session-verdicts.ts';

const Phase = { requesting: 0, running: 1, dallying: 2, lingering: 3, closed: 4 } as const;

export class TftpSession {
  readonly #isRead: boolean;
  readonly #retryNotFound: boolean;
  readonly #tryInterval: number;
  #idleTimeout: number;
  /** Counts once the client has answered: a forged request for a long timeout keeps nothing for long. */
  #grantedIdleTimeout = 0;
  #dallyTime = limits.minDally;

  #phase: number = Phase.requesting;
  #blockSize = defaultBlockSize;
  #windowSize = 1;
  #hasOack = false;

  /** Highest block number relayed, modulo 65536. */
  #lastBlock = 0;
  #lastAck = 0;
  #finalBlock = -1;
  /** A block of the window that is out has not been relayed yet, as far as the numbers tell. */
  #hasGap = false;
  #clientSpoke = false;
  #owedWithoutProof = 0;

  #askedAt: number;
  #triedAt: number;
  #canRetry = true;
  #backendHeardAt = 0;
  #clientHeardAt = 0;
  #activeAt: number;
  #endedAt = 0;

  #result: SessionResult | undefined;
  /** Payload of the blocks that were relayed, repeats not counted. */
  bytes = 0;
  blocks = 0;
  repeats = 0;
  /** Backends that were asked. */
  tries = 1;

  /** The first backend counts as asked at `now` (milliseconds of any monotonic clock). */
  constructor(isRead: boolean, retryNotFound: boolean, timing: SessionTiming, now: number) {
    this.#isRead = isRead;
    this.#retryNotFound = retryNotFound && isRead;
    this.#tryInterval = timing.tryInterval;
    this.#idleTimeout = timing.idleTimeout;
    this.#askedAt = now;
    this.#triedAt = now;
    this.#activeAt = now;
    this.#clientHeardAt = now;
  }

  /** A session that was saved elsewhere goes on, by this clock. */
  static restore(saved: SavedSession, now: number): TftpSession {
    const session = new TftpSession(saved.isRead, saved.retryNotFound, saved, now);
    session.#restore(saved, now);
    return session;
  }

  /** Set once, when the transfer has ended. */
  get result(): SessionResult | undefined {
    return this.#result;
  }

  /** Whether a backend's first reply has been relayed. */
  get isAnswered(): boolean {
    return this.#phase !== Phase.requesting;
  }

  /** Whether bytes may still flow that matter to somebody; false while dallying, lingering or closed. */
  get isActive(): boolean {
    return this.#phase === Phase.requesting || this.#phase === Phase.running;
  }

  /** When `onTimer` is due. It moves with every datagram; being called too early does no harm. */
  get deadline(): number {
    switch (this.#phase) {
      case Phase.requesting:
        return Math.min(
          this.#isRead && this.#canRetry ? this.#triedAt + this.#tryInterval : Infinity,
          this.#askedAt + Math.min(limits.requestPatience, this.#idleTimeout),
        );
      case Phase.running:
        // One end alone, repeating into the void for ever, does not keep a session.
        return Math.min(this.#clientHeardAt, this.#backendHeardAt) + this.#idleTimeout;
      case Phase.dallying:
        return Math.min(this.#activeAt + this.#dallyTime, this.#endedAt + limits.maxDally);
      default:
        return this.#endedAt + limits.lingerTime;
    }
  }

  /** A datagram from a backend that was asked. `block` is the code where `opcode` is ERROR, `length` that of the packet. */
  onBackend(opcode: number, block: number, length: number, now: number): number {
    if (this.#phase === Phase.requesting) return this.#onFirstReply(opcode, block, length, now);
    if (this.#phase >= Phase.lingering) return Verdict.dropAfterError;
    if (!this.#clientSpoke && this.#owedWithoutProof >= this.#allowance()) return Verdict.dropUnproven;
    this.#owedWithoutProof += 1;
    this.#backendHeardAt = now;
    this.#activeAt = now;
    switch (opcode) {
      case Opcode.data:
        return this.#onData(block, length, this.#isRead);
      case Opcode.ack:
        return this.#onAck(block, !this.#isRead, now);
      case Opcode.error:
        this.errorFromBackend(block, now);
        return Verdict.relayAndEnd;
      default:
        this.repeats += 1;
        return Verdict.relay;
    }
  }

  /** A datagram from the client to its TID (in single-port mode: one that is no request). */
  onClient(opcode: number, block: number, length: number, now: number): number {
    if (this.#phase === Phase.requesting) return Verdict.dropUnexpected;
    if (this.#phase >= Phase.lingering) return Verdict.dropAfterError;
    if (!this.#clientSpoke) this.#idleTimeout = Math.max(this.#idleTimeout, this.#grantedIdleTimeout);
    this.#clientSpoke = true;
    this.#clientHeardAt = now;
    this.#activeAt = now;
    switch (opcode) {
      case Opcode.data:
        return this.#onData(block, length, !this.#isRead);
      case Opcode.ack:
        return this.#onAck(block, this.#isRead, now);
      case Opcode.error:
        this.#onClientError(block, now);
        return Verdict.relayAndEnd;
      default:
        return Verdict.relay;
    }
  }

  /** What the backend granted, told after its first OACK was relayed; undefined where an option is not in it. */
  granted(
    blockSize: number | undefined,
    windowSize: number | undefined,
    timeoutSeconds: number | undefined,
  ): void {
    if (blockSize !== undefined && blockSize > 0) this.#blockSize = blockSize;
    if (windowSize !== undefined && windowSize > 0) this.#windowSize = windowSize;
    if (timeoutSeconds === undefined) return;
    this.#grantedIdleTimeout = 6_000 * Math.min(timeoutSeconds, limits.maxTimeout);
    this.#dallyTime = Math.min(limits.maxDally, Math.max(limits.minDally, 2_000 * timeoutSeconds));
  }

  /** The client sent the session's request again. */
  onRepeat(now: number): number {
    this.repeats += 1;
    if (this.#phase === Phase.requesting) {
      this.#askedAt = now;
      if (now - this.#activeAt < this.#tryInterval) return RepeatVerdict.swallow;
      this.#activeAt = now;
      return RepeatVerdict.resend;
    }
    if (this.#result !== undefined) return RepeatVerdict.renew;
    if (this.#clientSpoke) {
      // A client that begins anew asks more than once; one whose transfer runs must not lose it to a late copy.
      return now - this.#clientHeardAt < limits.maxLateness ? RepeatVerdict.swallow : RepeatVerdict.renew;
    }
    if (now - this.#backendHeardAt >= limits.repeatMemory) return RepeatVerdict.renew;
    // What was owed may all have been lost. One datagram for one request is no amplification by numbers.
    this.#owedWithoutProof -= 1;
    return RepeatVerdict.swallow;
  }

  onTimer(now: number): number {
    if (now < this.deadline) return TimerVerdict.wait;
    if (this.#phase === Phase.requesting) {
      const outOfPatience = now >= this.#askedAt + Math.min(limits.requestPatience, this.#idleTimeout);
      if (!outOfPatience) return TimerVerdict.retry;
    }
    const wasActive = this.isActive;
    if (wasActive) this.#end(this.#resultOfSilence(), Phase.closed, now);
    this.#phase = Phase.closed;
    return wasActive ? TimerVerdict.endAndClose : TimerVerdict.close;
  }

  /** Another backend has been asked. */
  asked(now: number): void {
    this.tries += 1;
    this.#triedAt = now;
    this.#activeAt = now;
  }

  /** No backend is left to ask: those that were asked are waited for. */
  exhausted(): void {
    this.#canRetry = false;
  }

  /** An ERROR from the backend goes to the client. */
  errorFromBackend(code: number, now: number): void {
    this.#end(resultOfBackendError(code), Phase.lingering, now);
  }

  /** Nobody can serve the request: the client is told so. */
  noBackend(now: number): void {
    this.#end('no-backend', Phase.lingering, now);
  }

  /** The client has started something new in this session's place. */
  replaced(now: number): void {
    const isDelivered = this.#isFinalRelayed();
    this.#end(isDelivered ? 'ok-unacked' : 'client-abort', Phase.closed, now);
  }

  /** The balancer gives the transfer up. */
  aborted(now: number): void {
    this.#end('error', Phase.closed, now);
  }

  /** All that it knows, as of now. */
  save(now: number): SavedSession {
    const { bytes, blocks, repeats, tries } = this;
    return {
      isRead: this.#isRead,
      retryNotFound: this.#retryNotFound,
      tryInterval: this.#tryInterval,
      idleTimeout: this.#idleTimeout,
      grantedIdleTimeout: this.#grantedIdleTimeout,
      dallyTime: this.#dallyTime,
      phase: this.#phase,
      blockSize: this.#blockSize,
      windowSize: this.#windowSize,
      hasOack: this.#hasOack,
      lastBlock: this.#lastBlock,
      lastAck: this.#lastAck,
      finalBlock: this.#finalBlock,
      hasGap: this.#hasGap,
      clientSpoke: this.#clientSpoke,
      owedWithoutProof: this.#owedWithoutProof,
      askedAgo: now - this.#askedAt,
      triedAgo: now - this.#triedAt,
      canRetry: this.#canRetry,
      backendHeardAgo: now - this.#backendHeardAt,
      clientHeardAgo: now - this.#clientHeardAt,
      activeAgo: now - this.#activeAt,
      endedAgo: now - this.#endedAt,
      result: this.#result,
      bytes,
      blocks,
      repeats,
      tries,
    };
  }

  #restore(saved: SavedSession, now: number): void {
    this.#grantedIdleTimeout = saved.grantedIdleTimeout;
    this.#dallyTime = saved.dallyTime;
    this.#phase = saved.phase;
    this.#blockSize = saved.blockSize;
    this.#windowSize = saved.windowSize;
    this.#hasOack = saved.hasOack;
    this.#lastBlock = saved.lastBlock;
    this.#lastAck = saved.lastAck;
    this.#finalBlock = saved.finalBlock;
    this.#hasGap = saved.hasGap;
    this.#clientSpoke = saved.clientSpoke;
    this.#owedWithoutProof = saved.owedWithoutProof;
    this.#askedAt = now - saved.askedAgo;
    this.#triedAt = now - saved.triedAgo;
    this.#canRetry = saved.canRetry;
    this.#backendHeardAt = now - saved.backendHeardAgo;
    this.#clientHeardAt = now - saved.clientHeardAgo;
    this.#activeAt = now - saved.activeAgo;
    this.#endedAt = now - saved.endedAgo;
    this.#result = saved.result;
    ({ bytes: this.bytes, blocks: this.blocks, repeats: this.repeats, tries: this.tries } = saved);
  }

  #onFirstReply(opcode: number, block: number, length: number, now: number): number {
    if (!this.#isFirstReply(opcode, block)) return Verdict.dropUnexpected;
    if (opcode === Opcode.error && block === ErrorCode.fileNotFound && this.#retryNotFound) {
      return Verdict.retryNotFound;
    }
    this.#phase = Phase.running;
    this.#owedWithoutProof = 1;
    this.#backendHeardAt = now;
    // However long the answer took: the client's time to go on begins with it.
    this.#clientHeardAt = now;
    this.#activeAt = now;
    if (opcode === Opcode.error) {
      this.errorFromBackend(block, now);
      return Verdict.relayPinAndEnd;
    }
    if (opcode === Opcode.oack) this.#hasOack = true;
    if (opcode === Opcode.data) this.#onData(block, length, true);
    return Verdict.relayAndPin;
  }

  #isFirstReply(opcode: number, block: number): boolean {
    if (opcode === Opcode.oack || opcode === Opcode.error) return true;
    return this.#isRead ? opcode === Opcode.data && block === 1 : opcode === Opcode.ack && block === 0;
  }

  /** `isSender`: the DATA comes from the side that sends the file. */
  #onData(block: number, length: number, isSender: boolean): number {
    if (!isSender) return Verdict.relay;
    const payload = length - 4;
    const step = (block - this.#lastBlock) & 0xffff;
    if (step === 0 || step >= 0x8000) {
      this.repeats += 1;
      return Verdict.relay;
    }
    this.#lastBlock = block;
    // In lock-step a server that rolls over to 1 leaves out a number, in a window a lost block does.
    const blocks = this.#windowSize > 1 ? step : 1;
    if (blocks > 1) this.#hasGap = true;
    this.blocks += blocks;
    this.bytes += (blocks - 1) * this.#blockSize + payload;
    this.#finalBlock = payload < this.#blockSize ? block : -1;
    if (this.#phase !== Phase.dallying) return Verdict.relay;
    this.#phase = Phase.running;
    return Verdict.relayAndResume;
  }

  /** `isReceiver`: the ACK comes from the side that receives the file. */
  #onAck(block: number, isReceiver: boolean, now: number): number {
    if (!isReceiver) return Verdict.relay;
    if (block === this.#lastAck && this.blocks > 0) this.repeats += 1;
    this.#lastAck = block;
    if (block === this.#lastBlock) this.#hasGap = false;
    if (this.#phase === Phase.dallying || block !== this.#finalBlock) return Verdict.relay;
    this.#end('ok', Phase.dallying, now);
    return Verdict.relayAndEnd;
  }

  /** PXE firmware asks for the size alone: it ends with ERROR 8 or 0 on the OACK. GRUB acknowledges the OACK first. */
  #onClientError(code: number, now: number): void {
    const hasBegun = this.#isRead ? this.#lastAck !== 0 : this.blocks > 0;
    const isProbe =
      this.#hasOack && !hasBegun && (code === ErrorCode.optionRefused || code === ErrorCode.notDefined);
    this.#end(isProbe ? 'client-abort' : 'error', Phase.lingering, now);
  }

  #allowance(): number {
    return Math.max(limits.unprovenAllowance, Math.min(this.#windowSize, limits.unprovenWindowAllowance));
  }

  #resultOfSilence(): SessionResult {
    return this.#isFinalRelayed() ? 'ok-unacked' : 'timeout';
  }

  /** Whether a read's final DATA has been relayed and lies within the window that the client may leave without an ACK. */
  #isFinalRelayed(): boolean {
    if (!this.#isRead || this.#finalBlock < 0 || this.#hasGap) return false;
    return ((this.#finalBlock - this.#lastAck) & 0xffff) <= this.#windowSize;
  }

  #end(result: SessionResult, phase: number, now: number): void {
    this.#result ??= result;
    this.#phase = phase;
    this.#endedAt = now;
  }
}
