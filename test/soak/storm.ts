/** What may go wrong around a balancer, one thing after the other, by seed; all of it ends when the storm is over. */
import { IndexTable, TooManyBackendsError } from '../../src/balance/index-table.ts';
import type { Pool } from '../../src/balance/pool.ts';
import type { TftpService } from '../../src/engine/snapshot.ts';
import { EjectionKeeper } from '../../src/health/ejection.ts';
import type { MemoryHost } from '../../src/net/memory-host.ts';
import type { Timer } from '../../src/net/net.ts';
import type { LinkModel } from '../../src/net/memory-link.ts';
import type { Noise } from '../fuzz/noise.ts';
import { backendAddress, type Lab } from '../helpers/lab.ts';

/** Milliseconds between two faults, and how long each lasts. */
const pause = { min: 300, max: 3_000 };
const length = { min: 500, max: 15_000 };
const ejectTime = 10_000;
/** Slow enough that a round is a matter of seconds whatever happens in it. */
export const calmLink: LinkModel = { loss: 0, duplication: 0, reordering: 0, minDelay: 5, maxDelay: 20 };

export interface StormParts {
  readonly lab: Lab;
  readonly noise: Noise;
  readonly vips: readonly string[];
  readonly service: Partial<TftpService>;
  /** Ends the server of a backend and starts it anew. */
  readonly restart: (n: number) => void;
}

export class Storm {
  readonly #parts: StormParts;
  readonly #indexes: IndexTable;
  readonly #ejection: EjectionKeeper;
  /** What ends the faults that last. */
  readonly #remedies = new Map<Timer, () => void>();
  #pool: Pool = { backends: [] };
  #generation = 0;
  #version = 1;
  #next: Timer | undefined;
  #seen = 0;

  constructor(parts: StormParts) {
    const { net: clock, scoreboard } = parts.lab;
    this.#parts = parts;
    this.#indexes = new IndexTable(scoreboard);
    this.#ejection = new EjectionKeeper(
      { clock, scoreboard, emit: () => {} },
      { service: 'tftp', duration: ejectTime },
    );
  }

  start(): void {
    this.#publish(this.#parts.lab.backendHosts.map((_, n) => n));
    this.#plan();
  }

  /** Everything is whole again. */
  end(): void {
    this.#next?.cancel();
    for (const [timer, remedy] of this.#remedies) {
      timer.cancel();
      remedy();
    }
    this.#remedies.clear();
    this.#parts.lab.net.link = calmLink;
    this.#publish(this.#parts.lab.backendHosts.map((_, n) => n));
  }

  /** The control plane's timers end. */
  stop(): void {
    this.#ejection.stop();
  }

  /** The place of a backend by a name that it has or had. */
  placeOf(name: string): number {
    return Number(name.slice(1).split('.')[0]);
  }

  /** Tells the control plane what the engine has emitted since the last time. */
  hear(): void {
    const { events } = this.#parts.lab;
    for (; this.#seen < events.length; this.#seen++) {
      const event = events[this.#seen];
      if (event?.kind === 'backend.suspect') this.#ejection.suspected(event);
    }
  }

  #plan(): void {
    const { lab, noise } = this.#parts;
    this.#next = lab.net.setTimer(noise.int(pause.min, pause.max), () => {
      this.#strike();
      this.#plan();
    });
  }

  #strike(): void {
    const { lab, noise, restart } = this.#parts;
    const n = noise.int(0, lab.backendHosts.length - 1);
    switch (noise.int(0, 9)) {
      case 0:
        return this.#disconnect(lab.backendHost(n));
      case 1:
        return restart(n);
      case 2:
        lab.net.link = this.#badLink();
        return;
      case 3:
        return this.#flag((row, value) => lab.scoreboard.setEnabled(row, value));
      case 4:
        return this.#flag((row, value) => lab.scoreboard.setUp(row, value));
      case 5:
        return this.#moveAddress();
      case 6:
        return this.#takeDescriptors();
      default:
        return this.#changePool();
    }
  }

  #disconnect(host: MemoryHost): void {
    host.state = this.#parts.noise.chance(0.5) ? 'silent' : 'gone';
    this.#later(() => {
      host.state = 'up';
    });
  }

  #badLink(): LinkModel {
    const { noise } = this.#parts;
    return {
      loss: noise.int(0, 12) / 100,
      duplication: noise.int(0, 8) / 100,
      reordering: noise.int(0, 8) / 100,
      minDelay: noise.int(2, 10),
      maxDelay: noise.int(10, 60),
    };
  }

  /** Backends come, go and are replaced by others of the same address; what is left out drains. */
  #changePool(): void {
    const { lab, noise } = this.#parts;
    if (noise.chance(0.7)) this.#generation += 1;
    const places = lab.backendHosts.map((_, n) => n).filter(() => noise.chance(0.7));
    this.#publish(places.length > 0 ? places : [0]);
  }

  #publish(places: readonly number[]): void {
    const { lab, noise, service } = this.#parts;
    const found = places.map((n) => ({
      name: `b${n}.${this.#generation}`,
      address: backendAddress(n),
      port: 69,
      weight: noise.int(1, 3),
    }));
    try {
      this.#pool = { backends: this.#indexes.update('tftp', found) };
    } catch (error) {
      // Sessions still hold too many of those that have left: the pool stays as it is, as it does in the program.
      if (error instanceof TooManyBackendsError) return;
      throw error;
    }
    this.#ejection.update(this.#pool);
    this.#version += 1;
    const { services } = lab.snapshot(0, { ...service, pool: this.#pool });
    lab.engine.update({ version: this.#version, services });
  }

  #flag(set: (row: number, value: boolean) => void): void {
    const backend = this.#parts.noise.pick(this.#pool.backends);
    if (!backend) return;
    set(backend.index, false);
    this.#later(() => set(backend.index, true));
  }

  #moveAddress(): void {
    const { lab, noise, vips } = this.#parts;
    lab.balancer.setAddresses(vips.filter((_, n) => n !== noise.int(0, vips.length - 1)));
    this.#later(() => lab.balancer.setAddresses(vips));
  }

  #takeDescriptors(): void {
    const { balancer } = this.#parts.lab;
    balancer.descriptorLimit = balancer.openSockets + this.#parts.noise.int(0, 10);
    this.#later(() => {
      balancer.descriptorLimit = Infinity;
    });
  }

  #later(remedy: () => void): void {
    const { lab, noise } = this.#parts;
    const timer = lab.net.setTimer(noise.int(length.min, length.max), () => {
      this.#remedies.delete(timer);
      remedy();
    });
    this.#remedies.set(timer, remedy);
  }
}
