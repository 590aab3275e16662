/**
 * Carries one transfer between the two legs of an FTP data connection.
 *
 *   source ──data──▶ relay ──data──▶ target      (the other way nothing should come; what comes is read and dropped)
 *
 *   streaming ──FIN of the source──▶ lingering ──FIN of the target, or time──▶ clean
 *       │                                │
 *       └────────────────────────────────┴──reset, failure, stall, abort──▶ broken
 *
 * Rules
 *  1. While anything is pending the source is paused. So when its FIN is seen, every byte has left this process.
 *  2. The target gets its FIN behind the last byte, and only if the source has ended with a FIN.
 *  3. The source gets ours when the target is done, so that until then a broken target can still be passed on to it as
 *     a reset.
 *  4. Broken means that both legs are reset: nobody takes a part for the whole. If it was the backend that broke its
 *     own, the client's is reset a moment later: a server that refuses a transfer may break its connection before it says
 *     why, and a client whose connection is broken may no longer listen.
 *  5. A target that ended its own direction before it had everything may have closed altogether. It says so by a
 *     reset, a moment after it was sent something: it gets its FIN only after that moment, and only its close tells,
 *     as nothing is read behind the end of a direction.
 *  6. A leg that was reported as clean is never reset afterwards.
 */
import type { Direction, RelayEnd, RelayOutcome } from '../ftp/effects.ts';
import type { Clock, NetError, Timer } from '../net/net.ts';
import type { TcpEnd, TcpHandlers, TcpSocket } from '../net/tcp.ts';

/** One open leg, and what its peer has said so far. */
export interface DataLink {
  readonly socket: TcpSocket;
  /** What was read; the socket is paused then. */
  readonly early: Uint8Array | undefined;
  /** Whether its FIN was read, with nothing before it. */
  readonly isEnded: boolean;
}

/** From here on both are the relay's. */
export interface DataPair {
  readonly client: DataLink;
  readonly backend: DataLink;
  readonly direction: Direction;
}

export interface RelayOptions {
  /** Milliseconds without a byte after which the transfer is given up. */
  readonly stallTimeout: number;
  /** Is told of payload as it is written. */
  readonly onBytes: (count: number) => void;
  /** Takes over a leg that is over on our side: it wants an `end`, and to be waited for. */
  readonly dismiss: (socket: TcpSocket) => void;
  /** A leg broke, and there is more to it than a reset. */
  readonly onFault: (leg: 'client' | 'backend', error: NetError) => void;
  /** Takes over a leg that wants a reset, and that a little later. */
  readonly breakLater: (socket: TcpSocket) => void;
}

export interface DataRelay {
  /** Payload that was written so far. */
  readonly bytes: number;
  /** Never rejects. The relay has let go of both legs by then. */
  readonly done: Promise<RelayOutcome>;
  /** Resets both legs. Does nothing when it is over. */
  abort(): void;
}

/** Milliseconds that the target has for its own FIN once it has everything. */
const lingerTime = 1_000;
/** Milliseconds in which a target that has closed altogether says so: more than most round trips. */
const doubtTime = 250;

export class StreamRelay implements DataRelay {
  readonly done: Promise<RelayOutcome>;
  readonly #clock: Clock;
  readonly #options: RelayOptions;
  readonly #source: TcpSocket;
  readonly #target: TcpSocket;
  readonly #client: TcpSocket;
  readonly #ofSource: RelayEnd;
  readonly #ofTarget: RelayEnd;
  readonly #resolve: (outcome: RelayOutcome) => void;
  #bytes = 0;
  #movedAt: number;
  #stallTimer: Timer | undefined;
  #lingerTimer: Timer | undefined;
  #isSourceEnded = false;
  #isTargetEnded = false;
  #isTargetClosed = false;
  #isOver = false;

