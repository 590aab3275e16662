import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { createLedgerMemory, DescriptorLedger } from '../../../../src/linux/descriptor-ledger.ts';
import { EventFd } from '../../../../src/linux/event-fd.ts';
import { EventLoop, type LoopOptions } from '../../../../src/linux/net/event-loop.ts';
import { until } from '../../../helpers/processes.ts';
import { isLinuxSkipped, linuxLibc } from '../../../helpers/tid-nets.ts';

const source = new URL('../../../../src/', import.meta.url);

/** Longer than any of these tests may last: a loop that waits for so long for nothing makes its test fail. */
const tooLong = 60_000;

/** In a thread of its own: a loop whose first timer throws, and whose second one tells that it goes on. */
const throwing = `
  import { parentPort, workerData } from 'node:worker_threads';
  const { loadLibc } = await import(new URL('linux/load-libc.ts', workerData.source));
  const { LinuxNet } = await import(new URL('linux/net/linux-net.ts', workerData.source));
  if (workerData.isCaught) process.on('uncaughtException', (error) => parentPort.postMessage(error.message));
  const { loop } = new LinuxNet(loadLibc().libc, { busyPoll: 0, maxWait: 5, maxHold: 1000 });
  loop.start();
  loop.setTimer(1, () => { throw new Error('a handler is broken'); });
  loop.setTimer(10, () => {
    parentPort.postMessage('the loop goes on');
    loop.close();
  });
`;

