/** The engine's side of the data connections, as a model: what is alive, what may be told, what must not be asked. */
import { expect } from 'vitest';
import type { Direction, FtpInputs, RelayEnd } from '../../../src/ftp/effects.ts';

export type Leg = 'none' | 'opening' | 'open';

export interface ModelPair {
  readonly generation: number;
  client: Leg;
  backend: Leg;
  /** A listener that was asked for and is not there yet. */
  listening: 'client' | 'backend' | undefined;
  relay: Direction | undefined;
  /** Payload that the relay has moved. */
  bytes: number;
}

/** Something that may happen now. */
export type Chance = () => void;

const relayEnds: readonly RelayEnd[] = [
  'clean',
  'clean',
  'client-reset',
  'backend-reset',
  'stalled',
  'aborted',
];

export class EngineModel {
  readonly #inputs: () => FtpInputs;
  readonly #now: () => number;
  readonly #pairs = new Map<number, ModelPair>();
  readonly #over = new Set<number>();
  /** Called in front of `onRelayDone`. */
  onRelayEnd: (end: RelayEnd) => void = () => {};

  constructor(inputs: () => FtpInputs, now: () => number) {
    this.#inputs = inputs;
    this.#now = now;
  }

  get alive(): readonly ModelPair[] {
    return [...this.#pairs.values()];
  }

  /** Whether the engine owes the session an event without which nothing goes on. */
  get isBusy(): boolean {
    return this.alive.some(
      (pair) =>
        pair.listening !== undefined ||
        pair.relay !== undefined ||
        pair.client === 'opening' ||
        pair.backend === 'opening',
    );
  }

  listenForClient(generation: number): void {
    const pair = this.#pair(generation);
    expect(pair.client).toBe('none');
    pair.client = 'opening';
    pair.listening = 'client';
  }

  connectToClient(generation: number): void {
    const pair = this.#pair(generation);
    expect(pair.client).toBe('none');
    pair.client = 'opening';
  }

  listenForBackend(generation: number): void {
    const pair = this.#pair(generation);
    expect([pair.backend, pair.listening]).toEqual(['none', undefined]);
    pair.backend = 'opening';
    pair.listening = 'backend';
  }

  connectToBackend(generation: number): void {
    const pair = this.#pair(generation);
    expect(pair.backend).toBe('none');
    pair.backend = 'opening';
  }

  dropBackendLeg(generation: number): void {
    const pair = this.#pair(generation);
    pair.backend = 'none';
    if (pair.listening === 'backend') pair.listening = undefined;
  }

  startRelay(generation: number, direction: Direction): void {
    const pair = this.#pair(generation);
    expect([pair.client, pair.backend, pair.relay]).toEqual(['open', 'open', undefined]);
    pair.relay = direction;
    pair.bytes = 100 * generation;
  }

  abort(generation: number): number {
    const bytes = this.#pairs.get(generation)?.bytes ?? 0;
    this.#end(generation);
    return bytes;
  }

  /** What may happen to the connections now. */
  chances(): Chance[] {
    return this.alive.flatMap((pair) => [
      ...this.#clientChances(pair),
      ...this.#backendChances(pair),
      ...(pair.relay === undefined ? [] : relayEnds.map((end) => () => this.endRelay(pair.generation, end))),
    ]);
  }

  /** Open legs that are reset before their relay was started. */
  lossChances(): Chance[] {
    return this.alive.flatMap((pair): Chance[] => {
      if (pair.relay !== undefined) return [];
      const losses: Chance[] = [];
      if (pair.client === 'open') losses.push(() => this.#failClient(pair));
      if (pair.backend === 'open') losses.push(() => this.#failBackend(pair));
      return losses;
    });
  }

  /** Events of generations that are over, which must change nothing. */
  staleChances(): Chance[] {
    const inputs = this.#inputs();
    return [...this.#over].flatMap((generation): Chance[] => [
      () => inputs.onClientDataOpen(generation, this.#now()),
      () => inputs.onClientDataFailed(generation, 'closed', this.#now()),
      () => inputs.onBackendDataOpen(generation, this.#now()),
      () => inputs.onRelayDone(generation, { end: 'clean', bytes: 1 }, this.#now()),
    ]);
  }

  endRelay(generation: number, end: RelayEnd): void {
    const bytes = this.#pairs.get(generation)?.bytes ?? 0;
    this.#end(generation);
    this.onRelayEnd(end);
    this.#inputs().onRelayDone(generation, { end, bytes }, this.#now());
  }

  #clientChances(pair: ModelPair): Chance[] {
    const { generation } = pair;
    const inputs = this.#inputs();
    if (pair.listening === 'client') {
      const at = { address: '198.51.100.1', port: 5_000 };
      return [
        () => {
          pair.listening = undefined;
          inputs.onClientListening(generation, at, this.#now());
        },
        () => {
          pair.client = 'none';
          pair.listening = undefined;
          inputs.onClientListenFailed(generation, 'no-ports', this.#now());
        },
      ];
    }
    const fail = (): void => this.#failClient(pair);
    if (pair.client !== 'opening') return [];
    const open = (): void => {
      pair.client = 'open';
      inputs.onClientDataOpen(generation, this.#now());
    };
    return [...Array.from({ length: 12 }, () => open), fail];
  }

  #backendChances(pair: ModelPair): Chance[] {
    const { generation } = pair;
    const inputs = this.#inputs();
    if (pair.listening === 'backend') {
      const at = { address: '10.0.0.1', port: 5_000 };
      return [
        () => {
          pair.listening = undefined;
          inputs.onBackendListening(generation, at, this.#now());
        },
      ];
    }
    const fail = (): void => this.#failBackend(pair);
    if (pair.backend !== 'opening') return [];
    const open = (): void => {
      pair.backend = 'open';
      inputs.onBackendDataOpen(generation, this.#now());
    };
    return [...Array.from({ length: 12 }, () => open), fail];
  }

  #failClient(pair: ModelPair): void {
    pair.client = 'none';
    this.#inputs().onClientDataFailed(pair.generation, 'closed', this.#now());
  }

  #failBackend(pair: ModelPair): void {
    pair.backend = 'none';
    this.#inputs().onBackendDataFailed(pair.generation, 'refused', this.#now());
  }

  #pair(generation: number): ModelPair {
    expect(this.#over.has(generation)).toBe(false);
    const known = this.#pairs.get(generation);
    if (known !== undefined) return known;
    const pair: ModelPair = {
      generation,
      client: 'none',
      backend: 'none',
      listening: undefined,
      relay: undefined,
      bytes: 0,
    };
    this.#pairs.set(generation, pair);
    return pair;
  }

  #end(generation: number): void {
    this.#pairs.delete(generation);
    this.#over.add(generation);
  }
}
