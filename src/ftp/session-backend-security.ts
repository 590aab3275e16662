/**
 * Puts the connection to a backend under TLS, and its data connections as is wanted: commands of our own, none of which
 * the client ever sees.
 *
 *   AUTH TLS ──234──▶ (handshake) ──▶ PBSZ 0 ──any──▶ PROT P, PROT C ──2xx──▶ done
 *      │                                                    │
 *      └── refused ──▶ `auto`: done, in clear; else: failed ◀── refused
 *
 * Rules
 *  1. Each command is told when the one before was answered. What comes is not awaited: the handshake goes on while PBSZ
 *     is on its way, and a handshake that fails is a connection that breaks.
 *  2. What stands behind a 234 in clear was said by somebody who cannot speak within TLS: it is no FTP of ours.
 *  3. Before PROT the level is C (RFC 4217 section 9). A level that is in force is not asked for.
 */
import { encodeCommand } from './commands.ts';
import { classOf, type Reply } from './replies.ts';
import type { SessionContext } from './session-context.ts';

type Asked = 'AUTH' | 'PBSZ' | 'PROT';

export type SecuringState = 'asking' | 'done' | 'refused' | 'malformed';

export class BackendSecuring {
  readonly #context: SessionContext;
  #asked: Asked | undefined;
  #state: SecuringState = 'asking';

  /** Asks for what is wanted and not yet so; nothing may be owed by the backend. */
  constructor(context: SessionContext, now: number) {
    this.#context = context;
    const { security } = context;
    if (security.isBackendWanted && !security.isBackendSecure) this.#ask('AUTH', 'TLS', now);
    else this.#protect(now);
  }

  get state(): SecuringState {
    return this.#state;
  }

  /** A 421 is for the caller. */
  onReply(reply: Reply, now: number): void {
    const kind = classOf(reply.code);
    if (kind === 'preliminary') return;
    switch (this.#asked) {
      case 'AUTH':
        this.#onAuthReply(reply, now);
        return;
      case 'PBSZ':
        this.#ask('PROT', this.#context.security.wantedBackendLevel, now);
        return;
      case 'PROT':
        if (kind === 'completion') this.#onProtected();
        else this.#refuse();
        return;
      case undefined:
    }
  }

  #onAuthReply(reply: Reply, now: number): void {
    if (reply.code !== 234) this.#refuse();
    else if (this.#context.secureBackend()) this.#protect(now);
    else this.#state = 'malformed';
  }

  #protect(now: number): void {
    const { security } = this.#context;
    const level = security.wantedBackendLevel;
    if (level === security.backendLevel) this.#state = 'done';
    else if (level === 'P') this.#ask('PBSZ', '0', now);
    else this.#ask('PROT', level, now);
  }

  #onProtected(): void {
    const { security, effects } = this.#context;
    security.backendLevel = security.wantedBackendLevel;
    effects.protectData('backend', security.backendLevel === 'P');
    this.#state = 'done';
  }

  #refuse(): void {
    this.#state = this.#context.security.isBackendRequired ? 'refused' : 'done';
  }

  #ask(verb: Asked, argument: string, now: number): void {
    const { effects, timers, options } = this.#context;
    this.#asked = verb;
    effects.toBackend(encodeCommand(verb, argument));
    timers.set('work', now + options.timeouts.greeting);
  }
}
