/** Hands over to another process that asks for it: all that it can have, while the rest goes on to its end here. */
import type { Clock } from '../net/net.ts';
import type { Logger } from '../observe/log.ts';
import type { HandOverOutcome } from '../observe/operator.ts';
import type { TakeoverMetrics } from '../observe/takeover-metrics.ts';
import type { DataPlaneHandover } from '../runtime/data-plane.ts';
import { TakeoverGiver } from '../runtime/takeover-giver.ts';
import type { Services } from './services.ts';

export interface HandingOverParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
  readonly metrics: TakeoverMetrics;
  readonly services: Pick<Services, 'saveOrders'>;
  /** Undefined where the engine has no sockets that could be handed over. */
  readonly handover: DataPlaneHandover | undefined;
  /** Why nobody may take over now. */
  readonly obstacle: () => string | undefined;
  /** Calls back when no reload is under way, and keeps others waiting until it has ended. */
  readonly inTurn: (act: () => Promise<void>) => void;
  /** The other process serves: what only one can have is to be given up. */
  readonly onGiven: () => Promise<void>;
}

export class HandingOver {
  readonly #parts: HandingOverParts;
  readonly #given = Promise.withResolvers<void>();
  #isBusy = false;

  constructor(parts: HandingOverParts) {
    this.#parts = parts;
  }

  /** Resolves when another process serves in place of this one. */
  get given(): Promise<void> {
    return this.#given.promise;
  }

  /** The process that listens at `path` wants to take over; `by` is who asks for it. How it went is logged. */
  ask(path: string, by: string): HandOverOutcome {
    const { clock, log, version, handover, inTurn } = this.#parts;
    const obstacle = this.#isBusy ? 'another process is taking over already' : this.#parts.obstacle();
    if (obstacle !== undefined) return { kind: 'refused', reason: obstacle };
    if (!handover) return { kind: 'refused', reason: 'the portable engine has no sockets to hand over' };
    try {
      const giver = TakeoverGiver.connect({ libc: handover.libc, clock, version, threads: handover }, path);
      log.info({ event: 'takeover.asked', to: giver.pid, by }, 'another process is taking over');
      this.#isBusy = true;
      inTurn(() => this.#give(giver, handover));
      return { kind: 'begun', pid: process.pid };
    } catch (error) {
      return { kind: 'refused', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Never rejects. */
  async #give(giver: TakeoverGiver, handover: DataPlaneHandover): Promise<void> {
    const { clock, log, metrics, onGiven } = this.#parts;
    const begun = clock.now();
    try {
      const sessions = await giver.give(() => this.#parts.services.saveOrders());
      await Promise.all([handover.leave(), onGiven().then(() => giver.release())]);
      const duration = clock.now() - begun;
      log.info({ event: 'takeover.given', to: giver.pid, sessions, duration }, 'another process serves now');
      this.#given.resolve();
    } catch (error) {
      metrics.failed();
      const reason = error instanceof Error ? error.message : String(error);
      log.error(
        { event: 'takeover.failed', to: giver.pid, reason },
        'nobody has taken over, all goes on here',
      );
      this.#isBusy = false;
    }
  }
}
