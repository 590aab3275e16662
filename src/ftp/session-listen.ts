import { parseAddress } from './addresses.ts';
import { epsvAnswer, pasvAnswer } from './endpoints.ts';
import type { DataAddress } from './effects.ts';
import { noPassivePort } from './session-answers.ts';
import type { SessionContext, Work } from './session-context.ts';
import type { DataEvent } from './session-data.ts';

/** PASV or EPSV, until there is a port that the client can be told. */
export class ListenRequest implements Work {
  readonly #context: SessionContext;
  readonly #form: 'pasv' | 'epsv';

  constructor(context: SessionContext, form: 'pasv' | 'epsv', now: number) {
    this.#context = context;
    this.#form = form;
    context.data.listen(form);
    context.timers.set('work', now + context.options.timeouts.dataConnect);
  }

  onReply(): boolean {
    return false;
  }

  onData(event: DataEvent, now: number): void {
    if (event.kind === 'client-listening') this.#onListening(event.at, now);
    if (event.kind === 'client-failed') this.#fail();
  }

  onTimer(): void {
    this.#fail();
  }

  /** The 421 that ends the session answers the command. */
  abandon(): void {}

  #onListening(at: DataAddress, now: number): void {
    const isIpv4 = parseAddress(at.address)?.family === 4;
    if (this.#form === 'pasv' && !isIpv4) {
      this.#fail();
      return;
    }
    this.#context.voice.answer(this.#form === 'pasv' ? pasvAnswer(at.address, at.port) : epsvAnswer(at.port));
    this.#context.data.awaitClient(now);
    this.#finish();
  }

  #fail(): void {
    this.#context.data.abandon('unused');
    this.#context.effects.refused('no-listener', this.#form.toUpperCase());
    this.#context.voice.answer(noPassivePort);
    this.#finish();
  }

  #finish(): void {
    this.#context.timers.clear('work');
    this.#context.done();
  }
}
