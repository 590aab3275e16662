/** The threads of the Linux engine, and what of theirs outlives them: listening sockets, and a list of what is open. */
import type { ListenerSpec, Service } from '../engine/snapshot.ts';
import { createLedgerMemory, DescriptorLedger } from '../linux/descriptor-ledger.ts';
import { EventFd } from '../linux/event-fd.ts';
import type { Libc } from '../linux/libc.ts';
import type { LentSocket } from '../linux/net/linux-net.ts';
import { closeListeningGroup, openListeningGroup } from '../linux/net/listening-group.ts';
import { formatEndpoint } from '../net/net.ts';
import type { InheritedGroup, InheritedListeners } from './inherited-listeners.ts';
import type { LinuxBoot, WorkerBoot } from './messages.ts';
import type { SocketLender } from './node-threads.ts';
import type { SpawnWorker, WorkerHandle, WorkerHandlers, WorkerPlan } from './worker-handle.ts';

interface LinuxParts {
  readonly libc: Libc;
  /** Microseconds, see LoopOptions. */
  readonly busyPoll: number;
  /** Where there are listeners of another process, which still serves. */
  readonly inherited?: InheritedListeners | undefined;
}

export class LinuxThreads implements SocketLender {
  readonly #parts: LinuxParts;
  readonly #count: number;
  readonly #start: SpawnWorker;
  #isHeld: boolean;
  /** By where they listen: one socket for each thread. */
  readonly #groups = new Map<string, readonly LentSocket[]>();

  /** `start` makes a thread. */
  constructor(parts: LinuxParts, count: number, start: SpawnWorker) {
    this.#parts = parts;
    this.#count = count;
    this.#isHeld = parts.inherited !== undefined;
    this.#start = start;
  }

  claim(kind: Service['kind'], { address, port }: ListenerSpec): ListenerSpec | undefined {
    if (kind !== 'tftp') return undefined;
    const { libc, inherited } = this.#parts;
    const sockets = inherited?.take(kind, { address, port });
    const group =
      sockets?.map((fd) => ({ address, port, fd })) ??
      openListeningGroup(libc, { address, port }, this.#count);
    const at = { address, port: group[0]?.port ?? port };
    this.#groups.set(formatEndpoint(at.address, at.port), group);
    return at;
  }

  release(kind: Service['kind'], { address, port }: ListenerSpec): void {
    const key = formatEndpoint(address, port);
    const group = kind === 'tftp' ? this.#groups.get(key) : undefined;
    if (!group) return;
    this.#groups.delete(key);
    closeListeningGroup(this.#parts.libc, group);
  }

  /** Threads that are made from now on serve at once. */
  serve(): void {
    this.#isHeld = false;
  }

  /** All listeners, with a socket for each thread. */
  get groups(): InheritedGroup[] {
    return [...this.#groups.values()].flatMap((group) => {
      const [first] = group;
      const sockets = group.map(({ fd }) => fd);
      return first ? [{ kind: 'tftp', address: first.address, port: first.port, sockets }] : [];
    });
  }

  /** The worker's index is its place in each group: these threads come first. */
  lentTo(worker: number): LentSocket[] {
    return [...this.#groups.values()].flatMap((group) => group[worker] ?? []);
  }

  close(): void {
    for (const group of this.#groups.values()) closeListeningGroup(this.#parts.libc, group);
    this.#groups.clear();
  }

  readonly spawn = (plan: WorkerPlan, boot: WorkerBoot, handlers: WorkerHandlers): WorkerHandle => {
    const { libc, busyPoll } = this.#parts;
    const wakeup = EventFd.open(libc);
    const ledger = createLedgerMemory();
    const more: LinuxBoot = {
      busyPoll,
      wakeFd: wakeup.fd,
      ledger,
      share: { first: boot.worker, of: this.#count },
      isHeld: this.#isHeld,
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
