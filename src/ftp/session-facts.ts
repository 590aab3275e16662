import type { Command } from './commands.ts';
import { classOf, type Reply } from './replies.ts';

/** What is known about a session from the commands that a backend has accepted. */
export class SessionFacts {
  #user = '';
  #isLoggedIn = false;
  #wasLoggedIn = false;
  #type = 'A';
  #restart: string | undefined;
  /** Nothing but EPSV may ask for data connections any more (RFC 2428 section 4). */
  isExtendedPassiveOnly = false;

  /** The argument of the last USER, whoever has answered it. */
  get user(): string {
    return this.#user;
  }

  get isLoggedIn(): boolean {
    return this.#isLoggedIn;
  }

  /** Whether any login was accepted. */
  get wasLoggedIn(): boolean {
    return this.#wasLoggedIn;
  }

  /** A until the backend has accepted another one (RFC 959 section 5.1). */
  get type(): string {
    return this.#type;
  }

  /** The REST that was the last command of the client that the backend has seen, and that it accepted. */
  get restart(): string | undefined {
    return this.#restart;
  }

  /** USER was said, and has not come to a backend yet. */
  onUser(user: string): void {
    this.#user = user;
  }

  /** The backend is left: what it has accepted counts no more. */
  onLeft(): void {
    this.#isLoggedIn = false;
    this.#type = 'A';
    this.#restart = undefined;
  }

  onForwarded(command: Command): void {
    this.#restart = undefined;
    if (command.verb === 'USER') this.#user = command.argument;
  }

  /** 230 in place of 220: the backend asks for no login. */
  onLogin(): void {
    this.#isLoggedIn = true;
    this.#wasLoggedIn = true;
  }

  onFinal(command: Command, reply: Reply): void {
    const kind = classOf(reply.code);
    if (kind === 'completion') this.#onAccepted(command, reply);
    if (kind !== 'intermediate') return;
    if (command.verb === 'USER') this.#isLoggedIn = false;
    if (command.verb === 'REST') this.#restart = command.text;
  }

  #onAccepted(command: Command, reply: Reply): void {
    switch (command.verb) {
      case 'USER':
      case 'PASS':
      case 'ACCT':
        this.onLogin();
        return;
      case 'REIN':
        this.#isLoggedIn = false;
        this.#type = 'A';
        return;
      case 'TYPE':
        this.#type = command.argument.trim().charAt(0).toUpperCase() || this.#type;
        return;
      default:
        if (reply.code === 230) this.onLogin();
    }
  }
}
