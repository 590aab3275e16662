/**
 * From the client's connection to the 220 that it sees.
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
  /** Backends that were asked. */
  #tries = 1;
  #isOver = false;

  constructor(context: SessionContext) {
    this.#context = context;
    context.effects.connectBackend();
  }

  get tries(): number {
    return this.#tries;
  }

  /** Whether a backend was found. */
  get isOver(): boolean {
    return this.#isOver;
  }

  onConnected(now: number): void {
    this.#context.timers.set('work', now + this.#context.options.timeouts.greeting);
  }

  onUnavailable(): void {
    this.#tries += 1;
    this.#context.effects.connectBackend();
  }

  onNobodyLeft(reason: NoBackend, now: number): void {
    this.#tries -= 1;
    this.#context.end(reason, replyOf(serviceClosing), now);
  }

  /** False: it is no greeting. */
  onReply(reply: Reply, now: number): boolean {
    const { effects, facts, timers, voice } = this.#context;
    if (reply.code === 120) {
      this.onConnected(now);
      return true;
    }
    if (reply.code !== 220 && reply.code !== 230) return false;
    this.#isOver = true;
    timers.clear('work');
    effects.greeted();
    if (reply.code === 230) {
      facts.onLogin();
      effects.loggedIn(facts.user);
    }
    voice.pass(reply);
    return true;
  }

  onFailure(reason: GreetingFailure): void {
    const { effects, timers } = this.#context;
    timers.clear('work');
    effects.closeBackend('reset');
    effects.greetingFailed(reason);
    this.onUnavailable();
  }
}
