/** What the supervisor does with its workers in a takeover, at either end of it. */
import type { Backend } from '../balance/pool.ts';
import type { SavedService } from '../engine/saved-relay.ts';
import { listeningDescriptors } from '../net/listening-descriptor.ts';
import type { DataPlaneHandover, Listening } from './data-plane.ts';
import type { InheritedGroup } from './inherited-listeners.ts';
import type { HandoverCommand } from './messages.ts';
import type { ThreadsHandover } from './node-threads.ts';
import type { SavedWorker } from './takeover-talk.ts';
import type { WorkerSlot } from './worker-slot.ts';

export interface SupervisorHandoverParts {
  readonly threads: ThreadsHandover;
  /** Those that have been started. */
  readonly slots: () => readonly WorkerSlot[];
  /** Where clients of FTP arrive. */
  readonly ftpListeners: () => readonly Listening[];
  /** Starts those that were not held. */
  readonly startOthers: () => Promise<void>;
  /** Closes what is left of listening sockets. */
  readonly closeListeners: () => void;
}

export class SupervisorHandover implements DataPlaneHandover {
  readonly libc: ThreadsHandover['libc'];
  readonly count: number;
  readonly #parts: SupervisorHandoverParts;

  constructor(parts: SupervisorHandoverParts) {
    this.#parts = parts;
    this.libc = parts.threads.libc;
    this.count = parts.threads.count;
  }

  listeners(): readonly InheritedGroup[] {
    const ftp = this.#parts.ftpListeners().map(({ endpoint }): InheritedGroup => {
      const { address, port } = endpoint;
      return { kind: 'ftp', address, port, sockets: listeningDescriptors('tcp', endpoint) };
    });
    return [...this.#parts.threads.groups(), ...ftp];
  }

  async freeze(): Promise<SavedWorker[]> {
    return Promise.all(
      this.#movable.map(async (slot) => {
        const answer = await slot.ask({ kind: 'freeze' });
        return { worker: slot.index, services: answer.kind === 'frozen' ? answer.services : [] };
      }),
    );
  }

  /** One that has died meanwhile is started again as ever. */
  async thaw(): Promise<void> {
    await Promise.allSettled(this.#movable.map((slot) => slot.ask({ kind: 'thaw' })));
  }

  async restore(
    worker: number,
    services: readonly SavedService<Backend>[],
    sockets: readonly number[],
  ): Promise<void> {
    const slot = this.#movable.find(({ index }) => index === worker);
    const command: HandoverCommand = { kind: 'restore', services, sockets };
    if (!slot) throw new RangeError(`there is no worker ${worker} that could take sessions over`);
    await slot.ask(command);
  }

  async serve(): Promise<void> {
    // Behind the thaw there is no way back.
    await this.#parts.startOthers();
    this.#parts.threads.serve();
    await this.thaw();
  }

  async leave(): Promise<void> {
    await Promise.all(
      this.#parts.slots().map(async (slot) => {
        await slot.leave();
        // It had only what another process has now.
        if (slot.status.kind === 'linux') await slot.stop();
      }),
    );
    this.#parts.closeListeners();
  }

  get #movable(): WorkerSlot[] {
    return this.#parts.slots().filter(({ status }) => status.kind === 'linux');
  }
}
