/** TFTP engines on the Linux net, in one process, that hand their sessions over as two processes would. */
import { onTestFinished } from 'vitest';
import type { Backend } from '../../src/balance/pool.ts';
import { Scoreboard } from '../../src/balance/scoreboard.ts';
import type { SavedService } from '../../src/engine/saved-relay.ts';
import type { TftpService } from '../../src/engine/snapshot.ts';
import { TftpEngine } from '../../src/engine/tftp-engine.ts';
import { closeListeningGroup, openListeningGroup } from '../../src/linux/net/listening-group.ts';
import type { LinuxNet, LentSocket } from '../../src/linux/net/linux-net.ts';
import { duplicate } from '../../src/linux/sockets.ts';
import type { Endpoint } from '../../src/net/net.ts';
import { dropReasons, type Event } from '../../src/observe/events.ts';
import { renumbered, socketsOf } from '../../src/runtime/saved-sockets.ts';
import { labService } from './lab.ts';
import { linuxLibc, openLinuxNet } from './tid-nets.ts';

export class MovingEngine {
  readonly scoreboard: Scoreboard;
  readonly events: Event[] = [];
  readonly net: LinuxNet;
  readonly engine: TftpEngine;
  readonly #backends: readonly Backend[];
  readonly #lent: readonly LentSocket[];
  readonly #service: Partial<TftpService>;
  readonly #first: number;

  /** `first` is the scoreboard's index of the first backend. */
  constructor(
    backends: readonly Endpoint[],
    service: Partial<TftpService>,
    lent: readonly LentSocket[],
    first = 0,
  ) {
    const [listener = { address: '', port: 0 }] = lent;
    this.#lent = lent;
    this.#service = service;
    this.#first = first;
    this.#backends = backends.map(({ address, port }, at) => {
      return { name: `b${at}`, address, port, weight: 1, index: first + at };
    });
    this.scoreboard = Scoreboard.create({
      services: 1,
      backends: 16,
      workers: 1,
      reasons: dropReasons.length,
    });
    this.net = openLinuxNet({ lent });
    const { address, port } = listener;
    const pool = { backends: this.#backends };
    this.engine = new TftpEngine({
      snapshot: {
        version: 1,
        services: [{ ...labService, listeners: [{ address, port }], pool, ...service }],
      },
      scoreboard: this.scoreboard,
      worker: 0,
      net: this.net,
      emit: (event) => this.events.push(event),
    });
    this.engine.start();
    onTestFinished(() => {
      this.engine.stop();
      this.net.close();
    });
  }

  /** One with a listener of its own. */
  static open(backends: readonly Endpoint[], service: Partial<TftpService>): MovingEngine {
    const libc = linuxLibc();
    const group = openListeningGroup(libc, { address: '127.0.0.1', port: 0 }, 1);
    onTestFinished(() => closeListeningGroup(libc, group));
    return new MovingEngine(backends, service, group);
  }

  get listener(): Endpoint {
    return this.engine.listening()[0]?.endpoint ?? { address: '', port: 0 };
  }

  get active(): number {
    return this.scoreboard.activeOf(0);
  }

  /** Another one goes on with all sessions; what it is told of them is text, as between processes. */
  move(): MovingEngine {
    const next = new MovingEngine(this.#backends, this.#service, this.#lent, this.#first + 3);
    next.net.loop.stop();
    this.net.loop.stop();
    const saved: SavedService[] = JSON.parse(JSON.stringify(this.engine.save()));
    const sockets = socketsOf(saved);
    const moved = renumbered(
      saved,
      sockets,
      sockets.map((fd) => duplicate(linuxLibc(), fd)),
    );
    next.engine.restore(
      moved.map(({ name, sessions, backends }) => {
        return { name, sessions, backends: backends.map((backend) => next.#known(backend.name)) };
      }),
    );
    this.engine.leave();
    next.net.loop.start();
    return next;
  }

  #known(name: string): Backend {
    const backend = this.#backends.find((known) => known.name === name);
    if (!backend) throw new Error(`no backend ${name}`);
    return backend;
  }
}
