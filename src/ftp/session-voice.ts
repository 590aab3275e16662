import type { FtpEffects } from './effects.ts';
import type { Answer } from './errors.ts';
import { encodeAnswer, encodeReply, type Reply } from './replies.ts';

/** What the client hears. While it does not listen, the backend is paused and no command of the client is taken. */
export class ClientVoice {
  readonly #effects: FtpEffects;
  #isBlocked = false;

  constructor(effects: FtpEffects) {
    this.#effects = effects;
  }

  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** A backend's reply, as it came. */
  pass(reply: Reply): void {
    this.#write(encodeReply(reply));
  }

  /** A reply of our own. */
  answer(answer: Answer): void {
    this.#write(encodeAnswer(answer));
  }

  onDrain(): void {
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.#effects.resumeBackend();
  }

  #write(bytes: Uint8Array): void {
    if (this.#effects.toClient(bytes) || this.#isBlocked) return;
    this.#isBlocked = true;
    this.#effects.pauseBackend();
  }
}
