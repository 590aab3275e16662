import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { viewsOf } from '../../../src/balance/scoreboard-layout.ts';
import { Scoreboard } from '../../../src/balance/scoreboard.ts';
import { smallScoreboard } from '../../helpers/pools.ts';

const size = { services: 2, backends: 4, workers: 3, reasons: 5 };

describe('state', () => {
  test('a new row is up, enabled and not ejected', () => {
    const board = Scoreboard.create(size);
    expect([board.isUp(3), board.isEnabled(3), board.isEjected(3)]).toEqual([true, true, false]);
  });

  test('each flag of each row stands alone', () => {
    const board = Scoreboard.create(size);
    const read = (): boolean[][] =>
      [0, 1, 2, 3].map((index) => [board.isUp(index), board.isEnabled(index), board.isEjected(index)]);
    const fresh = [true, true, false];
    board.setUp(1, false);
    expect(read()).toEqual([fresh, [false, true, false], fresh, fresh]);
    board.setEnabled(1, false);
    board.setEjected(2, true);
    expect(read()).toEqual([fresh, [false, false, false], [true, true, true], fresh]);
    board.setUp(1, true);
    board.setEnabled(1, true);
    board.setEjected(2, false);
    expect(read()).toEqual([fresh, fresh, fresh, fresh]);
  });
});

describe('turns', () => {
  test('are counted for each service and kind alone', () => {
    const board = Scoreboard.create(size);
    expect([board.nextTurn(0), board.nextTurn(0), board.nextTurn(1)]).toEqual([0, 1, 0]);
    expect([board.nextRetryTurn(0), board.nextRetryTurn(1), board.nextTurn(0)]).toEqual([0, 0, 2]);
  });

  test('are unsigned and begin anew after 2^32', () => {
    const board = Scoreboard.create(size);
    viewsOf(board.buffer).turns[0] = 0x7fff_ffff;
    expect([board.nextTurn(0), board.nextTurn(0)]).toEqual([2 ** 31 - 1, 2 ** 31]);
    viewsOf(board.buffer).turns[0] = -1;
    expect([board.nextTurn(0), board.nextTurn(0)]).toEqual([2 ** 32 - 1, 0]);
  });

  test('no two threads get the same one', async () => {
    const board = Scoreboard.create(size);
    const turns = await Promise.all([turnsOfWorker(board, 2000), turnsOfWorker(board, 2000)]);
    expect(turns.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 4000 }, (_, turn) => turn));
  });
});

describe('gauges and counters', () => {
  test('are summed over the workers', () => {
    const board = Scoreboard.create(size);
    const [one, other] = [board.writer(0), board.writer(2)];
    one.hold(1);
    other.hold(1);
    other.hold(2);
    one.sessionStarted(0, 1);
    other.sessionStarted(0, 3);
    one.toClient(1, 512);
    other.toClient(1, 100);
    other.toBackend(1, 7);
    one.dropped(1, 4);
    other.dropped(1, 4);
    one.dropped(0, 4);

    expect([0, 1, 2, 3].map((index) => board.holders(index))).toEqual([0, 2, 1, 0]);
    expect([0, 1, 2, 3].map((index) => board.active(index))).toEqual([0, 1, 0, 1]);
    expect([board.activeOf(0), board.activeOf(1)]).toEqual([2, 0]);
    expect(trafficOf(board, 1)).toEqual([2, 612, 1, 7]);
    expect(trafficOf(board, 2)).toEqual([0, 0, 0, 0]);
    expect([0, 3, 4].map((reason) => board.drops(1, reason))).toEqual([0, 0, 2]);
    expect(board.drops(0, 4)).toBe(1);
  });

  test('gauges go down again, in whichever worker', () => {
    const board = Scoreboard.create(size);
    const writer = board.writer(1);
    writer.hold(2);
    writer.sessionStarted(0, 2);
    writer.sessionEnded(0, 2);
    writer.sessionStarted(0, 3);
    expect([board.active(2), board.active(3), board.activeOf(0), board.holders(2)]).toEqual([0, 1, 1, 1]);
    writer.sessionEnded(0, 3);
    writer.letGo(2);
    expect([board.active(3), board.activeOf(0), board.holders(2)]).toEqual([0, 0, 0]);
  });

  test('bytes are counted exactly beyond 32 bits', () => {
    const board = Scoreboard.create(size);
    const writer = board.writer(0);
    writer.toClient(0, 2 ** 40);
    writer.toClient(0, 1);
    expect(board.counter('bytesToClient', 0)).toBe(2 ** 40 + 1);
  });

  test('the last columns of all sections do not touch each other', () => {
    const board = Scoreboard.create({ services: 1, backends: 1, workers: 1, reasons: 1 });
    const writer = board.writer(0);
    writer.hold(0);
    writer.toBackend(0, 3);
    writer.dropped(0, 0);
    board.nextTurn(0);
    board.setUp(0, false);
    expect([board.holders(0), board.active(0), board.activeOf(0)]).toEqual([1, 0, 0]);
    expect(trafficOf(board, 0)).toEqual([0, 0, 1, 3]);
    expect([board.drops(0, 0), board.nextTurn(0)]).toEqual([1, 1]);
  });
});

