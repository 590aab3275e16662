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

export type SessionResult =
  | 'ok'
  | 'ok-unacked'
  | 'client-abort'
  | 'not-found'
  | 'denied'
  | 'error'
  | 'timeout'
  | 'no-backend';

/** What the engine has to do with a datagram. */
export const Verdict = {
  relay: 1,
  /** Relay, and take the source as the backend's TID. */
  relayAndPin: 2,
  /** Relay; the transfer has ended and `result` is set. */
  relayAndEnd: 3,
  /** An ERROR as the first reply: all of the above. */
  relayPinAndEnd: 4,
  /** Relay; the transfer goes on although its end was reported. */
  relayAndResume: 5,
  /** Ask another backend, or relay this ERROR 1 if there is none: then call `errorFromBackend`. */
  retryNotFound: 6,
  dropUnexpected: 7,
  dropUnproven: 8,
  dropAfterError: 9,
} as const;

/** What the engine has to do with a request that repeats the session's own, byte by byte. */
export const RepeatVerdict = { swallow: 1, resend: 2, renew: 3 } as const;

/** What the engine has to do when the session's deadline has passed. */
export const TimerVerdict = {
  wait: 0,
  /** Ask another backend; call `asked` when there is one, `exhausted` when not. */
  retry: 1,
  /** The transfer has ended, `result` is set, and nothing of it is needed any longer. */
  endAndClose: 2,
  /** It had ended before, and nothing of it is needed any longer. */
  close: 3,
} as const;

const Phase = { requesting: 0, running: 1, dallying: 2, lingering: 3, closed: 4 } as const;

/** Silence of the backends that ends a request, from the last time that the client asked. Milliseconds. */
const requestPatience = 15_000;
/** How long the sender of a file may be silent before it has surely got the last ACK: servers repeat after 1 to 5 s. */
const minDally = 6_000;
/** Repeats do not keep an ended session for longer than that. Milliseconds, both. */
const maxDally = 10_000;
/** How long answers to an ERROR are swallowed. Milliseconds. */
const lingerTime = 2_000;
/** Backend silence after which a repeated request is no longer taken for a repetition. Milliseconds. */
const repeatMemory = 10_000;
/** How long after a client's last packet its request may still be a copy that the network has delayed. Milliseconds. */
const maxLateness = 1_000;
/** Seconds (RFC 2349). More would keep a session of two dead peers for as long as one of them pleased. */
const maxTimeout = 255;
/** Datagrams that an address gets before it has proved that it is listening. */
const unprovenAllowance = 3;
const unprovenWindowAllowance = 8;

/** Milliseconds. */
export interface SessionTiming {
  readonly tryInterval: number;
  readonly idleTimeout: number;
}

export class TftpSession {
  readonly #isRead: boolean;
  readonly #retryNotFound: boolean;
  readonly #tryInterval: number;
  #idleTimeout: number;
  /** Counts once the client has answered: a forged request for a long timeout keeps nothing for long. */
  #grantedIdleTimeout = 0;
  #dallyTime = minDally;

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
          this.#askedAt + Math.min(requestPatience, this.#idleTimeout),
        );
      case Phase.running:
        // One end alone, repeating into the void for ever, does not keep a session.
        return Math.min(this.#clientHeardAt, this.#backendHeardAt) + this.#idleTimeout;
      case Phase.dallying:
        return Math.min(this.#activeAt + this.#dallyTime, this.#endedAt + maxDally);
      default:
        return this.#endedAt + lingerTime;
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
    this.#grantedIdleTimeout = 6_000 * Math.min(timeoutSeconds, maxTimeout);
    this.#dallyTime = Math.min(maxDally, Math.max(minDally, 2_000 * timeoutSeconds));
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
      return now - this.#clientHeardAt < maxLateness ? RepeatVerdict.swallow : RepeatVerdict.renew;
    }
    if (now - this.#backendHeardAt >= repeatMemory) return RepeatVerdict.renew;
    // What was owed may all have been lost. One datagram for one request is no amplification by numbers.
    this.#owedWithoutProof -= 1;
    return RepeatVerdict.swallow;
  }

  onTimer(now: number): number {
    if (now < this.deadline) return TimerVerdict.wait;
    if (this.#phase === Phase.requesting) {
      const outOfPatience = now >= this.#askedAt + Math.min(requestPatience, this.#idleTimeout);
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
    return Math.max(unprovenAllowance, Math.min(this.#windowSize, unprovenWindowAllowance));
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

function resultOfBackendError(code: number): SessionResult {
  switch (code) {
    case ErrorCode.fileNotFound:
      return 'not-found';
    case ErrorCode.accessViolation:
      return 'denied';
    default:
      return 'error';
  }
}
