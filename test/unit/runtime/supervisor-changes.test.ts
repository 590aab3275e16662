/** Services and listeners that come and go while workers run. */
import { describe, expect, it, vi } from 'vitest';
import type { ListenerSpec, Service, Snapshot } from '../../../src/engine/snapshot.ts';
import type { LentSocket } from '../../../src/linux/net/linux-net.ts';
import { NetError } from '../../../src/net/net.ts';
import type { SocketLender } from '../../../src/runtime/node-threads.ts';
import type { WorkerPlan } from '../../../src/runtime/worker-handle.ts';
import { FakeThreads } from '../../helpers/fake-threads.ts';
import { Scene, vip } from './scene.ts';

const at = (port: number): ListenerSpec => ({ address: vip, port });

const listenerDown = { kind: 'listener.down', service: 'tftp', listener: `${vip}:69` } as const;

/** Lends one socket for each worker and listener, with numbers that count up. */
class Lender implements SocketLender {
  readonly released: number[] = [];
  readonly #open = new Map<number, number>();
  #next = 100;

  claim(_kind: Service['kind'], { address, port }: ListenerSpec): ListenerSpec {
    this.#open.set(port, this.#next++);
    return { address, port };
  }

  release(_kind: Service['kind'], { port }: ListenerSpec): void {
    this.#open.delete(port);
    this.released.push(port);
  }

  lentTo(worker: number): LentSocket[] {
    return [...this.#open].map(([port, fd]) => ({ address: vip, port, fd: fd + 1000 * worker }));
  }

  close(): void {}
}

class Lent extends FakeThreads {
  readonly lender: Lender = new Lender();
}

/** As the Linux engine has them: the first for TFTP, the second for FTP. */
class Specialists extends FakeThreads {
  override readonly plans: readonly WorkerPlan[] = [
    { kind: 'portable', protocols: ['tftp'] },
    { kind: 'portable', protocols: ['ftp'] },
  ];
}

class ChangingScene extends Scene {
  /** The next snapshot, with the services given. */
  with(...services: readonly Service[]): Snapshot {
    return { version: this.scoreboard.nextSnapshot(), services };
  }

  /** Lets every thread answer the latest update. */
  async answer(version: number): Promise<void> {
    for (const thread of this.threads.made) thread.say({ kind: 'updated', version });
    await this.settle();
  }

