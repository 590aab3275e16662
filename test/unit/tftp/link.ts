import type { Machine } from '../../../src/tftp/machine.ts';

/** What may happen to one packet: copies that arrive, and the delay of each in milliseconds. None means lost. */
export type Fate = readonly number[];

interface Arrival {
  readonly at: number;
  readonly order: number;
  readonly to: 'left' | 'right';
  readonly packet: Uint8Array;
}

/** Joins two machines in virtual time. Every packet asks `fate` what happens to it. */
export class Link {
  now = 0;
  /** Packets that were sent from each side. */
  readonly sent: Record<'left' | 'right', number> = { left: 0, right: 0 };
  readonly #fate: () => Fate;
  #queue: Arrival[] = [];
  #order = 0;

  constructor(fate: () => Fate) {
    this.#fate = fate;
  }

  sendFrom(side: 'left' | 'right'): (packet: Uint8Array) => void {
    return (packet) => {
      this.sent[side] += 1;
      const to = side === 'left' ? 'right' : 'left';
      for (const delay of this.#fate()) {
        this.#queue.push({ at: this.now + delay, order: this.#order++, to, packet: packet.slice() });
      }
    };
  }

  /** Runs until nothing is under way and nobody waits for a timer. Throws if that takes more than `maxSteps`. */
  run(left: Machine, right: Machine, maxSteps = 200_000): void {
    right.start(this.now);
    left.start(this.now);
    for (let step = 0; ; step++) {
      if (step > maxSteps) throw new Error('the transfer does not end');
      this.#queue.sort((a, b) => a.at - b.at || a.order - b.order);
      const arrival = this.#queue[0];
      const timers = [left, right].filter((machine) => machine.deadline !== undefined);
      const due = Math.min(...timers.map((machine) => machine.deadline ?? Infinity));
      if (arrival !== undefined && arrival.at <= due) {
        this.#queue.shift();
        this.now = arrival.at;
        (arrival.to === 'left' ? left : right).onPacket(arrival.packet, this.now);
      } else if (due < Infinity) {
        this.now = due;
        timers.find((machine) => machine.deadline === due)?.onTimeout(this.now);
      } else {
        return;
      }
    }
  }
}
