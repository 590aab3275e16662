import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { HandoverChannel } from '../../../src/linux/net/handover-channel.ts';
import { close } from '../../../src/linux/sockets.ts';
import { connectUnix } from '../../../src/linux/unix-socket.ts';
import { createNodeNet } from '../../../src/net/node-net.ts';
import { type GiverThreads, TakeoverGiver } from '../../../src/runtime/takeover-giver.ts';
import { TakeoverTaker } from '../../../src/runtime/takeover-taker.ts';
import { type Hello, protocolVersion, type SavedWorker, Talk } from '../../../src/runtime/takeover-talk.ts';
import { openSockets } from '../../helpers/descriptors.ts';
import { isElsewhere, libcHere, SocketLab } from '../linux/kernel.ts';

const clock = createNodeNet();
const hello: Hello = { kind: 'hello', protocol: protocolVersion, version: '1.2.3', count: 1, groups: [] };

const orders = [{ service: 'tftp', orders: [{ backend: 'b0', mode: 'draining', weight: 3 }] }] as const;

/** Threads that note what they are told. */
class NotingThreads implements GiverThreads {
  readonly count = 2;
  readonly told: string[] = [];
  readonly sockets: readonly number[];
  frozen: readonly SavedWorker[] = [];

  constructor(...sockets: readonly number[]) {
    this.sockets = sockets;
  }

  listeners(): ReturnType<GiverThreads['listeners']> {
    return [{ kind: 'tftp', address: '192.0.2.1', port: 69, sockets: this.sockets }];
  }

  async freeze(): Promise<SavedWorker[]> {
    this.told.push('freeze');
    return [...this.frozen];
  }

  async thaw(): Promise<void> {
    this.told.push('thaw');
  }
}

/** Both ends. */
async function meet(threads: GiverThreads) {
  const { promise, resolve } = Promise.withResolvers<TakeoverGiver>();
  const parts = { libc: libcHere(), clock, version: '1.2.3', threads };
  const given = promise.then((giver) => giver.give(() => orders));
  given.catch(() => undefined);
  const taker = await TakeoverTaker.begin(libcHere(), clock, {
    folder: tmpdir(),
    ask: async (path) => resolve(TakeoverGiver.connect(parts, path)),
  });
  onTestFinished(() => {
    for (const { sockets } of taker.inheritance.groups) for (const fd of sockets) close(libcHere(), fd);
  });
  return { giver: await promise, taker, given };
}

/** A giver by script. */
function script(act: (talk: Talk) => Promise<void>): Promise<TakeoverTaker> {
  return TakeoverTaker.begin(libcHere(), clock, {
    folder: tmpdir(),
    ask: async (path) => {
      const channel = new HandoverChannel(libcHere(), connectUnix(libcHere(), path), clock);
      onTestFinished(() => channel.close());
      void act(new Talk(channel)).catch(() => undefined);
    },
  });
}

describe.skipIf(isElsewhere)('a takeover', () => {
  const lab = new SocketLab();
  afterEach(() => lab.close());

  it('brings listeners, then sessions, and ends when the new process serves', async () => {
    const threads = new NotingThreads(lab.open(4), lab.open(4));
    const { giver, taker, given } = await meet(threads);
    const [group] = taker.inheritance.groups;
    expect(taker).toMatchObject({ pid: process.pid, version: '1.2.3', inheritance: { count: 2 } });
    expect(group).toMatchObject({ kind: 'tftp', address: '192.0.2.1', port: 69 });
    expect(group?.sockets).toHaveLength(2);
    expect(threads.told).toEqual([]);
    expect(await taker.sessions()).toEqual([]);
    expect(threads.told).toEqual(['freeze']);
    expect(await taker.confirm()).toEqual(orders);
    const served = taker.served();
    expect(await given).toBe(0);
    await giver.release();
    await served;
    expect(threads.told).toEqual(['freeze']);
  });

  it('that the new process gives up leaves everything as it was, and says why', async () => {
    const threads = new NotingThreads();
    const { taker, given } = await meet(threads);
    await taker.sessions();
    await taker.refuse('no backends here');
    await expect(given).rejects.toMatchObject({ code: 'TLB_ERR_TAKEOVER', message: 'no backends here' });
    expect(threads.told).toEqual(['freeze', 'thaw']);
  });

  it('that cannot freeze the sessions is refused, and the new process is told why', async () => {
    const threads = new NotingThreads();
    threads.freeze = async () => {
      throw new Error('worker 1 is waiting');
    };
    const { taker, given } = await meet(threads);
    await expect(taker.sessions()).rejects.toThrow('worker 1 is waiting');
    await expect(given).rejects.toThrow('worker 1 is waiting');
    expect(threads.told).toEqual(['thaw']);
  });

  it('of a process that speaks another protocol is refused by both', async () => {
    const heard = Promise.withResolvers<unknown>();
    const begun = script(async (talk) => {
      await talk.say({ ...hello, protocol: 99 });
      await talk.hear('prepared').catch(heard.resolve);
    });
    const reason = `version 1.2.3 hands over by protocol 99, and this one takes over by ${protocolVersion}`;
    await expect(begun).rejects.toMatchObject({ code: 'TLB_ERR_TAKEOVER', message: reason });
    expect(await heard.promise).toMatchObject({ message: reason });
  });

  it('ends where the other process says something else', async () => {
    await expect(script((talk) => talk.say({ kind: 'ready' }))).rejects.toThrow('says ready, not hello');
    const odd = script((talk) => talk.say({ kind: 'what' } as never));
    await expect(odd).rejects.toThrow('says what nobody here understands');
  });

  it('of sessions whose sockets did not come is refused', async () => {
    const taker = await script(async (talk) => {
      await talk.say(hello);
      await talk.hear('prepared');
      const session = { vipTid: { fd: 7 }, tries: { legs: [] } } as never;
      const services = [{ name: 'tftp', backends: [], sessions: [session] }];
      await talk.say({ kind: 'sessions', worker: 0, services, sockets: [], isLast: true });
    });
    await expect(taker.sessions()).rejects.toThrow('a session came without its socket');
  });

  it('needs a process that connects, and leaves nothing behind', async () => {
    const before = openSockets();
    const refused = TakeoverTaker.begin(libcHere(), clock, {
      folder: tmpdir(),
      ask: async () => {
        throw new Error('the portable engine has no sockets to hand over');
      },
    });
    await expect(refused).rejects.toThrow('no sockets to hand over');
    const nowhere = { folder: '/nowhere/at/all', ask: async () => undefined };
    await expect(TakeoverTaker.begin(libcHere(), clock, nowhere)).rejects.toMatchObject({
      code: 'TLB_ERR_TAKEOVER',
    });
    expect(openSockets()).toBe(before);
  });
});
