/** The engine in this process, on the real network, towards servers on loopback addresses. */
import { Scoreboard } from '../../src/balance/scoreboard.ts';
import { TftpEngine } from '../../src/engine/tftp-engine.ts';
import type { TftpService } from '../../src/engine/snapshot.ts';
import type { Endpoint } from '../../src/net/net.ts';
import type { TidNet } from '../../src/net/tids.ts';
import { dropReasons, type Emit } from '../../src/observe/events.ts';
import { labService } from './lab.ts';

export interface LoopbackParts {
  readonly net: TidNet;
  /** Of the listener; its port is the kernel's choice. */
  readonly address: string;
  readonly backends: readonly Endpoint[];
  readonly service?: Partial<TftpService>;
  readonly emit: Emit;
}

export class LoopbackEngine {
  readonly scoreboard: Scoreboard;
  readonly #engine: TftpEngine;
  readonly #backends: number;

  /** Listens at once. */
  constructor({ net, address, backends, service, emit }: LoopbackParts) {
    this.scoreboard = Scoreboard.create({
      services: 1,
      backends: backends.length,
      workers: 1,
      reasons: dropReasons.length,
    });
    this.#backends = backends.length;
    const pool = {
      backends: backends.map(({ address, port }, index) => ({
        index,
        name: `b${index}`,
        address,
        port,
        weight: 1,
      })),
    };
    const listeners = [{ address, port: 0 }];
    this.#engine = new TftpEngine({
      snapshot: { version: 1, services: [{ ...labService, listeners, pool, ...service }] },
      scoreboard: this.scoreboard,
      worker: 0,
      net,
      emit,
    });
    this.#engine.start();
  }

  get listener(): Endpoint {
    const [first] = this.#engine.listening();
    if (!first) throw new Error('the engine does not listen');
    return first.endpoint;
  }

  /** Sessions that hold something, ended ones included. */
  get sessions(): number {
    let sum = 0;
    for (let n = 0; n < this.#backends; n++) sum += this.scoreboard.holders(n);
    return sum;
  }

  stop(): void {
    this.#engine.stop();
  }
}
