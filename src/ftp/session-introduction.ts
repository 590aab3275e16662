import type { Command } from './commands.ts';
import { encodeLines } from './lines.ts';
import { classOf, type Reply } from './replies.ts';
import { replyOf, serviceClosing } from './session-answers.ts';
import type { SessionContext, Work } from './session-context.ts';
import { ForwardedCommand } from './session-forward.ts';
import type { ClientQueue } from './session-queue.ts';

export interface Introduced {
  readonly held: readonly Command[];
  /** The client's USER, whose reply is the first that the client hears. */
  readonly login: Command;
  /** The backend does not know the host that the client means. */
  readonly onHostRefused: () => void;
}

/**
 * Tells a backend that has greeted what the client had said before, one line after the other, and then passes USER on.
 * The client has had its answers: what the backend says about it is not told, and an option that it does not know is
 * left out. A host that it does not know ends the login, because the password is meant for that host alone (RFC 7151).
 */
export class Introduction implements Work {
  readonly #context: SessionContext;
  readonly #introduced: Introduced;
  readonly #lines: Command[];
  /** What the backend owes a reply to. */
  #told: Command | undefined;
  #login: ForwardedCommand | undefined;

  constructor(context: SessionContext, introduced: Introduced) {
    this.#context = context;
    this.#introduced = introduced;
    this.#lines = [...introduced.held];
  }

  /** Each line is told in a turn of its own: a reply that stands behind another one in a segment cannot be its own. */
  onQueue(_: ClientQueue, now: number): void {
    if (this.#told !== undefined || this.#login !== undefined) return;
    const context = this.#context;
    const next = this.#lines.shift();
    if (next === undefined) {
      this.#login = new ForwardedCommand(context, this.#introduced.login, now);
      return;
    }
    this.#told = next;
    context.effects.toBackend(encodeLines([next.text]));
    context.timers.set('work', now + context.options.timeouts.greeting);
  }

  onReply(reply: Reply, now: number): boolean {
    if (this.#login !== undefined) return this.#login.onReply(reply, now);
    const { verb } = this.#told ?? {};
    if (verb === undefined || reply.code === 421) return false;
    const kind = classOf(reply.code);
    if (kind === 'preliminary') return true;
    this.#told = undefined;
    this.#context.timers.clear('work');
    if (verb === 'HOST' && kind !== 'completion') this.#refuseHost();
    return true;
  }

  onTimer(name: 'work' | 'data', now: number): void {
    if (this.#login !== undefined) this.#login.onTimer(name, now);
    else this.#context.end('reply-timeout', replyOf(serviceClosing), now);
  }

  /** The 421 that ends the session answers USER. */
  abandon(): void {}

  #refuseHost(): void {
    this.#context.done();
    this.#introduced.onHostRefused();
  }
}
