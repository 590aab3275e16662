/** The threads of the Linux engine, and what of theirs outlives them: listening sockets, and a list of what is open. */
import type { ListenerSpec, Service } from '../engine/snapshot.ts';
import { createLedgerMemory, DescriptorLedger } from '../linux/descriptor-ledger.ts';
import { EventFd } from '../linux/event-fd.ts';
import type { Libc } from '../linux/libc.ts';
import type { LentSocket } from '../linux/net/linux-net.ts';
import { closeListeningGroup, openListeningGroup } from '../linux/net/listening-group.ts';
import type { LinuxBoot, WorkerBoot } from './messages.ts';
import type { SocketLender } from './node-threads.ts';
import type { SpawnWorker, WorkerHandle, WorkerHandlers, WorkerPlan } from './worker-handle.ts';

interface LinuxParts {
  readonly libc: Libc;
  /** Microseconds, see LoopOptions. */
  readonly busyPoll: number;
}

export class LinuxThreads implements SocketLender {
  readonly #parts: LinuxParts;
  readonly #count: number;
  readonly #start: SpawnWorker;
  /** One socket for each thread in each of them. */
  readonly #groups: (readonly LentSocket[])[] = [];

  /** `start` makes a thread. */
  constructor(parts: LinuxParts, count: number, start: SpawnWorker) {
    this.#parts = parts;
    this.#count = count;
    this.#start = start;
  }

  claim({ kind, listeners }: Service): ListenerSpec[] | undefined {
    if (kind !== 'tftp') return undefined;
    return listeners.map(({ address, port }) => {
      const group = openListeningGroup(this.#parts.libc, { address, port }, this.#count);
      this.#groups.push(group);
      return { address, port: group[0]?.port ?? port };
    });
  }

  close(): void {
    for (const group of this.#groups.splice(0)) closeListeningGroup(this.#parts.libc, group);
  }

  /** The worker's index is its place in each group: these threads come first. */
  readonly spawn = (plan: WorkerPlan, boot: WorkerBoot, handlers: WorkerHandlers): WorkerHandle => {
    const { libc, busyPoll } = this.#parts;
    const wakeup = EventFd.open(libc);
    const ledger = createLedgerMemory();
    const more: LinuxBoot = {
      busyPoll,
      wakeFd: wakeup.fd,
      ledger,
      share: { first: boot.worker, of: this.#count },
      lent: this.#groups.flatMap((group) => group[boot.worker] ?? []),
    };
    let isGone = false;
    const onExit = (error: Error | undefined): void => {
      isGone = true;
      new DescriptorLedger(ledger).closeAll(libc);
      wakeup.close();
      handlers.onExit(error);
    };
    const handle = this.#start(plan, { ...boot, ...more }, { ...handlers, onExit });
    const wake = (): void => {
      if (!isGone) wakeup.wake();
    };
    return {
      post: (command) => handle.post(command),
      wake,
      terminate: () => {
        handle.terminate();
        wake();
      },
    };
  };
}
