import type { Command } from './commands.ts';
import { rewriteFeatures } from './features.ts';
import { encodeLines } from './lines.ts';
import { classOf, type Reply } from './replies.ts';
import { goodbye, replyOf, serviceClosing } from './session-answers.ts';
import type { SessionContext, Work } from './session-context.ts';
import { featureChanges } from './session-rules.ts';

/** After them the client is another one, and what it had asked for is not its own any more. */
const newUserVerbs: ReadonlySet<string> = new Set(['USER', 'REIN']);

/** A command that passes, and waits for its final reply. */
export class ForwardedCommand implements Work {
  readonly #context: SessionContext;
  readonly #command: Command;

  constructor(context: SessionContext, command: Command, now: number) {
    this.#context = context;
    this.#command = command;
    if (newUserVerbs.has(command.verb)) context.data.abandon('replaced');
    context.facts.onForwarded(command);
    context.effects.toBackend(encodeLines([command.text]));
    context.timers.set('work', now + context.options.timeouts.finalReply);
  }

  onReply(reply: Reply, now: number): boolean {
    const { voice, facts, effects, timers } = this.#context;
    if (classOf(reply.code) === 'preliminary') {
      voice.pass(reply);
      return true;
    }
    const wasLoggedIn = facts.isLoggedIn;
    facts.onFinal(this.#command, reply);
    if (facts.isLoggedIn && !wasLoggedIn) effects.loggedIn(facts.user);
    voice.pass(this.#rewritten(reply));
    timers.clear('work');
    this.#context.done();
    if (this.#command.verb === 'QUIT') this.#context.end('quit', undefined, now);
    return true;
  }

  onTimer(_: 'work' | 'data', now: number): void {
    this.#context.end('reply-timeout', replyOf(serviceClosing), now);
  }

  /** Some servers say nothing to QUIT. */
  onBackendEnd(now: number): boolean {
    if (this.#command.verb !== 'QUIT') return false;
    this.#context.end('quit', replyOf(goodbye), now);
    return true;
  }

  /** The 421 that ends the session answers the command. */
  abandon(): void {}

  #rewritten(reply: Reply): Reply {
    return this.#command.verb === 'FEAT'
      ? rewriteFeatures(reply, featureChanges(this.#context.options))
      : reply;
  }
}
