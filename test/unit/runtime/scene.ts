/** A supervisor of threads that a test speaks for, in virtual time. */
import { Scoreboard } from '../../../src/balance/scoreboard.ts';
import { createPassivePool } from '../../../src/engine/passive-pool.ts';
import type { FtpService, Snapshot, TftpService } from '../../../src/engine/snapshot.ts';
import type { MemoryHost } from '../../../src/net/memory-host.ts';
import { MemoryNet } from '../../../src/net/memory-net.ts';
import { dropReasons, type Event } from '../../../src/observe/events.ts';
import { Supervisor } from '../../../src/runtime/supervisor.ts';
import { FakeThreads } from '../../helpers/fake-threads.ts';
import { ftpService } from '../../helpers/ftp-lab.ts';
import { labService } from '../../helpers/lab.ts';

export const vip = '192.0.2.1';

export class Scene {
  readonly net: MemoryNet = new MemoryNet({ seed: 1 });
  readonly host: MemoryHost = this.net.host([vip]);
  readonly threads: FakeThreads;
  readonly scoreboard: Scoreboard;
  readonly supervisor: Supervisor;
  readonly events: Event[] = [];
  readonly tftp: TftpService;
  readonly ftp: FtpService;

  constructor(workers: number, service: Partial<TftpService> = {}, threads?: FakeThreads) {
    this.threads = threads ?? new FakeThreads(workers);
    this.scoreboard = Scoreboard.create({ services: 2, backends: 4, workers, reasons: dropReasons.length });
    const pool = { backends: [] };
    this.tftp = { ...labService, listeners: [{ address: vip, port: 69 }], pool, ...service };
    const listeners = [{ address: vip, port: 21 }];
    const passivePool = createPassivePool(ftpService.data.passivePorts, workers);
    this.ftp = { ...ftpService, index: 1, listeners, pool, passivePool };
    this.supervisor = new Supervisor({
      net: this.host,
      scoreboard: this.scoreboard,
      emit: (event) => this.events.push(event),
      threads: this.threads,
    });
  }

  snapshot(): Snapshot {
    return { version: this.scoreboard.nextSnapshot(), services: [this.tftp, this.ftp] };
  }

  /** Begins to start, and lets all threads be ready. */
  async begin(): Promise<{ readonly started: Promise<void> }> {
    const started = this.supervisor.start(this.snapshot());
    for (const thread of this.threads.made) thread.say({ kind: 'ready' });
    await this.settle();
    return { started };
  }

  /** Starts, all threads being willing. */
  async start(): Promise<this> {
    const { started } = await this.begin();
    for (const thread of this.threads.made) thread.say({ kind: 'started' });
    await started;
    return this;
  }

  /** Lets `milliseconds` pass, and what hangs on them happen. */
  async pass(milliseconds: number): Promise<void> {
    this.net.advance(milliseconds);
    await this.settle();
  }

  /** Lets promises that are settled be heard. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  }

  /** The latest thread of a worker has died, and its successor serves. */
  async revive(worker: number): Promise<void> {
    this.threads.of(worker).say({ kind: 'ready' });
    await this.settle();
    this.threads.of(worker).say({ kind: 'started' });
    await this.settle();
  }

  states(): string[] {
    return this.supervisor.workers().map(({ state }) => state);
  }

  of<K extends Event['kind']>(kind: K): Extract<Event, { kind: K }>[] {
    return this.events.filter((event): event is Extract<Event, { kind: K }> => event.kind === kind);
  }
}
