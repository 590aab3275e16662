import { describe, expect, test } from 'vitest';
import { IndexTable, TooManyBackendsError } from '../../../src/balance/index-table.ts';
import type { FoundBackend } from '../../../src/balance/pool.ts';
import { smallScoreboard } from '../../helpers/pools.ts';

function found(name: string, changes: Partial<FoundBackend> = {}): FoundBackend {
  return { name, address: '192.0.2.1', port: 69, weight: 1, ...changes };
}

function setUp(capacity: number): {
  board: ReturnType<typeof smallScoreboard>;
  table: IndexTable;
  indexes: (...names: string[]) => number[];
} {
  const board = smallScoreboard(capacity);
  const table = new IndexTable(board);
  const indexes = (...names: string[]): number[] =>
    table
      .update(
        'tftp',
        names.map((name) => found(name)),
      )
      .map((backend) => backend.index);
  return { board, table, indexes };
}

describe('indexes', () => {
  test('stay with their backends, in whatever order these are found', () => {
    const { indexes } = setUp(4);
    expect(indexes('a', 'b', 'c')).toEqual([0, 1, 2]);
    expect(indexes('c', 'd', 'a')).toEqual([2, 3, 0]);
  });

  test('come with all that was found', () => {
    const { table } = setUp(4);
    const backend = found('a', { port: 6969, weight: 7 });
    expect(table.update('tftp', [backend])).toEqual([{ ...backend, index: 0 }]);
  });

  test('another weight leaves a backend what it is; another address, port or service does not', () => {
    const { table } = setUp(8);
    const indexOf = (service: string, backend: FoundBackend): number | undefined =>
      table.update(service, [backend])[0]?.index;
    expect(indexOf('tftp', found('a'))).toBe(0);
    expect(indexOf('tftp', found('a', { weight: 9 }))).toBe(0);
    expect(indexOf('ftp', found('a'))).toBe(1);
    expect(indexOf('tftp', found('a', { port: 70 }))).toBe(2);
    expect(indexOf('tftp', found('a', { address: '192.0.2.2' }))).toBe(3);
  });

  test('services do not retire each other their backends', () => {
    const { table, indexes } = setUp(2);
    indexes('a');
    table.update('ftp', [found('b')]);
    expect(indexes('a')).toEqual([0]);
    expect(() => table.update('ftp', [found('b'), found('c')])).toThrow(TooManyBackendsError);
  });
});

describe('reuse', () => {
  test('unused rows come first, then those that were retired the longest', () => {
    const { indexes } = setUp(3);
    indexes('a', 'b');
    indexes('b');
    indexes();
    expect(indexes('c')).toEqual([2]);
    expect(indexes('c', 'd')).toEqual([2, 0]);
    expect(indexes('c', 'd', 'e')).toEqual([2, 0, 1]);
  });

  test('a row goes to another backend as new', () => {
    const { board, indexes } = setUp(1);
    indexes('a');
    board.setUp(0, false);
    board.setEjected(0, true);
    board.writer(0).toClient(0, 512);
    indexes();
    expect(indexes('b')).toEqual([0]);
    expect([board.isUp(0), board.isEjected(0), board.counter('bytesToClient', 0)]).toEqual([true, false, 0]);
  });

  test('a row is not reused while a session holds it', () => {
    const { board, indexes } = setUp(1);
    indexes('a');
    board.writer(1).hold(0);
    indexes();
    expect(() => indexes('b')).toThrow(TooManyBackendsError);
    board.writer(1).letGo(0);
    expect(indexes('b')).toEqual([0]);
  });

  test('a row is not reused while a worker may pick from a pool that has it', () => {
    const { board, indexes } = setUp(1);
    indexes('a');
    const writers = [0, 1].map((worker) => board.writer(worker));
    const first = board.nextSnapshot();
    for (const writer of writers) writer.obeys(first);
    indexes();
    const next = board.nextSnapshot();
    writers[0]?.obeys(next);
    expect(() => indexes('b')).toThrow(TooManyBackendsError);
    writers[1]?.obeys(next);
    expect(indexes('b')).toEqual([0]);
  });

  test('a row is not reused in the update that retires it', () => {
    const { indexes } = setUp(1);
    indexes('a');
    expect(() => indexes('b')).toThrow(TooManyBackendsError);
    expect(indexes('a')).toEqual([0]);
  });

  test('a backend that returns gets its row back, with what its sessions have counted', () => {
    const { board, indexes } = setUp(4);
    indexes('a', 'b');
    for (const index of [0, 1]) board.writer(0).toClient(index, 512);
    board.writer(0).hold(0);
    indexes();
    expect(indexes('b', 'a')).toEqual([1, 0]);
    expect([0, 1].map((index) => board.counter('bytesToClient', index))).toEqual([512, 0]);
  });

  test('a backend that returns is not robbed of its row by a newcomer', () => {
    const { indexes } = setUp(2);
    indexes('a', 'b');
    indexes('b');
    expect(() => indexes('a', 'b', 'c')).toThrow(TooManyBackendsError);
    expect(indexes('a', 'b')).toEqual([0, 1]);
  });
});

test('a row that was given back is not free for others', () => {
  const { table, indexes } = setUp(1);
  indexes('a');
  indexes();
  indexes('a');
  expect(() => table.update('ftp', [found('b')])).toThrow(TooManyBackendsError);
});

describe('too many backends', () => {
  test('are refused with the numbers', () => {
    const { indexes } = setUp(2);
    expect(() => indexes('a', 'b', 'c', 'd')).toThrow(
      expect.objectContaining({
        code: 'TLB_ERR_TOO_MANY_BACKENDS',
        message: expect.stringMatching(/tftp has 2 .* 2 may/),
      }),
    );
  });

  test('change nothing', () => {
    const { board, indexes } = setUp(3);
    indexes('a', 'b');
    indexes('b');
    board.setUp(0, false);
    expect(() => indexes('c', 'd', 'e')).toThrow(TooManyBackendsError);
    expect(board.isUp(0)).toBe(false);
    expect(indexes('b', 'c', 'd')).toEqual([1, 2, 0]);
  });

  test('come and go for ever within the capacity', () => {
    const { indexes } = setUp(4);
    for (let round = 0; round < 200; round += 1) {
      const [index = -1] = indexes(`b${round}`);
      expect(index).toBeGreaterThanOrEqual(0);
      expect(index).toBeLessThan(4);
    }
  });
});
