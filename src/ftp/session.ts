/**
 * One FTP control connection as the balancer sees it. No I/O, no clock: the engine tells what has happened, and the
 * session tells the engine what to do (effects.ts).
 *
 *             220, 230            command
 *  greeting ────────────▶ idle ──────────────▶ working ─┐
 *     │ ▲                  │ ▲    final reply     │      │ 1xx, data
 *     └─┘ next backend     │ └────────────────────┘ ◀────┘
 *     │                    │                      │
 *     └── nobody left ─────┴── 421, end, time ────┴────▶ over
 *
 *  Where the backend depends on the user, a reception in front of all that greets the client (session-reception.ts).
 *
 * Rules
 *  1. A client's commands are taken one after the other. The next one is taken when the one before has got its final
 *     reply and its data connections are over; until then it waits, and when too many wait nothing more is read.
 *  2. Every command that was taken gets one final reply, in the order of the commands. A session that cannot keep to
 *     that ends with 421.
 *  3. A success of a transfer is told only if the data have ended clean on both legs (session-verdict.ts).
 *  4. A reply that nobody waits for ends the session, as does one that is given up: replies carry no names, and from
 *     then on each would be taken for another command's. 421 alone may come at any time (RFC 959 section 5.4).
 *  5. A session stays with the backend that has greeted it, but for another user who has to have another one and is
 *     not logged in yet. If the backend is lost, so is the session.
 *  6. A client that does not read is not written to: the backend is paused, and no command is taken.
 *
 * One file each has the greeting, the commands that pass, PASV and EPSV, transfers, and the backend's side of them.
 */
import { backendError, FtpProtocolError } from './errors.ts';
import type {
  CloseHow,
  FtpEffects,
  FtpInputs,
  FtpSessionEnd,
  FtpSessionOptions,
  NoBackend,
} from './effects.ts';
import type { Reply } from './replies.ts';
import { Transfer } from './session-transfer.ts';
import { begin } from './session-commands.ts';
import * as answers from './session-answers.ts';
import type { SessionContext, Work } from './session-context.ts';
import { DataChannel, type DataEvent } from './session-data.ts';
import { DataInputs } from './session-data-inputs.ts';
import { SessionFacts } from './session-facts.ts';
import { Greeting } from './session-greeting.ts';
import { Reception } from './session-reception.ts';
import { ClientQueue, type QueueItem } from './session-queue.ts';
import { Security } from './session-security.ts';
import { BackendReader } from './session-reader.ts';
import { type TimerName, Timers } from './session-timers.ts';
import { ClientVoice } from './session-voice.ts';

/** Ends after which the backend is not owed a proper close. */
const brokenEnds: ReadonlySet<FtpSessionEnd> = new Set([
  'backend-protocol',
  'backend-reset',
  'reply-timeout',
  'shutdown',
]);

export class FtpSession extends DataInputs implements FtpInputs {
  readonly #effects: FtpEffects;
  readonly #options: FtpSessionOptions;
  readonly #timers = new Timers();
  readonly #facts = new SessionFacts();
  readonly #voice: ClientVoice;
  readonly #data: DataChannel;
  readonly #queue: ClientQueue;
  readonly #security: Security;
  readonly #context: SessionContext;
  readonly #greeting: Greeting;
  /** Undefined where the backend does not depend on the user. */
  readonly #reception: Reception | undefined;
  #reader: BackendReader;
  #work: Work | undefined;
  #startedAt = 0;
  #transfers = 0;
  #isPaused = false;
  #isDraining = false;
  #isOver = false;

