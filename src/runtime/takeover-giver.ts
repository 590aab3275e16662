/** The end of a takeover that has served until now. */
import { HandoverChannel } from '../linux/net/handover-channel.ts';
import type { Libc } from '../linux/libc.ts';
import { close } from '../linux/sockets.ts';
import { connectUnix, peerOf } from '../linux/unix-socket.ts';
import type { Clock } from '../net/net.ts';
import type { InheritedGroup } from './inherited-listeners.ts';
import { socketsOf } from './saved-sockets.ts';
import {
  type Message,
  protocolVersion,
  type SavedWorker,
  type ServiceOrders,
  Talk,
} from './takeover-talk.ts';
import { TakeoverError } from './takeover-error.ts';

/** Milliseconds in which the other process finds its backends and starts its threads. */
const preparation = 60_000;

/** What is asked of the threads that have served. */
export interface GiverThreads {
  /** Threads for each protocol. */
  readonly count: number;
  listeners(): readonly InheritedGroup[];
  /** Sessions stand still. Rejects if a worker cannot do that; `thaw` has to be called then, too. */
  freeze(): Promise<SavedWorker[]>;
  /** All goes on. */
  thaw(): Promise<void>;
}

export interface GiverParts {
  readonly libc: Libc;
  readonly clock: Clock;
  /** Of the program. */
  readonly version: string;
  readonly threads: GiverThreads;
}

export class TakeoverGiver {
  /** Of the process that takes over. */
  readonly pid: number;
  readonly #parts: GiverParts;
  readonly #talk: Talk;

  private constructor(parts: GiverParts, talk: Talk, pid: number) {
    this.#parts = parts;
    this.#talk = talk;
    this.pid = pid;
  }

  /** Connects to the process that listens at `path`. Throws TakeoverError unless it is this user's, SyscallError or RangeError. */
  static connect(parts: GiverParts, path: string): TakeoverGiver {
    const { libc, clock } = parts;
    const fd = connectUnix(libc, path);
    const { pid, user } = peerOf(libc, fd);
    if (user === process.geteuid?.())
      return new TakeoverGiver(parts, new Talk(new HandoverChannel(libc, fd, clock)), pid);
    close(libc, fd);
    throw new TakeoverError(`process ${pid} is another user’s (${user})`);
  }

  /**
   * `orders` are those of the operator that are in force. Resolves to the number of sessions when the other process serves: `release` has to follow. Rejects with the reason
   * why it does not; then all is as it was.
   */
  async give(orders: () => readonly ServiceOrders[]): Promise<number> {
    const { threads } = this.#parts;
    try {
      await this.#sayHello();
      await this.#talk.hear('prepared', preparation);
    } catch (error) {
      await this.#refuse(error);
      throw error;
    }
    try {
      const sessions = await this.#saySessions(await threads.freeze());
      await this.#talk.hear('ready');
      await this.#go(orders());
      return sessions;
    } catch (error) {
      await this.#refuse(error);
      await threads.thaw();
      throw error;
    }
  }

  /** What no two processes can have at once is free. */
  async release(): Promise<void> {
    await this.#tell({ kind: 'released' });
  }

  async #sayHello(): Promise<void> {
    const { threads, version } = this.#parts;
    const listeners = threads.listeners();
    const groups = listeners.map(({ sockets, ...group }) => ({ ...group, sockets: sockets.length }));
    const hello = {
      kind: 'hello',
      protocol: protocolVersion,
      version,
      count: threads.count,
      groups,
    } as const;
    await this.#talk.say(
      hello,
      listeners.flatMap(({ sockets }) => sockets),
    );
  }

  async #saySessions(workers: readonly SavedWorker[]): Promise<number> {
    let count = 0;
    // Where there is no worker that could have sessions, the end of them is told all the same.
    const told = workers.length > 0 ? workers : [{ worker: 0, services: [] }];
    for (const [at, { worker, services }] of told.entries()) {
      const sockets = socketsOf(services);
      const isLast = at === told.length - 1;
      await this.#talk.say({ kind: 'sessions', worker, services, sockets, isLast }, sockets);
      count += services.reduce((sum, { sessions }) => sum + sessions.length, 0);
    }
    return count;
  }

  /** From here on the other process has all it needs: unless it is gone, it serves, however long it takes. */
  async #go(orders: readonly ServiceOrders[]): Promise<void> {
    await this.#talk.say({ kind: 'go', orders });
    await this.#talk.hear('serving', Infinity);
  }

  /** The last that is said; the other process finds out by itself if it does not hear it. */
  async #tell(message: Message): Promise<void> {
    try {
      await this.#talk.say(message);
    } catch {
      // It is gone.
    } finally {
      this.#talk.close();
    }
  }

  async #refuse(error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error);
    await this.#tell({ kind: 'refused', reason });
  }
}
