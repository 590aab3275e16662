/** Clients that transfer one file after the other, and what must be true of all that they did. */
import { expect } from 'vitest';
import type { MemoryHost } from '../../src/net/memory-host.ts';
import type { SessionEnd } from '../../src/observe/events.ts';
import { download, upload } from '../../src/tftp/client.ts';
import type { TransferRequest } from '../../src/tftp/client-transfer.ts';
import type { MemoryStore } from '../../src/tftp/memory-store.ts';
import type { TftpOptions } from '../../src/tftp/negotiation.ts';
import type { Noise } from '../fuzz/noise.ts';
import { bytesOf, sinkInto, sourceOf } from '../helpers/content.ts';
import type { Lab } from '../helpers/lab.ts';

/** Gives up after half a minute of silence. */
const retry = { timeout: 300, retries: 12 };
/** As long as servers repeat the last block. Milliseconds. */
const dally = 6_000;
/** Before a client whose transfer failed begins another. Milliseconds. */
const restTime = 500;
const sizes = [0, 1, 511, 512, 513, 1_024, 5_000, 30_000];

interface Transfer {
  readonly op: 'read' | 'write';
  readonly content: Uint8Array;
  isDone: boolean;
}

export class Crowd {
  /** By file: each has a name of its own. */
  readonly #transfers = new Map<string, Transfer>();
  readonly #lab: Lab;
  readonly #noise: Noise;
  readonly #vips: readonly string[];
  /** Of the backends, by their place. */
  readonly #stores: readonly MemoryStore[];
  #isStopping = false;
  #busy = 0;

  constructor(lab: Lab, noise: Noise, vips: readonly string[], stores: readonly MemoryStore[]) {
    this.#lab = lab;
    this.#noise = noise;
    this.#vips = vips;
    this.#stores = stores;
  }

  get isBusy(): boolean {
    return this.#busy > 0;
  }

  /** Rejects only where a file arrived that is not what was sent. */
  async start(clients: number): Promise<void> {
    const hosts = Array.from({ length: clients }, (_, n) => this.#lab.net.host([`10.3.0.${n + 1}`]));
    await Promise.all(hosts.map((host) => this.#work(host)));
  }

  /** No further transfer begins. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Share of the transfers that were completed. */
  get successes(): number {
    const all = [...this.#transfers.values()];
    return all.filter(({ isDone }) => isDone).length / all.length;
  }

  /** `ok` is said only of files that have arrived, with their size; `placeOf` tells a backend's place by its name. */
  checkResults(ends: readonly SessionEnd[], placeOf: (backend: string) => number): void {
    for (const end of ends) {
      const transfer = this.#transfers.get(end.file);
      if (transfer === undefined) throw new Error(`nobody asked for ${end.file}`);
      if (end.result !== 'ok') continue;
      if (transfer.op === 'read') expect(transfer.isDone, end.file).toBe(true);
      else expectSame(this.#stores[placeOf(end.backend)]?.files.get(end.file), transfer.content);
    }
  }

  async #work(host: MemoryHost): Promise<void> {
    this.#busy += 1;
    while (!this.#isStopping) {
      const isDone = await (this.#noise.chance(0.7) ? this.#read(host) : this.#write(host));
      if (!isDone) await this.#rest();
    }
    this.#busy -= 1;
  }

  async #rest(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lab.net.setTimer(restTime, resolve);
    return promise;
  }

  async #read(host: MemoryHost): Promise<boolean> {
    const { file, transfer } = this.#next('read');
    for (const store of this.#stores) store.files.set(file, transfer.content);
    const sink = sinkInto();
    transfer.isDone = await succeeds(download(host, this.#request(file, 0), sink));
    if (transfer.isDone) expectSame(sink.bytes(), transfer.content);
    return transfer.isDone;
  }

  async #write(host: MemoryHost): Promise<boolean> {
    const { file, transfer } = this.#next('write');
    const request = this.#request(file, transfer.content.length);
    transfer.isDone = await succeeds(upload(host, request, sourceOf(transfer.content)));
    if (!transfer.isDone) return false;
    const stored = this.#stores.map((store) => store.files.get(file)).filter((found) => found !== undefined);
    expect(stored.length, file).toBeGreaterThan(0);
    for (const content of stored) expectSame(content, transfer.content);
    return true;
  }

  #next(op: Transfer['op']): { file: string; transfer: Transfer } {
    const file = `${op}-${this.#transfers.size}`;
    const transfer = { op, content: bytesOf(this.#noise.pick(sizes) ?? 0), isDone: false };
    this.#transfers.set(file, transfer);
    return { file, transfer };
  }

  #request(file: string, tsize: number): TransferRequest {
    const server = { address: this.#noise.pick(this.#vips) ?? '', port: 69 };
    return { server, file, mode: 'octet', options: this.#options(tsize), retry, dally };
  }

  #options(tsize: number): TftpOptions {
    return {
      ...(this.#noise.chance(0.5) && { blksize: this.#noise.int(256, 1_468) }),
      ...(this.#noise.chance(0.3) && { windowsize: this.#noise.int(1, 16) }),
      ...(this.#noise.chance(0.2) && { timeout: this.#noise.int(1, 2) }),
      ...(this.#noise.chance(0.3) && { tsize }),
    };
  }
}

/** A transfer may fail where the network or a backend does. */
async function succeeds(transfer: Promise<unknown>): Promise<boolean> {
  try {
    await transfer;
    return true;
  } catch {
    return false;
  }
}

/** As toEqual, which takes much longer. */
function expectSame(found: Uint8Array | undefined, expected: Uint8Array): void {
  if (found === undefined || Buffer.compare(found, expected) !== 0) expect(found).toEqual(expected);
}
