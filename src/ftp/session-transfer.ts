/**
 * One transfer command, from its data connections to its final reply.
 *
 *                legs ready            final reply told, data not over
 *   preparing ──────────────▶ awaiting ──────────────────────────────▶ settling
 *       │                        │                                        │
 *       │ 425, 426, 530          │ final reply told, data over            │ data over
 *       └────────────────────────┴───────────────▶ over ◀─────────────────┘
 *
 * Rules
 *  1. The command goes out when the backend's leg is ready and, if the client listens, its leg is open. A client that
 *     connects may do so later: an error must reach it although it never did.
 *  2. Bytes flow as soon as the command is out and both legs are open, whatever was replied so far.
 *  3. The final reply is told once, by session-verdict.ts: a success only behind a clean end of the data.
 *  4. An error is told at once. If the transfer had begun (1xx), its data have some time to end; if not, the pair stays
 *     as the backend left it, and the next transfer command may use it.
 *  5. No command but ABOR and STAT goes to the backend before the transfer is over. QUIT waits with the others, because
 *     it takes effect behind the transfer (RFC 959 section 4.1.1) and some servers would end it.
 *  6. ABOR breaks the data at once, wherever it stands in front of the next transfer command, and goes out when it is the
 *     next; if it is that already, in front of the break, which the backend then knows the reason of. Its reply is the
 *     one behind the transfer's final one.
 *  7. Each command to the backend is owed a reply. Whoever is not given it ends the session, because the reply would be
 *     taken for the next command's.
 *  8. Some backends have one reply for a broken transfer and its ABOR. So an ABOR without an answer is followed by PWD:
 *     replies come in the order of the commands, and nothing but PWD is answered with 257. Behind it none can be late.
 */
import { type Command, encodeCommand, transferVerbs, urgentVerbs } from './commands.ts';
import type { DataAbort, Direction, FtpSessionEnd, FtpTransferResult } from './effects.ts';
import { encodeLines } from './lines.ts';
import { classOf, type Reply } from './replies.ts';
import {
  abortSuccessful,
  noDataConnection,
  replyOf,
  serviceClosing,
  transferAborted,
  type TransferFailure,
} from './session-answers.ts';
import { BackendLeg } from './session-backend-leg.ts';
import type { SessionContext, Work } from './session-context.ts';
import type { DataEvent, DataPair } from './session-data.ts';
import type { ClientQueue } from './session-queue.ts';
import { TransferData } from './session-transfer-data.ts';
import { isStatusReply, TransferVoice } from './session-verdict.ts';

export interface TransferRequest {
  readonly command: Command;
  readonly direction: Direction;
}

/** Milliseconds for the answer to ABOR, once the transfer has got its own. */
const abortPatience = 1_000;
const pathReply = 257;

type Stage = 'preparing' | 'awaiting' | 'settling' | 'over';

export class Transfer implements Work {
  readonly #context: SessionContext;
  readonly #command: Command;
  readonly #direction: Direction;
  readonly #data: TransferData;
  readonly #voice: TransferVoice;
  readonly #leg: BackendLeg;
  readonly #startedAt: number;
  #stage: Stage = 'preparing';
  /** A 1xx was told. */
  #hasBegun = false;
  /** The backend's final reply, perhaps not told yet. */
  #reply: Reply | undefined;
  /** ABOR or STAT, until its reply has come. */
  #urgent: string | undefined;
  /** PWD was asked (rule 8), and is not answered. */
  #isPathAsked = false;
  /** An error in answer to STAT: in front of the transfer's final reply it would be taken for that. */
  #statError: Reply | undefined;
  /** As it was when the final reply was told. */
  #result: FtpTransferResult | undefined;

  constructor(context: SessionContext, pair: DataPair, request: TransferRequest, now: number) {
    this.#context = context;
    this.#command = request.command;
    this.#direction = request.direction;
    this.#startedAt = now;
    this.#voice = new TransferVoice(context.voice);
    this.#data = new TransferData(context, pair, request.direction);
    this.#data.connect(now);
    this.#leg = new BackendLeg(context, pair, now);
    this.#advance(now);
  }

  onReply(reply: Reply, now: number): boolean {
    const isExpected = this.#stage === 'preparing' ? this.#onOwnReply(reply, now) : this.#onOtherReply(reply);
    if (isExpected) this.#advance(now);
    return isExpected;
  }

