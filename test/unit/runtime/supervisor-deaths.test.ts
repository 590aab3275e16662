/** Workers that die: what is counted, what is given back, and when they come again. */
import { describe, expect, it, vi } from 'vitest';
import { PassivePool } from '../../../src/engine/passive-pool.ts';
import { PortAllocator } from '../../../src/net/port-allocator.ts';
import { portHolderOf } from '../../../src/runtime/messages.ts';
import { Scene } from './scene.ts';

const fault = new TypeError('it is undefined');

/** Milliseconds until the worker had a new thread, as it was told. */
async function revivalsAfter(scene: Scene, lives: readonly number[]): Promise<(number | undefined)[]> {
  for (const life of lives) {
    await scene.pass(life);
    const before = scene.threads.made.length;
    scene.threads.of(0).exit(fault);
    const retry = scene.of('worker.down').at(-1)?.retry ?? 0;
    await scene.pass(retry - 1);
    expect(scene.threads.made).toHaveLength(before);
    await scene.pass(1);
    expect(scene.threads.made).toHaveLength(before + 1);
    await scene.revive(0);
  }
  return scene.of('worker.down').map(({ retry }) => retry);
}

describe('a worker that dies', () => {
  it('is told of with its error, its place in the code, and the sessions that were lost', async () => {
    const scene = await new Scene(2).start();
    const [own, others] = [scene.scoreboard.writer(0), scene.scoreboard.writer(1)];
    for (const writer of [own, own, others]) writer.sessionStarted(0, 3);
    own.sessionStarted(1, 2);
    scene.threads.of(0).exit(fault);
    const event = { kind: 'worker.down', worker: 0, error: 'TypeError: it is undefined', retry: 100 };
    expect(scene.of('worker.down')).toMatchObject([{ ...event, lost: { tftp: 2, ftp: 1 } }]);
    expect(scene.of('worker.down')[0]?.stack).toContain('supervisor-deaths.test.ts');
    expect(scene.states()).toEqual(['waiting', 'serving']);
  });

  it('leaves nothing behind that limits, drains or others would wait for', async () => {
    const scene = await new Scene(2).start();
    const { scoreboard, threads, ftp } = scene;
    const ports = [0, 1].map((worker) => new PortAllocator(threads.tidPorts.ipv4, portHolderOf(worker)));
    const pools = [0, 1].map((worker) => new PassivePool(ftp.passivePool, worker));
    const free = ports[0]?.free ?? 0;
    for (const worker of [0, 1]) {
      scoreboard.writer(worker).hold(1);
      scoreboard.writer(worker).sessionStarted(0, 1);
      ports[worker]?.take();
      pools[worker]?.take(0);
      pools[worker]?.opened();
    }
    threads.of(0).exit(fault);
    expect([scoreboard.holders(1), scoreboard.active(1), scoreboard.activeOf(0)]).toEqual([1, 1, 1]);
    expect([ports[0]?.free, pools[0]?.used]).toEqual([free - 1, 1]);
    // The other one obeys the first snapshot, and is all that does.
    scoreboard.writer(1).obeys(2);
    expect(scoreboard.isObeyed(1)).toBe(false);
  });

  it('is started again, later and later while it dies young, and soon again after a long life', async () => {
    const scene = await new Scene(1).start();
    const told = await revivalsAfter(scene, [10, 10, 10, 60_000, 10]);
    expect(told).toEqual([100, 200, 400, 100, 200]);
    expect(scene.of('worker.up').map(({ restarts }) => restarts)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(scene.supervisor.workers()).toMatchObject([{ state: 'serving', restarts: 5 }]);
  });

  it('begins again with the latest snapshot', async () => {
    const scene = await new Scene(2).start();
    scene.threads.of(0).exit(fault);
    void scene.supervisor.update(scene.snapshot());
    await scene.pass(100);
    void scene.supervisor.update(scene.snapshot());
    await scene.revive(0);
    expect(scene.threads.of(0).commands).toMatchObject([{ kind: 'start', snapshot: { version: 3 } }]);
    void scene.supervisor.update(scene.snapshot());
    expect(scene.threads.of(0).heard).toEqual(['start', 'update']);
  });

  it('and cannot be started again is tried further', async () => {
    const scene = await new Scene(1).start();
    scene.threads.of(0).exit(fault);
    await scene.pass(100);
    scene.threads.of(0).say({ kind: 'ready' });
    await scene.settle();
    const failure = { code: 'TLB_ERR_ADDRESS_IN_USE', message: 'cannot bind it' } as const;
    scene.threads.of(0).say({ kind: 'failed', failure });
    scene.threads.of(0).exit();
    expect(scene.of('worker.down')).toMatchObject([
      { retry: 100 },
      { error: 'NetError: cannot bind it', retry: 200 },
    ]);
    await scene.pass(200);
    await scene.revive(0);
    expect(scene.supervisor.workers()).toMatchObject([{ state: 'serving', restarts: 2 }]);
  });

  it('before it is ready again is tried further', async () => {
    const scene = await new Scene(1).start();
    scene.threads.of(0).exit(fault);
    await scene.pass(100);
    scene.threads.of(0).exit(fault);
    await scene.pass(200);
    await scene.revive(0);
    expect(scene.supervisor.workers()).toMatchObject([{ state: 'serving', restarts: 2 }]);
  });

  it('by ending without a word is started again as well', async () => {
    const scene = await new Scene(1).start();
    scene.threads.of(0).exit();
    expect(scene.of('worker.down')).toMatchObject([{ error: 'Error: the thread has ended by itself' }]);
    expect(scene.states()).toEqual(['waiting']);
  });

  it('during a drain is not missed, and stays away', async () => {
    const scene = await new Scene(2).start();
    scene.scoreboard.writer(0).sessionStarted(0, 0);
    const drained = scene.supervisor.drain();
    scene.threads.of(1).say({ kind: 'draining' });
    scene.threads.of(0).exit(fault);
    await drained;
    expect(scene.of('worker.down')).toMatchObject([{ lost: { tftp: 1, ftp: 0 }, retry: undefined }]);
    expect(scene.scoreboard.activeOf(0)).toBe(0);
    await scene.pass(60_000);
    expect([scene.threads.made.length, scene.states()[0]]).toEqual([2, 'stopped']);
  });

  it('is not started again once a drain or a stop has begun', async () => {
    for (const end of ['drain', 'stop'] as const) {
      const scene = await new Scene(1).start();
      scene.threads.of(0).exit(fault);
      await scene.supervisor[end]();
      await scene.pass(60_000);
      expect([scene.threads.made.length, scene.states()]).toEqual([1, ['stopped']]);
    }
  });

  it('does not serve again when a drain comes while its new thread is made', async () => {
    const scene = await new Scene(1).start();
    scene.threads.of(0).exit(fault);
    await scene.pass(100);
    const drained = scene.supervisor.drain();
    scene.threads.of(0).say({ kind: 'ready' });
    scene.threads.of(0).say({ kind: 'draining' });
    await drained;
    await scene.settle();
    expect(scene.threads.of(0).heard).toEqual(['drain']);
  });
});

describe('what workers tell', () => {
  const listener = { service: 'tftp', listener: '192.0.2.1:69' };
  const up = { kind: 'listener.up', ...listener } as const;
  const down = { kind: 'listener.down', ...listener } as const;

  it('is handed on in its order', async () => {
    const scene = await new Scene(1).start();
    const events = ['read', 'write', 'read'].map((op) => {
      return { kind: 'session.start', service: 'tftp', op: op === 'read' ? 'read' : 'write' } as const;
    });
    scene.threads.of(0).say({ kind: 'events', events: events.slice(0, 2) });
    scene.threads.of(0).say({ kind: 'events', events: events.slice(2) });
    expect(scene.of('session.start')).toEqual(events);
  });

  it('is told once of a listener that they share, and its end when none has it', async () => {
    const scene = await new Scene(2).start();
    for (const worker of [0, 1]) scene.threads.of(worker).say({ kind: 'events', events: [up] });
    expect(scene.of('listener.up')).toEqual([up]);
    expect(scene.supervisor.listening()).toEqual([
      { service: 'tftp', endpoint: { address: '192.0.2.1', port: 69 } },
    ]);
    scene.threads.of(0).say({ kind: 'events', events: [down] });
    expect(scene.of('listener.down')).toEqual([]);
    scene.threads.of(1).exit(fault);
    expect(scene.of('listener.down')).toEqual([{ ...down, error: 'its worker has died' }]);
    expect(scene.supervisor.listening()).toEqual([]);
  });

  it('makes no group of one, nor of a service that one worker has', async () => {
    const scene = new Scene(2, { tids: { kind: 'single-port' } });
    scene.threads.steer = vi.fn();
    await scene.start();
    scene.threads.of(0).say({ kind: 'events', events: [up] });
    expect(scene.threads.steer).not.toHaveBeenCalled();
  });
});