  constructor(options: FtpSessionOptions, effects: FtpEffects) {
    super();
    this.#options = options;
    this.#effects = effects;
    this.#voice = new ClientVoice(effects);
    this.#data = new DataChannel(effects, this.#timers, options.timeouts);
    this.#queue = new ClientQueue(options.maxWaiting, options.caps.clientLine);
    this.#reader = new BackendReader(options.caps);
    this.#security = new Security(options.security);
    this.#context = {
      effects,
      options,
      timers: this.#timers,
      voice: this.#voice,
      facts: this.#facts,
      data: this.#data,
      security: this.#security,
      failedForms: new Set(),
      dropBackend: (how) => this.#dropBackend(how),
      hasBackend: () => this.#greeting.isGreeted,
      secureClient: (now) => this.#secureClient(now),
      secureBackend: () => this.#secureBackend(),
      done: () => {
        this.#work = undefined;
      },
      end: (end, last, now) => {
        this.#end(end, last, now);
      },
    };
    this.#greeting = new Greeting(this.#context);
    this.#reception = options.isByUser ? new Reception(this.#context, this.#greeting) : undefined;
  }

  get deadline(): number {
    return this.#timers.next;
  }

  start(now: number): void {
    this.#startedAt = now;
    this.#timers.set('login', now + this.#options.timeouts.login);
    if (this.#security.policy.isClientImplicit) this.#effects.secureClient();
    if (this.#reception === undefined) this.#greeting.seek('');
    else this.#reception.greet();
  }

  onTimer(now: number): void {
    this.#turn(now, () => {
      for (let name = this.#timers.take(now); name !== undefined; name = this.#timers.take(now)) {
        this.#onTimeout(name, now);
      }
    });
  }

  drain(now: number): void {
    this.#turn(now, () => {
      this.#isDraining = true;
      if (this.#greeting.isSeeking) this.#endDrained(now);
    });
  }

  shutdown(now: number): void {
    this.#turn(now, () => {
      this.#end('shutdown', answers.replyOf(answers.serviceClosing), now);
    });
  }

  onClientBytes(bytes: Uint8Array, now: number): void {
    this.#turn(now, () => {
      this.#queue.push(bytes);
    });
  }

  onClientEnd(now: number): void {
    this.#turn(now, () => {
      this.#queue.close();
      if (this.#greeting.isSeeking && this.#queue.head === undefined) {
        this.#end('client-closed', undefined, now);
      }
    });
  }

  onClientReset(now: number): void {
    this.#turn(now, () => {
      this.#end('client-reset', undefined, now);
    });
  }

  onClientDrain(now: number): void {
    this.#turn(now, () => {
      this.#voice.onDrain();
    });
  }

  onBackendConnected(now: number): void {
    this.#turn(now, () => this.#greeting.onConnected(now));
  }

  onBackendUnavailable(now: number): void {
    this.#turn(now, () => this.#greeting.onUnavailable());
  }

  onNoBackend(reason: NoBackend, now: number): void {
    this.#turn(now, () => this.#greeting.onNobodyLeft(reason, now));
  }

  onUnknownUser(now: number): void {
    this.#turn(now, () => this.#reception?.onUnknownUser());
  }

  onBackendBytes(bytes: Uint8Array, now: number): void {
    this.#turn(now, () => {
      this.#reader.push(bytes);
      this.#readReplies(now);
    });
  }

  onBackendEnd(now: number): void {
    this.#turn(now, () => {
      this.#onBackendLost('backend-closed', now);
    });
  }

  onBackendReset(now: number): void {
    this.#turn(now, () => {
      this.#onBackendLost('backend-reset', now);
    });
  }

  /** Every input is one turn: what it says, and then whatever has become possible by it. */
  #turn(now: number, input: () => void): void {
    if (this.#isOver) return;
    input();
    this.#proceed(now);
  }

  #proceed(now: number): void {
    while (this.#canProceed()) {
      this.#work ??= this.#reception?.introduction();
      if (this.#work === undefined && !this.#takeNext(now)) break;
      this.#work?.onQueue?.(this.#queue, now);
      if (this.#work !== undefined) break;
    }
    if (this.#isOver || this.#isPaused === this.#queue.isFull) return;
    this.#isPaused = this.#queue.isFull;
    if (this.#isPaused) this.#effects.pauseClient();
    else this.#effects.resumeClient();
  }

  #canProceed(): boolean {
    return !this.#isOver && !this.#greeting.isSeeking;
  }

  /** Takes the next command, if there is one and nothing is in its way. */
  #takeNext(now: number): boolean {
    if (this.#isDraining) {
      this.#endDrained(now);
      return false;
    }
    const item = this.#voice.isBlocked ? undefined : this.#queue.take();
    if (item !== undefined) {
      this.#timers.clear('idle');
      this.#begin(item, now);
      this.#watchLogin(now);
      return true;
    }
    const isAllSaid = this.#queue.isClosed && this.#queue.head === undefined;
    if (isAllSaid) this.#end('client-closed', undefined, now);
    else if (!this.#timers.has('idle')) this.#timers.set('idle', now + this.#options.timeouts.idle);
    return false;
  }

  #begin(item: QueueItem, now: number): void {
    switch (item.kind) {
      case 'http':
      case 'proxy-header':
        this.#end(item.kind, answers.replyOf(answers.serviceClosing), now);
        return;
      case 'malformed':
        this.#effects.refused('malformed', '');
        this.#voice.answer(item.answer);
        return;
      case 'command':
        if (this.#reception?.takes(item.command, now) === true) return;
        this.#work = begin(this.#context, item.command, now);
        if (this.#work instanceof Transfer) this.#transfers += 1;
    }
  }

  /** Replies that stand in one segment are all read before the next command is taken: it cannot be theirs. */
  #readReplies(now: number): void {
    try {
      while (!this.#isOver) {
        const reply = this.#reader.next();
        if (reply === undefined) return;
        this.#onReply(reply, now);
      }
    } catch (error) {
      if (!(error instanceof FtpProtocolError)) throw error;
      this.#onMalformed(error, now);
    }
  }

  #onReply(reply: Reply, now: number): void {
    if (this.#greeting.isSeeking) {
      this.#onGreeting(reply, now);
      this.#watchLogin(now);
      return;
    }
    const isExpected = this.#work?.onReply(reply, now) ?? false;
    this.#watchLogin(now);
    if (reply.code === 421) this.#end('backend-closed', isExpected ? undefined : reply, now);
    else if (!isExpected) this.#onMalformed(backendError('a reply that nobody waits for'), now);
  }

  #onGreeting(reply: Reply, now: number): void {
    const failure = this.#greeting.onReply(reply, now);
    if (failure !== undefined) this.#greeting.onFailure(failure);
    const { welcome, isGreeted } = this.#greeting;
    if (isGreeted && welcome !== undefined && this.#reception === undefined) this.#voice.pass(welcome);
  }

  #dropBackend(how: CloseHow): void {
    this.#reader = new BackendReader(this.#options.caps);
    if (this.#security.backendLevel === 'P') this.#effects.protectData('backend', false);
    this.#security.onBackendLeft();
    this.#effects.closeBackend(how);
  }

  #secureClient(now: number): void {
    if (!this.#queue.isEmpty) {
      this.#end('tls-injection', answers.replyOf(answers.serviceClosing), now);
      return;
    }
    this.#voice.answer(answers.secureNow);
    this.#security.isClientSecure = true;
    this.#queue.restart();
    this.#effects.secureClient();
  }

  #secureBackend(): boolean {
    if (!this.#reader.isEmpty) return false;
    this.#security.isBackendSecure = true;
    this.#effects.secureBackend();
    return true;
  }

  #onMalformed(error: FtpProtocolError, now: number): void {
    if (this.#greeting.isSeeking) this.#greeting.onFailure('malformed');
    else this.#end('backend-protocol', answers.replyOf(error.answer), now);
  }

  #onBackendLost(end: 'backend-closed' | 'backend-reset', now: number): void {
    if (this.#greeting.isSeeking) this.#greeting.onFailure('closed');
    else if (this.#work?.onBackendEnd?.(now) !== true) {
      this.#end(end, answers.replyOf(answers.serviceClosing), now);
    }
  }

  protected override onData(generation: number, event: DataEvent, now: number): void {
    this.#turn(now, () => {
      if (!this.#data.onEvent(generation, event)) return;
      if (this.#work?.onData === undefined) this.#data.onIdleEvent(event);
      else this.#work.onData(event, now);
    });
  }

  #onTimeout(name: TimerName, now: number): void {
    switch (name) {
      case 'login':
        this.#end('login-timeout', answers.replyOf(answers.loginTimedOut), now);
        return;
      case 'idle':
        this.#end('idle-timeout', answers.replyOf(answers.idleTimedOut), now);
        return;
      case 'work':
        if (this.#greeting.isSeeking) this.#greeting.onFailure('silent');
        else this.#work?.onTimer(name, now);
        return;
      case 'data':
        if (this.#work instanceof Transfer) this.#work.onTimer(name, now);
        else this.#data.abandon('unused');
    }
  }

  /** Who is not logged in has little time, however much is said. */
  #watchLogin(now: number): void {
    if (this.#isOver || this.#facts.isLoggedIn) this.#timers.clear('login');
    else if (!this.#timers.has('login')) this.#timers.set('login', now + this.#options.timeouts.login);
  }

  #endDrained(now: number): void {
    this.#end('drained', answers.replyOf(answers.serviceClosing), now);
  }

  /** `last` goes behind the final reply of what is in progress. Nothing is left of the session after it. */
  #end(end: FtpSessionEnd, last: Reply | undefined, now: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#work?.abandon(end, now);
    this.#work = undefined;
    this.#data.abandon('session-end');
    if (last !== undefined) this.#voice.pass(last);
    const backendClose: CloseHow = brokenEnds.has(end) ? 'reset' : 'fin';
    this.#effects.closeClient(end === 'client-reset' ? 'reset' : 'fin');
    this.#effects.closeBackend(backendClose);
    this.#timers.clear('login', 'idle', 'work', 'data');
    this.#effects.sessionEnded({
      end,
      user: this.#facts.user,
      isLoggedIn: this.#facts.wasLoggedIn,
      tries: this.#greeting.tries,
      commands: this.#queue.taken,
      transfers: this.#transfers,
      startedAt: this.#startedAt,
      endedAt: now,
    });
  }
}