  onData(event: DataEvent, now: number): void {
    switch (event.kind) {
      case 'relay-done':
        this.#data.onRelayDone(event.outcome, now);
        break;
      case 'client-failed':
        this.#onLegLost(this.#data.clientLoss, now);
        break;
      case 'backend-failed':
        if (this.#stage === 'preparing') this.#leg.onData(event, now);
        else this.#onBackendLegLost(now);
        break;
      case 'backend-listening':
      case 'backend-open':
        if (this.#stage === 'preparing') this.#leg.onData(event, now);
        break;
      case 'client-listening':
      case 'client-open':
    }
    this.#advance(now);
  }

  onTimer(name: 'work' | 'data', now: number): void {
    if (name === 'data') this.#onLegMissing(now);
    else if (this.#stage === 'settling') this.#data.break('refused', 'backend-error', now);
    else if (this.#stage === 'preparing' && !this.#leg.isReplyOwed) this.#leg.onTimeout(now);
    else if (this.#urgent === 'ABOR' && this.#voice.isAnswered && !this.#isPathAsked) this.#askPath(now);
    else {
      this.#context.end('reply-timeout', replyOf(serviceClosing), now);
      return;
    }
    this.#advance(now);
  }

  onQueue(queue: ClientQueue, now: number): void {
    if (queue.isClosed && !queue.has('QUIT')) {
      // As if it had sent ABOR and QUIT (RFC 959 section 4.1.1).
      this.#context.end('client-closed', undefined, now);
      return;
    }
    const isAborted = queue.hasInFrontOf('ABOR', transferVerbs) && !this.#context.options.denied.has('ABOR');
    const { head } = queue;
    if (head?.kind === 'command' && this.#mayPass(head.command)) {
      queue.take();
      this.#passUrgent(head.command, now);
    }
    if (isAborted) this.#onAbort(now);
  }

  abandon(end: FtpSessionEnd, now: number): void {
    const cause = causes[end] ?? 'shutdown';
    this.#data.break('session-end', cause, now);
    if (!this.#voice.isAnswered) {
      this.#result = this.#data.failure ?? cause;
      if (end !== 'client-reset') this.#voice.fail(this.#failure);
    }
    if (this.#voice.isAnswered) this.#tellStatError();
    if (this.#urgent === 'ABOR' && this.#voice.isAnswered) this.#voice.afterwards(replyOf(abortSuccessful));
    this.#report(now);
  }

  /** What is told in place of a success that is none. */
  get #failure(): TransferFailure {
    const hasData = this.#data.isRelaying || this.#data.cause === 'client-abort';
    return hasData ? transferAborted : noDataConnection;
  }

  #advance(now: number): void {
    if (this.#stage === 'preparing' && !this.#voice.isAnswered) this.#prepare(now);
    if (this.#stage === 'awaiting') this.#await();
    if (this.#stage !== 'over' && this.#voice.isAnswered) this.#settle(now);
  }

  #prepare(now: number): void {
    if (this.#leg.hasFailed) {
      this.#giveUp('other-leg', this.#leg.refusal === undefined ? 'no-backend-data' : 'refused', now);
      return;
    }
    if (!this.#leg.isReady) return;
    this.#context.timers.clear('work');
    if (this.#data.isClientReady) this.#forward(now);
  }

  /** The transfer ends before the backend has heard of it. */
  #giveUp(reason: DataAbort, cause: FtpTransferResult, now: number): void {
    this.#data.break(reason, cause, now);
    const { refusal } = this.#leg;
    if (refusal === undefined) this.#voice.fail(this.#failure);
    else this.#voice.finish(refusal, this.#data.outcome, this.#failure);
  }

  #forward(now: number): void {
    const { effects, facts, timers, options } = this.#context;
    this.#stage = 'awaiting';
    facts.onForwarded(this.#command);
    effects.toBackend(encodeLines([this.#command.text]));
    timers.set('work', now + options.timeouts.finalReply);
    this.#data.expectLegs(now);
  }

  #await(): void {
    this.#data.relayIfOpen();
    if (this.#reply === undefined || this.#voice.isAnswered) return;
    this.#voice.finish(this.#reply, this.#data.outcome, this.#failure);
  }

  /** The final reply was told. What else has to come? */
  #settle(now: number): void {
    const { timers, options } = this.#context;
    if (this.#result === undefined && this.#urgent === 'ABOR') timers.set('work', now + abortPatience);
    this.#result ??= this.#currentResult();
    this.#tellStatError();
    if (this.#leg.isReplyOwed) return;
    if (this.#urgent !== undefined || this.#isPathAsked) {
      if (!timers.has('work')) timers.set('work', now + options.timeouts.finalReply);
      return;
    }
    const isKept = this.#data.outcome === undefined && !this.#hasBegun;
    if (isKept || this.#data.outcome !== undefined) this.#finish(now);
    else if (this.#data.isRelaying) this.#letDataEnd(now);
    else {
      this.#data.break('refused', 'backend-error', now);
      this.#finish(now);
    }
  }

  #tellStatError(): void {
    if (this.#statError !== undefined) this.#voice.afterwards(this.#statError);
    this.#statError = undefined;
  }

  #letDataEnd(now: number): void {
    if (this.#stage === 'settling') return;
    this.#stage = 'settling';
    this.#context.timers.set('work', now + this.#context.options.timeouts.settle);
  }

  #finish(now: number): void {
    this.#stage = 'over';
    this.#context.timers.clear('work', 'data');
    this.#context.data.awaitClient(now);
    this.#report(now);
    this.#context.done();
  }

  #onOwnReply(reply: Reply, now: number): boolean {
    return this.#voice.isAnswered ? this.#leg.onLateReply(reply) : this.#leg.onReply(reply, now);
  }

  #onOtherReply(reply: Reply): boolean {
    const isFinalKnown = this.#reply !== undefined;
    if (classOf(reply.code) === 'preliminary') {
      if (isFinalKnown) return this.#urgent !== undefined || this.#isPathAsked;
      this.#hasBegun = true;
      this.#voice.begin(reply);
      return true;
    }
    if (this.#urgent === 'STAT' && this.#isAnswerToStat(reply.code)) {
      this.#urgent = undefined;
      if (isStatusReply(reply.code)) this.#voice.status(reply);
      else this.#statError = reply;
      return true;
    }
    if (!isFinalKnown) {
      this.#reply = reply;
      return true;
    }
    return this.#onLastReply(reply);
  }

  /** Behind the transfer's final one: to ABOR, or to PWD in front of which ABOR got none. */
  #onLastReply(reply: Reply): boolean {
    const isToPath = this.#isPathAsked && (this.#urgent === undefined || reply.code === pathReply);
    if (this.#urgent !== 'ABOR' && !isToPath) return false;
    if (this.#urgent === 'ABOR') this.#voice.afterwards(isToPath ? replyOf(abortSuccessful) : reply);
    this.#urgent = undefined;
    this.#isPathAsked &&= !isToPath;
    return true;
  }

  #askPath(now: number): void {
    const { effects, timers, options } = this.#context;
    this.#isPathAsked = true;
    effects.toBackend(encodeCommand('PWD'));
    timers.set('work', now + options.timeouts.settle);
  }

  /** Servers answer STAT in the midst of a transfer or behind it; an error in its place must not end the transfer. */
  #isAnswerToStat(code: number): boolean {
    if (isStatusReply(code)) return true;
    if (this.#reply !== undefined) return code >= 400;
    return this.#hasBegun && code >= 500 && code <= 504;
  }

  #onLegLost(cause: FtpTransferResult, now: number): void {
    if (this.#stage === 'preparing') this.#giveUp('other-leg', cause, now);
    else this.#data.break('other-leg', cause, now);
  }

  #onBackendLegLost(now: number): void {
    const cause = this.#data.backendLoss;
    if (cause === 'no-backend-data') this.#leg.onNeverOpened();
    this.#onLegLost(cause, now);
  }

  #onLegMissing(now: number): void {
    if (this.#data.pair.clientLeg === 'open') this.#onBackendLegLost(now);
    else this.#onLegLost('no-client-data', now);
  }

  #onAbort(now: number): void {
    if (this.#stage === 'preparing' && !this.#voice.isAnswered) this.#giveUp('abor', 'client-abort', now);
    else this.#data.break('abor', 'client-abort', now);
    this.#advance(now);
  }

  #mayPass(command: Command): boolean {
    if (this.#stage !== 'awaiting' || this.#urgent !== undefined || this.#isPathAsked) return false;
    if (command.verb === 'QUIT' || !urgentVerbs.has(command.verb)) return false;
    return !this.#context.options.denied.has(command.verb);
  }

  #passUrgent(command: Command, now: number): void {
    const { effects, timers, options } = this.#context;
    this.#urgent = command.verb;
    effects.toBackend(encodeLines([command.text]));
    if (command.verb === 'ABOR') timers.set('work', now + options.timeouts.settle);
  }

  #currentResult(): FtpTransferResult {
    if (this.#voice.isDelivered) return 'ok';
    const { failure } = this.#data;
    if (failure !== undefined && !this.#isExplained(failure)) return failure;
    return this.#hasBegun ? 'backend-error' : 'refused';
  }

  /** A backend that refuses or gives up may break its data connection: which of the two is seen first says nothing. */
  #isExplained(failure: FtpTransferResult): boolean {
    if (failure !== 'backend-reset' && failure !== 'no-backend-data') return false;
    const { code } = this.#voice;
    return code !== undefined && code !== noDataConnection.code && code !== transferAborted.code;
  }

  #report(now: number): void {
    const { effects, facts } = this.#context;
    const { pair, outcome } = this.#data;
    effects.transferEnded({
      verb: this.#command.verb,
      path: this.#command.argument,
      user: facts.user,
      direction: this.#direction,
      type: facts.type,
      clientMode: pair.clientMode,
      backendMode: pair.backendMode,
      generation: pair.generation,
      bytes: outcome?.bytes ?? 0,
      startedAt: this.#startedAt,
      endedAt: now,
      result: this.#result ?? this.#currentResult(),
      code: this.#voice.code,
    });
  }
}

/** What the end of the session is to a transfer that it meets. */
const causes: Readonly<Partial<Record<FtpSessionEnd, FtpTransferResult>>> = {
  'client-closed': 'client-lost',
  'client-reset': 'client-lost',
  'backend-closed': 'backend-lost',
  'backend-reset': 'backend-lost',
  'backend-protocol': 'backend-lost',
  'reply-timeout': 'reply-timeout',
};
