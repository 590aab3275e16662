/** How the supervisor starts its workers, what it tells them, and how it stops them. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { listeningDescriptor } from '../../../src/net/listening-descriptor.ts';
import { formatEndpoint } from '../../../src/net/net.ts';
import { createNodeNet } from '../../../src/net/node-net.ts';
import type { ListenerGroup } from '../../../src/runtime/listener-group.ts';
import type { WorkerCommand } from '../../../src/runtime/messages.ts';
import { Scene, vip } from './scene.ts';

const deaf = { onDatagram: () => undefined, onError: () => undefined };

function snapshotIn(command: WorkerCommand | undefined) {
  if (command?.kind !== 'start' && command?.kind !== 'update') throw new Error('no snapshot');
  return command.snapshot;
}

describe('the start', () => {
  it('binds no listener before all threads are there, and is over when all serve', async () => {
    const scene = new Scene(2);
    const onStarted = vi.fn();
    const started = scene.supervisor.start(scene.snapshot()).then(onStarted);
    scene.threads.of(0).say({ kind: 'ready' });
    await scene.settle();
    expect(scene.threads.made.map(({ heard }) => heard)).toEqual([[], []]);
    scene.threads.of(1).say({ kind: 'ready' });
    await scene.settle();
    expect(scene.threads.made.map(({ heard }) => heard)).toEqual([['start'], ['start']]);
    expect(scene.states()).toEqual(['starting', 'starting']);
    scene.threads.of(1).say({ kind: 'started' });
    await scene.settle();
    expect([scene.states(), onStarted.mock.calls.length]).toEqual([['starting', 'serving'], 0]);
    scene.threads.of(0).say({ kind: 'started' });
    await started;
    expect(scene.of('worker.up')).toMatchObject([
      { worker: 1, restarts: 0 },
      { worker: 0, restarts: 0 },
    ]);
  });

  it('gives all workers the services, on addresses that they share', async () => {
    const scene = await new Scene(2).start();
    for (const { commands } of scene.threads.made) {
      const { version, services } = snapshotIn(commands[0]);
      expect(version).toBe(1);
      expect(services.map(({ name, listeners }) => [name, listeners])).toEqual([
        ['tftp', [{ address: vip, port: 69, isShared: true }]],
        ['ftp', [{ address: vip, port: 21, isShared: true }]],
      ]);
    }
  });

  it('leaves a service in single-port mode to one worker', async () => {
    const scene = await new Scene(3, { tids: { kind: 'single-port' } }).start();
    const names = scene.threads.made.map(({ commands }) =>
      snapshotIn(commands[0]).services.map(({ name }) => name),
    );
    expect(names).toEqual([['tftp', 'ftp'], ['ftp'], ['ftp']]);
    const [tftp] = snapshotIn(scene.threads.of(0).commands[0]).services;
    expect(tftp?.listeners).toEqual([{ address: vip, port: 69, isShared: true }]);
  });

  it('lets a single worker have its addresses for itself', async () => {
    const scene = await new Scene(1).start();
    const { services } = snapshotIn(scene.threads.of(0).commands[0]);
    expect(services.flatMap(({ listeners }) => listeners.map(({ isShared }) => isShared))).toEqual([
      false,
      false,
    ]);
  });

  it('chooses a port that is left to the system once for all workers, and for updates', async () => {
    const scene = new Scene(2, { listeners: [{ address: vip, port: 0 }] });
    await scene.start();
    void scene.supervisor.update(scene.snapshot());
    const ports = scene.threads.made.flatMap(({ commands }) =>
      commands.map((command) => snapshotIn(command).services[0]?.listeners[0]?.port),
    );
    expect(ports).toHaveLength(4);
    expect(new Set(ports).size).toBe(1);
    expect(ports[0]).toBeGreaterThan(0);
  });

  it('fails where an address is in use, before any worker has heard of it', async () => {
    const scene = new Scene(2);
    scene.host.bindUdp({ address: vip, port: 69 }, deaf);
    const { started } = await scene.begin();
    await expect(started).rejects.toMatchObject({ name: 'NetError', code: 'TLB_ERR_ADDRESS_IN_USE' });
    expect(scene.threads.made.map(({ heard }) => heard)).toEqual([[], []]);
  });

  it('fails with what a worker cannot have, and says nothing of a death', async () => {
    const scene = new Scene(2);
    const { started } = await scene.begin();
    const message = 'cannot bind 192.0.2.1 port 69: permission denied';
    scene.threads.of(1).say({ kind: 'failed', failure: { code: 'TLB_ERR_PERMISSION', message } });
    scene.threads.of(1).exit();
    await expect(started).rejects.toMatchObject({ name: 'NetError', code: 'TLB_ERR_PERMISSION', message });
    expect(scene.events).toEqual([]);
    await scene.pass(60_000);
    expect(scene.threads.made).toHaveLength(2);
  });

  it('fails with what a thread dies of, whenever it does', async () => {
    const early = new Scene(1);
    const started = early.supervisor.start(early.snapshot());
    early.threads.of(0).exit(new Error('no memory'));
    await expect(started).rejects.toThrow('no memory');

    const waiting = new Scene(2);
    const other = waiting.supervisor.start(waiting.snapshot());
    waiting.threads.of(0).say({ kind: 'ready' });
    waiting.threads.of(0).exit(new Error('no memory'));
    waiting.threads.of(1).say({ kind: 'ready' });
    await expect(other).rejects.toThrow('no memory');
  });
});

describe('a snapshot', () => {
  it('reaches every worker, behind the one that it was started with', async () => {
    const scene = await new Scene(2).start();
    void scene.supervisor.update(scene.snapshot());
    for (const { commands, unheard } of scene.threads.made) {
      expect(commands.map((command) => snapshotIn(command).version)).toEqual([1, 2]);
      expect(unheard).toBe(0);
    }
  });

  it('that comes while threads are made is the one that they begin with', async () => {
    const scene = new Scene(1);
    const started = scene.supervisor.start(scene.snapshot());
    void scene.supervisor.update(scene.snapshot());
    scene.threads.of(0).say({ kind: 'ready' });
    await scene.settle();
    scene.threads.of(0).say({ kind: 'started' });
    await started;
    expect(scene.threads.of(0).commands.map((command) => snapshotIn(command).version)).toEqual([2]);
  });

  it('counts as obeyed from the moment in which it is sent', async () => {
    const scene = new Scene(2);
    await scene.begin();
    expect(scene.scoreboard.isObeyed(1)).toBe(true);
  });
});

describe('a drain', () => {
  it('is over when no worker takes sessions any more', async () => {
    const scene = await new Scene(2).start();
    const onDrained = vi.fn();
    void scene.supervisor.drain().then(onDrained);
    expect(scene.threads.made.map(({ heard }) => heard.at(-1))).toEqual(['drain', 'drain']);
    expect(scene.states()).toEqual(['draining', 'draining']);
    scene.threads.of(0).say({ kind: 'draining' });
    await scene.settle();
    expect(onDrained).not.toHaveBeenCalled();
    scene.threads.of(1).say({ kind: 'draining' });
    await scene.settle();
    expect(onDrained).toHaveBeenCalled();
  });
});

describe('a stop', () => {
  it('is over when all threads have ended', async () => {
    const scene = await new Scene(2).start();
    const onStopped = vi.fn();
    void scene.supervisor.stop().then(onStopped);
    expect(scene.threads.made.map(({ heard, unheard }) => [heard.at(-1), unheard])).toEqual([
      ['stop', 0],
      ['stop', 0],
    ]);
    scene.threads.of(0).exit();
    await scene.settle();
    expect(onStopped).not.toHaveBeenCalled();
    scene.threads.of(1).exit();
    await scene.settle();
    expect(onStopped).toHaveBeenCalled();
    expect([scene.states(), scene.of('worker.down'), scene.net.pendingTimers]).toEqual([
      ['stopped', 'stopped'],
      [],
      0,
    ]);
  });

  it('ends a thread that does not answer, and counts what it had', async () => {
    const scene = await new Scene(1).start();
    scene.scoreboard.writer(0).sessionStarted(0, 0);
    const stopped = scene.supervisor.stop();
    await scene.pass(4_900);
    expect(scene.threads.of(0).isTerminated).toBe(false);
    await scene.pass(200);
    expect(scene.threads.of(0).isTerminated).toBe(true);
    scene.threads.of(0).exit(new Error('the thread was ended'));
    await stopped;
    expect(scene.of('worker.down')).toMatchObject([{ lost: { tftp: 1, ftp: 0 }, retry: undefined }]);
  });

  it('waits for no thread that cannot be ended', async () => {
    const scene = await new Scene(1).start();
    const onStopped = vi.fn();
    void scene.supervisor.stop().then(onStopped);
    await scene.pass(5_100);
    expect(onStopped).not.toHaveBeenCalled();
    await scene.pass(5_100);
    expect(onStopped).toHaveBeenCalled();
  });

  it('before the start is over ends that too', async () => {
    const scene = new Scene(2);
    const { started } = await scene.begin();
    const refused = expect(started).rejects.toThrow('ended');
    const stopped = scene.supervisor.stop();
    for (const thread of scene.threads.made) thread.exit();
    await Promise.all([refused, stopped]);
  });
});

describe('sockets that share an address', () => {
  it('are handed on when all of them are there, and again when one was replaced', async () => {
    const scene = new Scene(2);
    const socket = createNodeNet().bindUdp({ address: '127.0.0.1', port: 0 }, deaf);
    onTestFinished(() => socket.close());
    const groups: ListenerGroup[] = [];
    scene.threads.steer = (descriptor, group) => {
      expect(descriptor).toBe(listeningDescriptor('udp', socket));
      groups.push(group);
    };
    await scene.start();
    const listener = formatEndpoint(socket.address, socket.port);
    const up = { kind: 'listener.up', service: 'tftp', listener } as const;
    const tell = (worker: number): void => scene.threads.of(worker).say({ kind: 'events', events: [up] });
    tell(0);
    expect(groups).toEqual([]);
    tell(1);
    const endpoint = { address: socket.address, port: socket.port };
    expect(groups).toEqual([{ protocol: 'udp', endpoint, size: 2 }]);
    scene.threads.of(0).exit(new Error('a fault'));
    await scene.pass(100);
    await scene.revive(0);
    tell(0);
    expect(groups).toHaveLength(2);
  });
});
