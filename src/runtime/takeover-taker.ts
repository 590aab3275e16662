/** The end of a takeover that will serve. */
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { accepted, HandoverChannel } from '../linux/net/handover-channel.ts';
import type { Libc } from '../linux/libc.ts';
import { close } from '../linux/sockets.ts';
import { acceptUnix, listenUnix, peerOf } from '../linux/unix-socket.ts';
import type { Clock } from '../net/net.ts';
import type { Inheritance } from './node-threads.ts';
import { renumbered } from './saved-sockets.ts';
import {
  type Hello,
  protocolVersion,
  type Received,
  type SavedWorker,
  type ServiceOrders,
  Talk,
} from './takeover-talk.ts';
import { TakeoverError } from './takeover-error.ts';

/** Milliseconds in which the other process connects when it has been asked to. */
const patience = 10_000;
/** Milliseconds in which sessions stand still: it has to decide before this process gives up. */
const decision = 30_000;

/** How the two processes find each other. */
export interface Meeting {
  /** Where a folder for their socket can be made. */
  readonly folder: string;
  /** Has the running process connect to a path. */
  readonly ask: (path: string) => Promise<void>;
}

/** The sessions of a worker, with descriptors of this process. */
export interface TakenWorker extends SavedWorker {
  readonly sockets: readonly number[];
}

export class TakeoverTaker {
  /** Of the process that served until now. */
  readonly pid: number;
  /** Version of its program. */
  readonly version: string;
  readonly inheritance: Inheritance;
  readonly #talk: Talk;

  private constructor(talk: Talk, pid: number, { message, descriptors }: Received<Hello>) {
    this.#talk = talk;
    this.pid = pid;
    this.version = message.version;
    let next = 0;
    const groups = message.groups.map(({ sockets, ...group }) => {
      next += sockets;
      return { ...group, sockets: descriptors.slice(next - sockets, next) };
    });
    this.inheritance = { count: message.count, groups };
  }

  /** Rejects with TakeoverError, HandoverError, or as `meeting.ask` does. */
  static async begin(libc: Libc, clock: Clock, meeting: Meeting): Promise<TakeoverTaker> {
    const fd = await meet(libc, clock, meeting);
    const { pid, user } = peerOf(libc, fd);
    if (user !== process.geteuid?.()) {
      close(libc, fd);
      throw new TakeoverError(`process ${pid} is another user’s (${user})`);
    }
    const talk = new Talk(new HandoverChannel(libc, fd, clock));
    const hello = await talk.hear('hello');
    const { protocol, version } = hello.message;
    if (protocol !== protocolVersion) {
      const reason = `version ${version} hands over by protocol ${protocol}, and this one takes over by ${protocolVersion}`;
      await talk.say({ kind: 'refused', reason });
      throw new TakeoverError(reason);
    }
    return new TakeoverTaker(talk, pid, hello);
  }

  /** The threads have all listeners: the other process lets go of its sessions. Rejects with TakeoverError or HandoverError. */
  async sessions(): Promise<TakenWorker[]> {
    await this.#talk.say({ kind: 'prepared' });
    const workers: TakenWorker[] = [];
    for (;;) {
      const { message, descriptors } = await this.#talk.hear('sessions', decision);
      const { worker, services, sockets, isLast } = message;
      if (services.length > 0)
        workers.push({ worker, services: renumbered(services, sockets, descriptors), sockets: descriptors });
      if (isLast) return workers;
    }
  }

  /** The threads have all sessions. Resolves when they may serve, to the orders that are in force. Rejects with TakeoverError or HandoverError. */
  async confirm(): Promise<readonly ServiceOrders[]> {
    await this.#talk.say({ kind: 'ready' });
    return (await this.#talk.hear('go', decision)).message.orders;
  }

  /** They serve. Resolves when the other process has given up what only one can have, or is gone. */
  async served(): Promise<void> {
    try {
      await this.#talk.say({ kind: 'serving' });
      await this.#talk.hear('released', decision);
    } catch {
      // There is no way back, and nothing that it could still say would matter.
    } finally {
      this.#talk.close();
    }
  }

  /** The other process goes on. */
  async refuse(reason: string): Promise<void> {
    await this.#talk.say({ kind: 'refused', reason }).catch(() => undefined);
    this.#talk.close();
  }
}

/** The connection of the process that was asked. Nobody else can enter the folder. */
async function meet(libc: Libc, clock: Clock, { folder, ask }: Meeting): Promise<number> {
  const own = makeFolder(folder);
  const place = path.join(own, 'socket');
  let listening: number | undefined;
  try {
    listening = listenUnix(libc, place);
    const fd = listening;
    await ask(place);
    return await accepted(() => acceptUnix(libc, fd), clock, patience);
  } finally {
    if (listening !== undefined) close(libc, listening);
    rmSync(own, { recursive: true, force: true });
  }
}

/** Nobody else can enter it. Throws TakeoverError. */
function makeFolder(parent: string): string {
  try {
    return mkdtempSync(path.join(parent, 'takeover-'));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const advice = 'is the balancer running, as this user?';
    throw new TakeoverError(`no folder can be made beside the admin socket (${reason}): ${advice}`, {
      cause,
    });
  }
}
