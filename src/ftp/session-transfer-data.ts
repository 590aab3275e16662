import type { DataAbort, Direction, FtpTransferResult, RelayOutcome } from './effects.ts';
import type { SessionContext } from './session-context.ts';
import type { DataPair } from './session-data.ts';

/** The data connections of one transfer, and how they ended: by themselves, or because they were broken here. */
export class TransferData {
  readonly #context: SessionContext;
  readonly #direction: Direction;
  readonly pair: DataPair;
  #isRelaying = false;
  #outcome: RelayOutcome | undefined;
  #cause: FtpTransferResult | undefined;

  constructor(context: SessionContext, pair: DataPair, direction: Direction) {
    this.#context = context;
    this.#direction = direction;
    this.pair = pair;
  }

  /** Undefined for as long as the connections are not over. */
  get outcome(): RelayOutcome | undefined {
    return this.#outcome;
  }

  /** Why they were broken, or why there were none. */
  get cause(): FtpTransferResult | undefined {
    return this.#cause;
  }

  /** Whether bytes could flow, for this transfer. */
  get isRelaying(): boolean {
    return this.#isRelaying;
  }

  /** A client that connects to us may do so behind the transfer command. */
  get isClientReady(): boolean {
    return this.pair.clientMode === 'passive' || this.pair.clientLeg === 'open';
  }

  /** What it means that the client's leg is not there, or not any more. */
  get clientLoss(): FtpTransferResult {
    return this.pair.clientLeg === 'open' ? 'client-reset' : 'no-client-data';
  }

  get backendLoss(): FtpTransferResult {
    return this.pair.backendLeg === 'open' ? 'backend-reset' : 'no-backend-data';
  }

  /** Connects to a client that listens. */
  connect(now: number): void {
    const { timers, effects, options } = this.#context;
    const { pair } = this;
    timers.clear('data');
    if (pair.target === undefined || pair.clientLeg !== 'closed') return;
    pair.clientLeg = 'opening';
    timers.set('data', now + options.timeouts.dataConnect);
    effects.connectToClient(pair.generation, pair.target);
  }

  /** The transfer command is out: what is missing of the legs has some time to come. */
  expectLegs(now: number): void {
    const { dataAccept, dataConnect } = this.#context.options.timeouts;
    const wait = this.pair.clientLeg === 'open' ? dataConnect : dataAccept;
    this.#context.timers.set('data', now + wait);
  }

  /** A pair that a transfer before has left has its relay already. */
  relayIfOpen(): void {
    const { pair } = this;
    const isOpen = pair.clientLeg === 'open' && pair.backendLeg === 'open';
    if (!isOpen || this.#isRelaying) return;
    this.#isRelaying = true;
    // No time runs while bytes do: the relay itself is watched by the engine.
    this.#context.timers.clear('data', 'work');
    if (pair.direction !== undefined) return;
    pair.direction = this.#direction;
    this.#context.effects.startRelay(pair.generation, this.#direction);
  }

  onRelayDone(outcome: RelayOutcome, now: number): void {
    const { settle, finalReply } = this.#context.options.timeouts;
    this.#outcome = outcome;
    this.#context.data.forget();
    this.#context.timers.set('work', now + (outcome.end === 'clean' ? finalReply : settle));
  }

  /** Does nothing where the connections are over. From now on the backend has little time to answer. */
  break(reason: DataAbort, cause: FtpTransferResult, now: number): void {
    if (this.#outcome !== undefined) return;
    this.#cause = cause;
    this.#outcome = { end: 'aborted', bytes: this.#context.data.abandon(reason) };
    this.#context.timers.clear('data');
    this.#context.timers.set('work', now + this.#context.options.timeouts.settle);
  }

  /** What is to be said of the transfer, if it did not succeed and the backend has no say in it. */
  get failure(): FtpTransferResult | undefined {
    if (this.#cause !== undefined) return this.#cause;
    const end = this.#outcome?.end ?? 'clean';
    if (end === 'clean') return undefined;
    return end === 'aborted' ? 'shutdown' : end;
  }
}