function startThrowing(isCaught: boolean): { readonly told: unknown[] } {
  const told: unknown[] = [];
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(throwing)}`), {
    workerData: { source: source.href, isCaught },
  });
  worker.on('message', (message) => told.push(message));
  worker.on('error', (error) => told.push(error));
  worker.on('exit', (code) => told.push(code));
  return { told };
}

describe.skipIf(isLinuxSkipped)('an event loop', () => {
  const closers: (() => void)[] = [];
  afterEach(() => {
    for (const close of closers.splice(0).toReversed()) close();
  });

  function openLoop(options: Partial<LoopOptions> = {}): EventLoop {
    const ledger = new DescriptorLedger(createLedgerMemory());
    const loop = new EventLoop(linuxLibc(), { busyPoll: 0, maxWait: 1, maxHold: 0, ...options }, ledger);
    closers.push(() => loop.close());
    return loop;
  }

  /** Calls back in every round. */
  function watchAlwaysReady(loop: EventLoop, onReady: () => void): EventFd {
    const wakeup = EventFd.open(linuxLibc());
    const watched = { fd: wakeup.fd, onReady };
    loop.watch(watched);
    closers.push(() => {
      loop.unwatch(watched);
      wakeup.close();
    });
    wakeup.wake();
    return wakeup;
  }

  it.each([0, 200])('waits for its timers and no longer (%i microseconds of polling)', async (busyPoll) => {
    const loop = openLoop({ busyPoll, maxWait: tooLong, maxHold: tooLong });
    const start = loop.now();
    const calls: [string, number][] = [];
    const call = (name: string) => () => calls.push([name, loop.now() - start]);
    loop.setTimer(5, call('second'));
    loop.setTimer(1.5, call('first'));
    loop.setTimer(5, () => {
      call('third')();
      loop.setTimer(0, () => {
        call('fourth')();
        loop.stop();
      });
    });
    loop.start();
    await until('the loop is over', () => calls.length === 4 || undefined);
    expect(calls.map(([name]) => name)).toEqual(['first', 'second', 'third', 'fourth']);
    for (const [index, delay] of [1.5, 5, 5, 5].entries())
      expect(calls[index]?.[1]).toBeGreaterThanOrEqual(delay);
  });

  it('is never early with a timer that is set in the turn of Node', async () => {
    const loop = openLoop();
    loop.start();
    await nextTurn();
    // A loop that is between two rounds knows what time it was then.
    for (const end = performance.now() + 30; performance.now() < end;);
    const start = performance.now();
    const late = await new Promise<number>((resolve) => {
      loop.setTimer(20, () => resolve(performance.now() - start));
    });
    expect(late).toBeGreaterThan(19);
  });

  it('has one time for all that happens in one round', async () => {
    const loop = openLoop();
    const times: number[] = [];
    watchAlwaysReady(loop, () => {
      if (times.length > 0) return;
      times.push(loop.now());
      for (const end = performance.now() + 5; performance.now() < end;);
      times.push(loop.now());
    });
    loop.start();
    await until('a round is over', () => times.length === 2 || undefined);
    expect(times[1]).toBe(times[0]);
    expect(loop.now()).toBeGreaterThan(times[0] ?? Infinity);
  });

  it('holds the thread until it is asked to yield', async () => {
    const loop = openLoop({ maxHold: tooLong });
    const happened: string[] = [];
    let rounds = 0;
    watchAlwaysReady(loop, () => {
      rounds += 1;
      if (rounds === 1) setImmediate(() => happened.push(`turn of Node after ${rounds}`));
      if (rounds === 50) loop.yield();
      if (rounds === 60) loop.stop();
    });
    loop.start();
    await until('the loop is over', () => rounds === 60 || undefined);
    expect(happened).toEqual(['turn of Node after 50']);
  });

  it('yields by itself after a time, however much there is to do', async () => {
    const loop = openLoop({ maxHold: 2 });
    let rounds = 0;
    watchAlwaysReady(loop, () => (rounds += 1));
    loop.start();
    for (let turns = 0; turns < 5; turns++) await nextTurn();
    expect(rounds).toBeGreaterThan(0);
  });

  it('stops for good, were it within a round, and can be started again', async () => {
    const loop = openLoop();
    let rounds = 0;
    const calls: string[] = [];
    watchAlwaysReady(loop, () => {
      rounds += 1;
      if (rounds === 3) loop.stop();
    });
    loop.setTimer(0, () => calls.push('timer'));
    loop.start();
    await until('the loop has stopped', () => rounds === 3 || undefined);
    for (let turns = 0; turns < 5; turns++) await nextTurn();
    expect([rounds, calls]).toEqual([3, ['timer']]);
    loop.start();
    await until('the loop goes on', () => rounds > 3 || undefined);
  });

  it('runs once, however often it is started and stopped, also within a round', async () => {
    const loop = openLoop();
    let rounds = 0;
    const stopAndStart = (): void => {
      loop.start();
      loop.start();
      loop.stop();
      loop.start();
    };
    watchAlwaysReady(loop, () => {
      rounds += 1;
      if (rounds === 1) stopAndStart();
    });
    stopAndStart();
    for (let turns = 0; turns < 10; turns++) await nextTurn();
    expect(rounds).toBeGreaterThan(0);
    expect(rounds).toBeLessThanOrEqual(11);
  });

  it('calls back later what is put off, in order, after all else, and does not wait for that', async () => {
    const loop = openLoop({ maxWait: tooLong, maxHold: tooLong });
    const calls: string[] = [];
    loop.later(() => {
      calls.push('first');
      loop.later(() => {
        calls.push('third');
        loop.stop();
      });
    });
    loop.later(() => calls.push('second'));
    watchAlwaysReady(loop, () => {
      if (calls.length === 0) calls.push('round');
    });
    loop.start();
    await until('the loop is over', () => calls.length === 4 || undefined);
    expect(calls).toEqual(['round', 'first', 'second', 'third']);
  });

  it('does not wait for a descriptor while something is put off', async () => {
    const loop = openLoop({ maxWait: tooLong, maxHold: tooLong });
    const calls: string[] = [];
    loop.later(() => {
      calls.push('later');
      loop.stop();
    });
    loop.start();
    await until('the loop is over', () => calls.length === 1 || undefined);
  });

  it('forgets a descriptor that is watched no longer', async () => {
    const loop = openLoop();
    let [rounds, others] = [0, 0];
    const wakeup = EventFd.open(linuxLibc());
    const other = { fd: wakeup.fd, onReady: () => (others += 1) };
    loop.watch(other);
    wakeup.wake();
    watchAlwaysReady(loop, () => (rounds += 1));
    loop.start();
    await until('both are ready', () => (rounds > 2 && others > 2) || undefined);
    loop.unwatch(other);
    const before = { rounds, others };
    await until('some rounds have passed', () => rounds > before.rounds + 3 || undefined);
    expect(others).toBe(before.others);
    wakeup.close();
  });

  it('tells nobody of a descriptor that an earlier one in the same round has given up', async () => {
    const loop = openLoop();
    const wakeups = [1, 2].map(() => EventFd.open(linuxLibc()));
    let calls = 0;
    const watched = wakeups.map(({ fd }) => ({
      fd,
      onReady: () => {
        calls += 1;
        for (const each of watched) loop.unwatch(each);
      },
    }));
    for (const each of watched) loop.watch(each);
    for (const wakeup of wakeups) wakeup.wake();
    loop.start();
    for (let turns = 0; turns < 5; turns++) await nextTurn();
    expect(calls).toBe(1);
    for (const wakeup of wakeups) wakeup.close();
  });

  it('ends its thread with what a handler throws', async () => {
    const { told } = startThrowing(false);
    await until('the thread has ended', () => told.length >= 2 || undefined);
    expect(told).toEqual([expect.objectContaining({ message: 'a handler is broken' }), 1]);
  });

  it('goes on where the thread catches that', async () => {
    const { told } = startThrowing(true);
    await until('the thread has ended', () => told.length >= 3 || undefined);
    expect(told).toEqual(['a handler is broken', 'the loop goes on', 0]);
  });
});
