/**
 * The session as far as it goes without a backend, where that depends on who logs in.
 *
 *   220 of ours ──USER──▶ seeking ──220──▶ introduction ──USER──▶ what any session is
 *        ▲                   │                  │                    │
 *        ├── unknown: 530 ◀──┘ ◀── HOST: 530 ───┘                    │
 *        └────────────── USER of somebody else ◀─────────────────────┘ nobody is logged in
 *
 * Rules
 *  1. Before USER the client is answered here. What the backend has to hear of it is held and told later: HOST, CLNT
 *     and OPTS. Whatever needs a login gets 530.
 *  2. FEAT names what we see to ourselves, and what every server has had since RFC 3659; behind the login it is the
 *     backend's own.
 *  3. The same user again is the backend's business. Another one is led to its own backend while nobody is logged in,
 *     and is refused behind a login: a session never serves two users at once, nor one at the wrong backend. It is
 *     refused, too, where many were tried: each may cost a connection to a backend, and nobody shall guess names.
 */
import type { Command } from './commands.ts';
import type { FtpRefusal } from './effects.ts';
import type { Answer } from './errors.ts';
import { rewriteFeatures } from './features.ts';
import * as answers from './session-answers.ts';
import type { SessionContext, Work } from './session-context.ts';
import type { Greeting } from './session-greeting.ts';
import { HeldCommands, heldVerbs } from './session-held.ts';
import { Introduction } from './session-introduction.ts';
import { actionFor, featureChanges } from './session-rules.ts';

const features = ['211-Extensions supported:', ' MDTM', ' REST STREAM', ' SIZE', '211 End'] as const;

/** Backends that a session may seek without a login. */
const maxSeeks = 10;

const fixedAnswers: Readonly<Record<string, Answer>> = {
  NOOP: answers.nothingDone,
  REIN: answers.ready,
  PASS: answers.userFirst,
  ACCT: answers.userFirst,
};

export class Reception {
  readonly #context: SessionContext;
  readonly #greeting: Greeting;
  readonly #held = new HeldCommands();
  /** USER, until its backend has greeted. */
  #login: Command | undefined;
  /** Since the last login. */
  #seeks = 0;

  constructor(context: SessionContext, greeting: Greeting) {
    this.#context = context;
    this.#greeting = greeting;
  }

  greet(): void {
    this.#context.voice.answer(answers.ready);
  }

  /** False: it is for the backend, or refused as in any session. */
  takes(command: Command, now: number): boolean {
    const { facts, options } = this.#context;
    if (actionFor(command, facts, options).kind === 'refuse') return false;
    if (facts.isLoggedIn) this.#seeks = 0;
    if (command.verb === 'REIN') this.#held.clear();
    if (command.verb === 'USER') return this.#takesUser(command);
    if (!this.#greeting.isGreeted) {
      this.#answer(command, now);
      return true;
    }
    // Another user may still take the session to another backend.
    const isOption = heldVerbs.has(command.verb) && command.verb !== 'HOST';
    if (isOption && !facts.isLoggedIn) this.#held.add(command);
    return false;
  }

  /** What is to be done with a backend that has just greeted. */
  introduction(): Work | undefined {
    const login = this.#login;
    if (login === undefined || !this.#greeting.isGreeted) return undefined;
    this.#login = undefined;
    const onHostRefused = (): void => {
      this.#greeting.leave();
      this.#refuse('unknown-host', 'HOST', answers.unknownHost);
    };
    return new Introduction(this.#context, { held: this.#held.all, login, onHostRefused });
  }

  onUnknownUser(): void {
    this.#login = undefined;
    this.#greeting.onUnknownUser();
    this.#refuse('unknown-user', 'USER', answers.unknownUser);
  }

  #takesUser(command: Command): boolean {
    const { facts } = this.#context;
    const { isGreeted } = this.#greeting;
    if (isGreeted && command.argument === facts.user) return false;
    if (facts.isLoggedIn || this.#seeks === maxSeeks) {
      this.#refuse('other-user', 'USER', answers.otherUser);
      return true;
    }
    if (isGreeted) this.#greeting.leave();
    this.#seeks += 1;
    this.#login = command;
    facts.onUser(command.argument);
    this.#greeting.seek(command.argument);
    return true;
  }

  #answer(command: Command, now: number): void {
    const { voice, options } = this.#context;
    const { verb } = command;
    const fixed = fixedAnswers[verb];
    if (verb === 'QUIT') this.#context.end('quit', answers.replyOf(answers.goodbye), now);
    else if (verb === 'FEAT')
      voice.pass(rewriteFeatures({ code: 211, lines: features }, featureChanges(options)));
    else if (heldVerbs.has(verb)) this.#hold(command);
    else if (fixed !== undefined) voice.answer(fixed);
    else this.#refuse('not-logged-in', verb, answers.notLoggedIn);
  }

  #hold(command: Command): void {
    const { verb } = command;
    if (command.argument.trim() === '') this.#refuse('malformed', verb, answers.argumentMissing);
    else if (!this.#held.add(command)) this.#refuse('not-logged-in', verb, answers.tooMuchBeforeUser);
    else this.#context.voice.answer(verb === 'HOST' ? answers.hostNoted : answers.noted);
  }

  #refuse(reason: FtpRefusal, verb: string, answer: Answer): void {
    this.#context.effects.refused(reason, verb);
    this.#context.voice.answer(answer);
  }
}
