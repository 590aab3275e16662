/**
 * How a session gets its backend.
 *
 *            seek            220, 230
 *  unasked ────────▶ seeking ────────▶ greeted
 *     ▲               │ ▲ │               │
 *     │               └─┘ │ unknown user  │ leave
 *     │       next backend│               │
 *     └───────────────────┴───────────────┘
 *
 *  1. 220 is good, and so is 230, which asks for no login. 120 asks to wait (RFC 959 section 5.4).
 *  2. Anything else, silence, the end of the connection or what is no FTP: the next backend is asked. The client has
 *     seen nothing of it, and what it has sent meanwhile is kept.
 *  3. A backend that is to be under TLS has greeted only when it is (session-backend-security.ts).
 *  4. When nobody is left to ask the client gets 421.
 */
import type { GreetingFailure, NoBackend } from './effects.ts';
import type { Reply } from './replies.ts';
import { replyOf, serviceClosing } from './session-answers.ts';
import { BackendSecuring } from './session-backend-security.ts';
import type { SessionContext } from './session-context.ts';

export class Greeting {
  readonly #context: SessionContext;
  #state: 'unasked' | 'seeking' | 'greeted' = 'unasked';
  #user = '';
  /** 220 or 230, once it was said. */
  #welcome: Reply | undefined;
  #securing: BackendSecuring | undefined;
  /** Backends that were asked. */
  #tries = 0;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  get tries(): number {
    return this.#tries;
  }

  get isSeeking(): boolean {
    return this.#state === 'seeking';
  }

  /** Whether the session has a backend. */
  get isGreeted(): boolean {
    return this.#state === 'greeted';
  }

  /** What the backend has greeted with. */
  get welcome(): Reply | undefined {
    return this.#welcome;
  }

  /** `user` is empty where the backend does not depend on it. */
  seek(user: string): void {
    this.#state = 'seeking';
    this.#user = user;
    this.onUnavailable();
  }

  /** The backend that has greeted is not the right one any more. */
  leave(): void {
    const { data, facts, failedForms } = this.#context;
    this.#state = 'unasked';
    facts.onLeft();
    data.abandon('replaced');
    failedForms.clear();
    this.#context.dropBackend('fin');
  }

  onConnected(now: number): void {
    this.#wait(now);
    const { security } = this.#context;
    const isImplicit = security.policy.isBackendImplicit && security.isBackendWanted;
    if (isImplicit) this.#context.secureBackend();
  }

  onUnavailable(): void {
    this.#tries += 1;
    this.#welcome = undefined;
    this.#securing = undefined;
    this.#context.effects.connectBackend(this.#user);
  }

  onNobodyLeft(reason: NoBackend, now: number): void {
    this.#tries -= 1;
    this.#context.end(reason, replyOf(serviceClosing), now);
  }

  onUnknownUser(): void {
    this.#tries -= 1;
    this.#state = 'unasked';
  }

  /** Returns why the backend is of no use, if it is not. */
  onReply(reply: Reply, now: number): GreetingFailure | undefined {
    if (this.#securing !== undefined) return this.#onSecuringReply(this.#securing, reply, now);
    if (reply.code === 120) {
      this.#wait(now);
      return undefined;
    }
    if (reply.code !== 220 && reply.code !== 230) return 'refused';
    this.#welcome = reply;
    this.#securing = new BackendSecuring(this.#context, now);
    if (this.#securing.state === 'done') this.#greet();
    return undefined;
  }

  onFailure(reason: GreetingFailure): void {
    const { effects, timers } = this.#context;
    timers.clear('work');
    this.#context.dropBackend('reset');
    effects.greetingFailed(reason);
    this.onUnavailable();
  }

  #onSecuringReply(securing: BackendSecuring, reply: Reply, now: number): GreetingFailure | undefined {
    if (reply.code === 421) return 'refused';
    securing.onReply(reply, now);
    const { state } = securing;
    if (state === 'done') this.#greet();
    return state === 'refused' || state === 'malformed' ? 'tls' : undefined;
  }

  #greet(): void {
    const { effects, facts, timers } = this.#context;
    this.#state = 'greeted';
    timers.clear('work');
    effects.greeted();
    if (this.#welcome?.code !== 230) return;
    facts.onLogin();
    effects.loggedIn(facts.user);
  }

  #wait(now: number): void {
    this.#context.timers.set('work', now + this.#context.options.timeouts.greeting);
  }
}
