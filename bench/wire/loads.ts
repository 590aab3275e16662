/** The kinds of load, each as a crowd of clients. */
import type { Load, LoadCount } from '../messages.ts';
import { Download } from './download.ts';
import { OneBlockClient } from './one-block-client.ts';

/** Sessions that open at the same time where thousands are wanted: a listener's receive buffer holds their requests. */
const maxOpening = 64;
/** Ports that take turns in transfers of one block, so that each rests for a while between two of them. */
const restingPorts = 2_048;

interface Client {
  readonly repeats: number;
  readonly errors: number;
  sweep(): void;
  stop(): void;
}

/** A load while it runs. */
export class Crowd {
  readonly #clients: readonly Client[];
  readonly #units: () => number;

  /** `clients` may still grow. */
  constructor(clients: readonly Client[], units: () => number) {
    this.#clients = clients;
    this.#units = units;
  }

  count(): Omit<LoadCount, 'at'> {
    return {
      units: this.#units(),
      repeats: sum(this.#clients.map(({ repeats }) => repeats)),
      errors: sum(this.#clients.map(({ errors }) => errors)),
    };
  }

  /** Repeats what has stalled since the last call. */
  sweep(): void {
    for (const client of this.#clients) client.sweep();
  }

  stop(): void {
    for (const client of this.#clients) client.stop();
  }
}

/** Starts `load` against `port`. */
export function startLoad(load: Load, port: number): Crowd {
  if (load.kind === 'blocks') return startBlocks(port, load.sessions, load.windowsize);
  if (load.kind === 'transfers') return startTransfers(port, load.sessions);
  return startIdle(port, load.sessions);
}

function startBlocks(port: number, sessions: number, windowsize: number): Crowd {
  const downloads = Array.from({ length: sessions }, () => new Download({ port, windowsize }));
  return new Crowd(downloads, () => sum(downloads.map(({ blocks }) => blocks)));
}

function startTransfers(port: number, sessions: number): Crowd {
  let done = 0;
  let turn = 0;
  const start = (): void => {
    // One that has stalled is left to itself.
    while (clients[turn % restingPorts]?.isBusy === true) turn += 1;
    clients[turn % restingPorts]?.read(turn);
    turn += 1;
  };
  const onDone = (): void => {
    done += 1;
    start();
  };
  const clients = Array.from({ length: restingPorts }, () => new OneBlockClient(port, onDone));
  for (let session = 0; session < sessions; session++) start();
  return new Crowd(clients, () => done);
}

function startIdle(port: number, sessions: number): Crowd {
  const downloads: Download[] = [];
  let waiting = 0;
  const open = (): void => {
    if (downloads.length < sessions) downloads.push(new Download({ port, windowsize: 1, onHeld }));
  };
  const onHeld = (): void => {
    waiting += 1;
    open();
  };
  for (let opening = 0; opening < maxOpening; opening++) open();
  return new Crowd(downloads, () => waiting);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
