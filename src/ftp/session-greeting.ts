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
 *  3. When nobody is left to ask the client gets 421.
 */
import type { GreetingFailure, NoBackend } from './effects.ts';
import type { Reply } from './replies.ts';
import { replyOf, serviceClosing } from './session-answers.ts';
import type { SessionContext } from './session-context.ts';

export class Greeting {
  readonly #context: SessionContext;
  #state: 'unasked' | 'seeking' | 'greeted' = 'unasked';
  #user = '';
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
    this.#context.timers.set('work', now + this.#context.options.timeouts.greeting);
  }

  onUnavailable(): void {
    this.#tries += 1;
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

  /** False: it is no greeting. */
  onReply(reply: Reply, now: number): boolean {
    const { effects, facts, timers } = this.#context;
    if (reply.code === 120) {
      this.onConnected(now);
      return true;
    }
    if (reply.code !== 220 && reply.code !== 230) return false;
    this.#state = 'greeted';
    timers.clear('work');
    effects.greeted();
    if (reply.code === 230) {
      facts.onLogin();
      effects.loggedIn(facts.user);
    }
    return true;
  }

  onFailure(reason: GreetingFailure): void {
    const { effects, timers } = this.#context;
    timers.clear('work');
    this.#context.dropBackend('reset');
    effects.greetingFailed(reason);
    this.onUnavailable();
  }
}
