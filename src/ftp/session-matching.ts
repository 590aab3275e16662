import type { Reply } from './replies.ts';
import { replyOf, serviceClosing } from './session-answers.ts';
import { BackendSecuring } from './session-backend-security.ts';
import type { SessionContext, Work } from './session-context.ts';

/** AUTH or PROT of a client, until the backend's leg is as the client's will be. */
export class Matching implements Work {
  readonly #context: SessionContext;
  readonly #securing: BackendSecuring;
  readonly #onSettled: (isMatched: boolean, now: number) => void;

  /** `onSettled` answers the client. It is not told where the backend has matched already. */
  constructor(context: SessionContext, onSettled: (isMatched: boolean, now: number) => void, now: number) {
    this.#context = context;
    this.#onSettled = onSettled;
    this.#securing = new BackendSecuring(context, now);
  }

  onReply(reply: Reply, now: number): boolean {
    if (reply.code === 421) return false;
    this.#securing.onReply(reply, now);
    const { state } = this.#securing;
    if (state === 'asking') return true;
    if (state === 'malformed') return false;
    this.#context.timers.clear('work');
    this.#context.done();
    this.#onSettled(state === 'done', now);
    return true;
  }

  onTimer(_: 'work' | 'data', now: number): void {
    this.#context.end('reply-timeout', replyOf(serviceClosing), now);
  }

  /** The 421 that ends the session answers the command. */
  abandon(): void {}
}
