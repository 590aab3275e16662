/**
 * The data connections of a session: one pair at a time, of a client leg and a backend leg.
 *
 *  1. PASV, EPSV, PORT and EPRT make a new pair with a new generation, and the pair before it is broken.
 *  2. A pair outlives a transfer only if the backend refused that transfer before it began: then the next transfer
 *     command may use it, as it may without us (RFC 959 section 3.2).
 *  3. What is told of any other generation than the pair's own is told too late, and ignored.
 */
import type {
  DataAbort,
  DataAddress,
  DataFailure,
  DataMode,
  Direction,
  FtpEffects,
  FtpTimeouts,
  RelayOutcome,
} from './effects.ts';
import type { Timers } from './session-timers.ts';

/** A leg that was opened stays `open` until the pair is over. */
export type LegState = 'closed' | 'opening' | 'open';

export interface DataPair {
  readonly generation: number;
  readonly clientMode: DataMode;
  /** Where an active client listens. */
  readonly target: DataAddress | undefined;
  clientLeg: LegState;
  backendLeg: LegState;
  backendMode: DataMode | undefined;
  /** Set when the relay was started. */
  direction: Direction | undefined;
}

/** What the engine tells of a pair. */
export type DataEvent =
  | { readonly kind: 'client-listening'; readonly at: DataAddress }
  | { readonly kind: 'client-open' }
  | { readonly kind: 'client-failed'; readonly failure: DataFailure }
  | { readonly kind: 'backend-listening'; readonly at: DataAddress }
  | { readonly kind: 'backend-open' }
  | { readonly kind: 'backend-failed'; readonly failure: DataFailure }
  | { readonly kind: 'relay-done'; readonly outcome: RelayOutcome };

export class DataChannel {
  readonly #effects: FtpEffects;
  readonly #timers: Timers;
  readonly #timeouts: FtpTimeouts;
  #pair: DataPair | undefined;
  #lastGeneration = 0;

  constructor(effects: FtpEffects, timers: Timers, timeouts: FtpTimeouts) {
    this.#effects = effects;
    this.#timers = timers;
    this.#timeouts = timeouts;
  }

  get pair(): DataPair | undefined {
    return this.#pair;
  }

  /** The client will connect. */
  listen(form: 'pasv' | 'epsv'): void {
    const pair = this.#replace('passive', undefined);
    pair.clientLeg = 'opening';
    this.#effects.listenForClient(pair.generation, form);
  }

  /** The client listens, and will be connected to when a transfer command comes. */
  target(to: DataAddress): void {
    this.#replace('active', to);
  }

  /** A client that was told where to connect has some time for it. */
  awaitClient(now: number): void {
    if (this.#pair?.clientLeg === 'opening') this.#timers.set('data', now + this.#timeouts.dataAccept);
  }

  /** Breaks the pair, if there is one. Returns the bytes that its relay has moved. */
  abandon(reason: DataAbort): number {
    const pair = this.#pair;
    if (pair === undefined) return 0;
    this.forget();
    return this.#effects.abortData(pair.generation, reason);
  }

  /** The pair is over by itself. */
  forget(): void {
    this.#pair = undefined;
    this.#timers.clear('data');
  }

  /** Keeps the pair's legs up to date. False: the event is not the pair's. */
  onEvent(generation: number, event: DataEvent): boolean {
    const pair = this.#pair;
    if (pair?.generation !== generation) return false;
    // A relay that never ran has carried nothing, however it ended.
    if (event.kind === 'relay-done' && pair.direction === undefined) return false;
    if (event.kind === 'client-open') pair.clientLeg = 'open';
    if (event.kind === 'backend-open') pair.backendLeg = 'open';
    return true;
  }

  /** What becomes of a pair that nothing uses at the moment. */
  onIdleEvent(event: DataEvent): void {
    switch (event.kind) {
      case 'client-open':
        this.#timers.clear('data');
        return;
      case 'relay-done':
        this.forget();
        return;
      case 'client-failed':
      case 'backend-failed':
        this.abandon('other-leg');
        return;
      case 'client-listening':
      case 'backend-listening':
      case 'backend-open':
    }
  }

  #replace(clientMode: DataMode, target: DataAddress | undefined): DataPair {
    this.abandon('replaced');
    this.#lastGeneration += 1;
    this.#pair = {
      generation: this.#lastGeneration,
      clientMode,
      target,
      clientLeg: 'closed',
      backendLeg: 'closed',
      backendMode: undefined,
      direction: undefined,
    };
    return this.#pair;
  }
}