describe('a worker that is gone', () => {
  test('holds nothing any more, and what it has counted stays', () => {
    const board = Scoreboard.create(size);
    for (const worker of [0, 1]) {
      const writer = board.writer(worker);
      writer.hold(2);
      writer.sessionStarted(1, 2);
      writer.sessionStarted(1, 3);
      writer.toClient(2, 100);
      writer.dropped(1, 0);
    }
    expect([0, 1, 2].map((worker) => board.activeIn(worker, 1))).toEqual([2, 2, 0]);
    board.clear(1);
    expect([0, 1, 2].map((worker) => board.activeIn(worker, 1))).toEqual([2, 0, 0]);
    expect([board.holders(2), board.active(2), board.active(3), board.activeOf(1)]).toEqual([1, 1, 1, 2]);
    expect([board.counter('bytesToClient', 2), board.drops(1, 0)]).toEqual([200, 2]);
  });

  test('obeys no snapshot', () => {
    const board = Scoreboard.create(size);
    board.writer(1).obeys(board.nextSnapshot());
    board.clear(1);
    expect(board.isObeyed(1)).toBe(false);
  });
});

test('a snapshot is obeyed until every worker that had it has a newer one', () => {
  const board = Scoreboard.create(size);
  expect([board.snapshot, board.isObeyed(0)]).toEqual([0, false]);
  const first = board.nextSnapshot();
  expect([first, board.snapshot, board.isObeyed(first)]).toEqual([1, 1, false]);
  for (const worker of [0, 2]) board.writer(worker).obeys(first);
  const second = board.nextSnapshot();
  board.writer(0).obeys(second);
  expect([board.isObeyed(first), board.isObeyed(0)]).toEqual([true, false]);
  board.writer(2).obeys(second);
  expect([board.isObeyed(first), board.isObeyed(second)]).toEqual([false, true]);
});

test('reset makes one row new and leaves the others alone', () => {
  const board = Scoreboard.create(size);
  for (const index of [1, 2]) {
    board.setUp(index, false);
    board.setEnabled(index, false);
    board.setEjected(index, true);
    board.writer(1).sessionStarted(0, index);
    board.writer(1).toClient(index, 9);
    board.writer(2).toBackend(index, 9);
  }
  board.reset(1);
  expect([board.isUp(1), board.isEnabled(1), board.isEjected(1), board.active(1)]).toEqual([
    true,
    true,
    false,
    0,
  ]);
  expect(trafficOf(board, 1)).toEqual([0, 0, 0, 0]);
  expect([board.isUp(2), board.isEnabled(2), board.isEjected(2), board.active(2)]).toEqual([
    false,
    false,
    true,
    1,
  ]);
  expect(trafficOf(board, 2)).toEqual([1, 9, 1, 9]);
});

describe('memory', () => {
  test('another thread that attaches sees the same', () => {
    const board = Scoreboard.create(size);
    const attached = Scoreboard.attach(board.buffer);
    expect(attached.size).toEqual(size);
    board.setUp(3, false);
    attached.writer(0).toClient(3, 5);
    expect([attached.isUp(3), trafficOf(board, 3)]).toEqual([false, [1, 5, 0, 0]]);
  });

  test('a writer that is made again goes on counting where its worker was', () => {
    const board = Scoreboard.create(size);
    board.writer(0).toClient(0, 5);
    board.writer(0).toClient(0, 5);
    expect(board.counter('bytesToClient', 0)).toBe(10);
  });

  test('what is no scoreboard is refused', () => {
    expect(() => Scoreboard.attach(new SharedArrayBuffer(0))).toThrow(RangeError);
    expect(() => Scoreboard.attach(new SharedArrayBuffer(4096))).toThrow('not a scoreboard');
    const longer = new SharedArrayBuffer(Scoreboard.create(size).buffer.byteLength + 64);
    new Uint8Array(longer).set(new Uint8Array(Scoreboard.create(size).buffer));
    expect(() => Scoreboard.attach(longer)).toThrow('wrong length');
  });

  test.each([0, -1, 1.5, Number.NaN, Infinity])('a size of %s is refused', (backends) => {
    expect(() => Scoreboard.create({ ...size, backends })).toThrow(/cannot have .* backends/);
  });

  test('a worker without a block is refused', () => {
    expect(() => smallScoreboard().writer(2)).toThrow('no worker 2');
  });
});

function trafficOf(board: Scoreboard, backend: number): number[] {
  const names = ['datagramsToClient', 'bytesToClient', 'datagramsToBackend', 'bytesToBackend'] as const;
  return names.map((name) => board.counter(name, backend));
}

async function turnsOfWorker(board: Scoreboard, count: number): Promise<number[]> {
  const worker = new Worker(new URL('./turn-taker.ts', import.meta.url), {
    workerData: { buffer: board.buffer, count },
  });
  const [turns] = (await once(worker, 'message')) as [number[]];
  await worker.terminate();
  return turns;
}