  portsOf(worker: number): (number | undefined)[] {
    const command = this.threads.of(worker).commands.at(-1);
    if (command?.kind !== 'update' && command?.kind !== 'start') throw new Error('no instruction');
    return command.snapshot.services.flatMap(({ listeners }) => listeners.map(({ port }) => port));
  }
}

describe('an update', () => {
  it('is over when every worker has its listeners, or is gone', async () => {
    const scene = new ChangingScene(2);
    await scene.start();
    const onUpdated = vi.fn();
    void scene.supervisor.update(scene.snapshot()).then(onUpdated);
    scene.threads.of(0).say({ kind: 'updated', version: 2 });
    await scene.settle();
    expect(onUpdated).not.toHaveBeenCalled();
    scene.threads.of(1).exit(new Error('a fault'));
    await scene.settle();
    expect(onUpdated).toHaveBeenCalled();
  });

  it('is over with a later one that replaces it', async () => {
    const scene = new ChangingScene(1);
    await scene.start();
    const updates = [scene.snapshot(), scene.snapshot()].map((snapshot) => scene.supervisor.update(snapshot));
    scene.threads.of(0).say({ kind: 'updated', version: 3 });
    await Promise.all(updates);
  });
});

describe('listeners', () => {
  it('that come are tried before anything is changed, and refused where they are in use', async () => {
    const scene = new ChangingScene(1);
    await scene.start();
    scene.host.bindUdp(
      { address: vip, port: 6969 },
      { onDatagram: () => undefined, onError: () => undefined },
    );
    const moved = { ...scene.tftp, listeners: [at(70), at(6969)] };
    await expect(scene.supervisor.prepare([moved, scene.ftp])).rejects.toBeInstanceOf(NetError);
    expect(scene.threads.of(0).heard).toEqual(['start']);
    const undo = await scene.supervisor.prepare([{ ...scene.tftp, listeners: [at(70)] }, scene.ftp]);
    undo();
    expect(scene.host.openSockets).toBe(1);
  });

  it('that are lent are given back when no worker has them any more', async () => {
    const threads = new Lent(2);
    const scene = new ChangingScene(2, {}, threads);
    await scene.start();
    const lent = (worker: number): unknown => threads.of(worker).commands.at(-1);
    expect(lent(1)).toMatchObject({
      lent: [
        { port: 69, fd: 1100 },
        { port: 21, fd: 1101 },
      ],
    });
    const moved = { ...scene.tftp, listeners: [at(70)] };
    await scene.supervisor.prepare([moved, scene.ftp]);
    void scene.supervisor.update(scene.with(moved, scene.ftp));
    expect(lent(0)).toMatchObject({ kind: 'update', lent: [{ port: 69 }, { port: 21 }, { port: 70 }] });
    expect([scene.portsOf(0), threads.lender.released]).toEqual([[70, 21], []]);
    await scene.answer(2);
    expect(threads.lender.released).toEqual([69]);
  });

  it.each<[string, (threads: Lent) => void]>([
    ['has closed them', (threads) => threads.of(1).say({ kind: 'events', events: [listenerDown] })],
    ['is gone', (threads) => threads.of(1).exit(new Error('a fault'))],
  ])('that are lent are not given back before the last worker with sessions there %s', async (_what, end) => {
    const threads = new Lent(2);
    const scene = new ChangingScene(2, {}, threads);
    await scene.start();
    for (const thread of threads.made) {
      thread.say({ kind: 'events', events: [{ ...listenerDown, kind: 'listener.up' }] });
    }
    const moved = { ...scene.tftp, listeners: [at(70)] };
    await scene.supervisor.prepare([moved, scene.ftp]);
    void scene.supervisor.update(scene.with(moved, scene.ftp));
    threads.of(0).say({ kind: 'events', events: [listenerDown] });
    await scene.answer(2);
    expect(threads.lender.released).toEqual([]);
    end(threads);
    expect(threads.lender.released).toEqual([69]);
  });

  it('of ports that the system has chosen stay where they are', async () => {
    const scene = new ChangingScene(2, { listeners: [at(0)] });
    await scene.start();
    const [before] = scene.portsOf(0);
    const more = { ...scene.tftp, listeners: [at(0), at(70)] };
    await scene.supervisor.prepare([more, scene.ftp]);
    void scene.supervisor.update(scene.with(more, scene.ftp));
    expect(scene.portsOf(1)).toEqual([before, 70, 21]);
  });
});

describe('a protocol', () => {
  it('gets its threads with its first service, and a failing one is told of', async () => {
    const threads = new Specialists(2);
    const scene = new ChangingScene(2, {}, threads);
    const started = scene.supervisor.start(scene.with(scene.tftp));
    expect(threads.made.map(({ boot }) => boot.worker)).toEqual([0]);
    threads.of(0).say({ kind: 'ready' });
    await scene.settle();
    threads.of(0).say({ kind: 'started' });
    await started;
    expect(scene.states()).toEqual(['serving']);
    const prepared = scene.supervisor.prepare([scene.tftp, scene.ftp]);
    await scene.settle();
    threads.of(1).say({ kind: 'ready' });
    await prepared;
    expect(scene.states()).toEqual(['serving']);
    const updated = scene.supervisor.update(scene.with(scene.tftp, scene.ftp));
    threads.of(0).say({ kind: 'updated', version: 2 });
    expect(threads.of(1).heard).toEqual(['start']);
    threads.of(1).say({ kind: 'failed', failure: { code: 'TLB_ERR_PERMISSION', message: 'no' } });
    threads.of(1).exit();
    await updated;
    expect(scene.of('worker.down')).toMatchObject([{ worker: 1, error: 'NetError: no', retry: undefined }]);
  });

  it('whose threads cannot be made is refused', async () => {
    const threads = new Specialists(2);
    const scene = new ChangingScene(2, {}, threads);
    const started = scene.supervisor.start(scene.with(scene.tftp));
    threads.of(0).say({ kind: 'ready' });
    await scene.settle();
    threads.of(0).say({ kind: 'started' });
    await started;
    const refused = expect(scene.supervisor.prepare([scene.tftp, scene.ftp])).rejects.toThrow('no memory');
    await scene.settle();
    threads.of(1).exit(new Error('no memory'));
    await refused;
    expect(scene.states()).toEqual(['serving']);
    const again = scene.supervisor.prepare([scene.tftp, scene.ftp]);
    await scene.settle();
    threads.of(1).say({ kind: 'ready' });
    await again;
  });
});

describe('a worker that dies', () => {
  it('has lost the sessions of services that are gone, too', async () => {
    const scene = new ChangingScene(1);
    await scene.start();
    scene.scoreboard.writer(0).sessionStarted(0, 0);
    void scene.supervisor.update(scene.with(scene.ftp));
    scene.threads.of(0).exit(new Error('a fault'));
    expect(scene.of('worker.down')).toMatchObject([{ lost: { tftp: 1, ftp: 0 } }]);
  });
});
