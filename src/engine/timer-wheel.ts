/**
 * Deadlines of very many sessions without scanning them: a ring of slots, each a linked list. A deadline that moves
 * further away costs nothing (the entry is looked at when its old slot comes up and put into a later one), one that
 * comes nearer is moved at once.
 */
import type { Clock, Timer } from '../net/net.ts';

/** Milliseconds per slot, and with it how late a deadline may be noticed. */
const slotTime = 32;
const slotCount = 2048;

export abstract class WheelEntry {
  /** Links of the slot's list; the wheel's own. */
  wheelNext: WheelEntry | undefined;
  wheelPrevious: WheelEntry | undefined;
  /** Number of the slot since the wheel's start, -1 where the entry is in none. */
  wheelSlot = -1;

  /** In the clock's milliseconds. */
  abstract readonly deadline: number;
  /** The deadline has passed. The entry is in no slot then and may be scheduled again. */
  abstract onDeadline(now: number): void;
}

export class TimerWheel {
  readonly #clock: Clock;
  readonly #slots: (WheelEntry | undefined)[] = Array.from<WheelEntry | undefined>({ length: slotCount });
  readonly #start: number;
  #nextSlot = 0;
  #size = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#start = clock.now();
  }

  /** Entries that are waiting. */
  get size(): number {
    return this.#size;
  }

  /** Puts the entry where its deadline belongs, unless it is already looked at earlier than that. */
  schedule(entry: WheelEntry): void {
    if (this.#size === 0) this.#nextSlot = Math.max(this.#nextSlot, this.#slotOf(this.#clock.now()));
    const wanted = Math.ceil((entry.deadline - this.#start) / slotTime);
    const slot = Math.min(Math.max(wanted, this.#nextSlot), this.#nextSlot + slotCount - 2);
    if (entry.wheelSlot >= 0) {
      if (entry.wheelSlot <= slot) return;
      this.remove(entry);
    }
    this.#insert(entry, slot);
    this.#timer ??= this.#clock.setTimer(slotTime, () => this.#tick());
  }

  /** Does nothing where the entry is in no slot. */
  remove(entry: WheelEntry): void {
    if (entry.wheelSlot < 0) return;
    const next = entry.wheelNext;
    const previous = entry.wheelPrevious;
    if (next) next.wheelPrevious = previous;
    if (previous) previous.wheelNext = next;
    else this.#slots[entry.wheelSlot % slotCount] = next;
    entry.wheelNext = undefined;
    entry.wheelPrevious = undefined;
    entry.wheelSlot = -1;
    this.#size -= 1;
    if (this.#size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #insert(entry: WheelEntry, slot: number): void {
    const head = this.#slots[slot % slotCount];
    entry.wheelNext = head;
    entry.wheelSlot = slot;
    if (head) head.wheelPrevious = entry;
    this.#slots[slot % slotCount] = entry;
    this.#size += 1;
  }

  #tick(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    const last = this.#slotOf(now);
    while (this.#size > 0 && this.#nextSlot <= last) this.#empty(this.#nextSlot, now);
    if (this.#size > 0) this.#timer ??= this.#clock.setTimer(slotTime, () => this.#tick());
  }

  #empty(slot: number, now: number): void {
    let entry = this.#slots[slot % slotCount];
    this.#nextSlot = slot + 1;
    while (entry) {
      this.remove(entry);
      if (entry.deadline <= now) entry.onDeadline(now);
      else this.schedule(entry);
      entry = this.#slots[slot % slotCount];
    }
  }

  #slotOf(time: number): number {
    return Math.floor((time - this.#start) / slotTime);
  }
}
