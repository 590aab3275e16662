/**
 * What a client is told about its transfer: the one place where a transfer can become a success.
 *
 *   final reply of the backend     the relay has     the client is told
 *   ─────────────────────────────────────────────────────────────────────
 *   2xx                            ended clean       that reply
 *                                  not ended         nothing yet
 *                                  ended otherwise   425 or 426
 *   3xx, 4xx, 5xx                  (whatever)        that reply, at once
 *
 * A transfer can write to its client through TransferVoice alone, and nothing in it writes a 2xx in front of or in
 * place of the final reply but `finish`, which asks `verdictOn`.
 */
import type { RelayOutcome } from './effects.ts';
import { classOf, type Reply } from './replies.ts';
import type { TransferFailure } from './session-answers.ts';
import type { ClientVoice } from './session-voice.ts';

export type Verdict = 'pass' | 'wait' | 'broken';

/** `outcome` is undefined for as long as the data connections are not over. */
export function verdictOn(reply: Reply, outcome: RelayOutcome | undefined): Verdict {
  if (classOf(reply.code) !== 'completion') return 'pass';
  if (outcome === undefined) return 'wait';
  return outcome.end === 'clean' ? 'pass' : 'broken';
}

export class TransferVoice {
  readonly #voice: ClientVoice;
  #code: number | undefined;
  #isDelivered = false;

  constructor(voice: ClientVoice) {
    this.#voice = voice;
  }

  /** Of the final reply, once it was given. */
  get code(): number | undefined {
    return this.#code;
  }

  get isAnswered(): boolean {
    return this.#code !== undefined;
  }

  /** Whether the client was told that all is well. */
  get isDelivered(): boolean {
    return this.#isDelivered;
  }

  /** A 1xx. */
  begin(reply: Reply): void {
    ensure(classOf(reply.code) === 'preliminary' && !this.isAnswered);
    this.#voice.pass(reply);
  }

  /** A success in answer to STAT, which may come at any time. */
  status(reply: Reply): void {
    ensure(isStatusReply(reply.code));
    this.#voice.pass(reply);
  }

  /** Tells the final reply if it can be told by now. `failure` stands in for a success that is none. */
  finish(reply: Reply, outcome: RelayOutcome | undefined, failure: TransferFailure): void {
    const verdict = verdictOn(reply, outcome);
    if (verdict === 'wait') return;
    if (verdict === 'broken') {
      this.fail(failure);
      return;
    }
    ensure(!this.isAnswered);
    this.#code = reply.code;
    this.#isDelivered = classOf(reply.code) === 'completion';
    this.#voice.pass(reply);
  }

  /** The final reply, if the backend has none that could be told. */
  fail(failure: TransferFailure): void {
    ensure(!this.isAnswered);
    this.#code = failure.code;
    this.#voice.answer(failure);
  }

  /** The answer to ABOR, or an error in answer to STAT: behind the final reply. */
  afterwards(reply: Reply): void {
    ensure(this.isAnswered);
    this.#voice.pass(reply);
  }
}

/** RFC 959 section 4.1.3: status of the system, of a directory, of a file. */
export function isStatusReply(code: number): boolean {
  return code >= 211 && code <= 213;
}

function ensure(holds: boolean): void {
  if (!holds) throw new Error('a reply out of its order');
}