  constructor(clock: Clock, { client, backend, direction }: DataPair, options: RelayOptions) {
    const { promise, resolve } = Promise.withResolvers<RelayOutcome>();
    const isDownload = direction === 'download';
    const [source, target] = isDownload ? [backend, client] : [client, backend];
    this.done = promise;
    this.#resolve = resolve;
    this.#clock = clock;
    this.#options = options;
    this.#source = source.socket;
    this.#target = target.socket;
    this.#client = client.socket;
    [this.#ofSource, this.#ofTarget] = isDownload
      ? ['backend-reset', 'client-reset']
      : ['client-reset', 'backend-reset'];
    this.#movedAt = clock.now();
    this.#begin(source, target);
  }

  get bytes(): number {
    return this.#bytes;
  }

  abort(): void {
    this.#break('aborted');
  }

  #begin(source: DataLink, target: DataLink): void {
    this.#watchForStall();
    this.#isTargetEnded = target.isEnded;
    this.#target.handle(this.#targetHandlers());
    this.#source.handle(this.#sourceHandlers());
    this.#target.resume();
    this.#source.resume();
    if (source.early) this.#onData(source.early);
    if (source.isEnded) this.#onSourceEnd();
  }

  #sourceHandlers(): TcpHandlers {
    return {
      // Rule 1: as long as the target needs it, the source is paused.
      borrows: true,
      onData: (data) => this.#onData(data),
      onEnd: () => this.#onSourceEnd(),
      onDrain: () => undefined,
      onClose: (_, error) => this.#onSourceClose(error),
    };
  }

  #targetHandlers(): TcpHandlers {
    return {
      borrows: true,
      // Read all the same: unread bytes would turn our own close into a reset.
      onData: () => undefined,
      onEnd: () => {
        this.#isTargetEnded = true;
      },
      onDrain: () => this.#onDrain(),
      onClose: (end, error) => this.#onTargetClose(end, error),
    };
  }

  #onData(data: Uint8Array): void {
    if (this.#isOver) return;
    this.#bytes += data.length;
    this.#options.onBytes(data.length);
    this.#movedAt = this.#clock.now();
    if (!this.#target.write(data)) this.#source.pause();
  }

  #onDrain(): void {
    if (this.#isOver) return;
    this.#movedAt = this.#clock.now();
    this.#source.resume();
  }

  #onSourceEnd(): void {
    if (this.#isOver) return;
    this.#isSourceEnded = true;
    if (this.#isTargetEnded) {
      this.#lingerTimer = this.#clock.setTimer(doubtTime, () => this.#endTarget(doubtTime));
    } else this.#endTarget(lingerTime);
  }

  #endTarget(wait: number): void {
    this.#target.end();
    this.#linger(wait);
  }

  /** An end that has not gone to the system, such as one behind a handshake that does not come, is waited for. */
  #linger(wait: number): void {
    this.#lingerTimer = this.#clock.setTimer(wait, () => {
      if (this.#target.pending > 0) this.#linger(wait);
      else this.#finish();
    });
  }

  #onSourceClose(error: NetError | undefined): void {
    this.#tellFault(this.#source, error);
    this.#break(this.#ofSource);
  }

  /** Clean: its own FIN has come, which is the best proof that it has read everything. */
  #onTargetClose(end: TcpEnd, error: NetError | undefined): void {
    this.#isTargetClosed = true;
    this.#tellFault(this.#target, error);
    if (end === 'clean' && this.#isSourceEnded) this.#finish();
    else this.#break(this.#ofTarget);
  }

  #tellFault(socket: TcpSocket, error: NetError | undefined): void {
    if (error !== undefined && !this.#isOver) {
      this.#options.onFault(socket === this.#client ? 'client' : 'backend', error);
    }
  }

  #break(end: RelayEnd): void {
    if (this.#isOver) return;
    for (const socket of [this.#source, this.#target]) {
      if (end === 'backend-reset' && socket === this.#client) this.#options.breakLater(socket);
      else socket.reset();
    }
    this.#over(end);
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#options.dismiss(this.#source);
    if (!this.#isTargetClosed) this.#options.dismiss(this.#target);
    this.#over('clean');
  }

  #over(end: RelayEnd): void {
    this.#isOver = true;
    this.#lingerTimer?.cancel();
    this.#stallTimer?.cancel();
    this.#resolve({ bytes: this.#bytes, end });
  }

  #watchForStall(): void {
    const wait = this.#movedAt + this.#options.stallTimeout - this.#clock.now();
    if (wait <= 0) this.#break('stalled');
    else this.#stallTimer = this.#clock.setTimer(wait, () => this.#watchForStall());
  }
}
