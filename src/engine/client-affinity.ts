/**
 * Which backend each client stays with. While a client has sessions its place in the table is renewed by the worker that
 * has them; from then on it lasts for the time that was configured. The table may forget, if there are more clients than it
 * has room for, and the client goes where the policy says.
 */
import type { Clock } from '../net/net.ts';
import { AddressWords } from './address-words.ts';
import { AffinityTable } from './affinity-table.ts';
import type { Affinity } from './snapshot.ts';
import { type TimerWheel, WheelEntry } from './timer-wheel.ts';

/** A client with sessions. */
interface Stay {
  sessions: number;
  /** Hash of the name of the backend that the last of them went to. */
  backend: number;
}

export interface AffinityParts {
  readonly wheel: TimerWheel;
  readonly clock: Pick<Clock, 'now'>;
  /** Milliseconds from `clock` to one that all workers share. */
  readonly epoch: number;
}

export class ClientAffinity extends WheelEntry {
  readonly #parts: AffinityParts;
  readonly #clients = new Map<string, Stay>();
  readonly #words = new AddressWords();
  #key: number;
  #duration: number;
  #table: AffinityTable;
  #deadline = 0;

  constructor(parts: AffinityParts, { duration, key, table }: Affinity) {
    super();
    this.#parts = parts;
    this.#key = key;
    this.#duration = duration;
    this.#table = new AffinityTable(table);
  }

  override get deadline(): number {
    return this.#deadline;
  }

  update({ duration, key, table }: Affinity): void {
    this.#key = key;
    this.#duration = duration;
    this.#table = new AffinityTable(table);
  }

  /** The hash of the name of the client's backend, or -1. */
  backendOf(client: string): number {
    const stay = this.#clients.get(client);
    if (stay) return stay.backend;
    if (!this.#words.read(client)) return -1;
    return this.#table.backendOf(this.#words, this.#key, this.#now, this.#duration);
  }

  /** A session of the client is with this backend now. `isNew`: it was with none before. */
  began(client: string, backend: number, isNew: boolean): void {
    const stay = this.#clients.get(client) ?? { sessions: 0, backend };
    stay.backend = backend;
    if (isNew) stay.sessions += 1;
    this.#clients.set(client, stay);
    this.#remember(client, backend);
    if (this.wheelSlot < 0) this.#scheduleRenewal();
  }

  ended(client: string): void {
    const stay = this.#clients.get(client);
    if (!stay) return;
    this.#remember(client, stay.backend);
    stay.sessions -= 1;
    if (stay.sessions > 0) return;
    this.#clients.delete(client);
    if (this.#clients.size === 0) this.#parts.wheel.remove(this);
  }

  /** Nothing is renewed any more. */
  close(): void {
    this.#clients.clear();
    this.#parts.wheel.remove(this);
  }

  override onDeadline(): void {
    for (const [client, { backend }] of this.#clients) this.#remember(client, backend);
    this.#scheduleRenewal();
  }

  get #now(): number {
    return this.#parts.clock.now() + this.#parts.epoch;
  }

  #scheduleRenewal(): void {
    this.#deadline = this.#parts.clock.now() + this.#duration / 2;
    this.#parts.wheel.schedule(this);
  }

  #remember(client: string, backend: number): void {
    if (this.#words.read(client)) this.#table.remember(this.#words, this.#key, backend, this.#now);
  }
}
