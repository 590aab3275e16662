import { describe, expect, it } from 'vitest';
import { ServiceRows } from '../../../src/app/service-rows.ts';
import { Scoreboard } from '../../../src/balance/scoreboard.ts';

function scene(): { board: Scoreboard; rows: ServiceRows; obey: () => void } {
  const board = Scoreboard.create({ services: 3, backends: 1, workers: 1, reasons: 2 });
  const obey = (): void => board.writer(0).obeys(board.nextSnapshot());
  obey();
  return { board, rows: new ServiceRows(board, 2), obey };
}

describe('the rows of services', () => {
  it('are given one after the other, and refused when there are no more', () => {
    const { rows } = scene();
    expect([rows.take('a'), rows.take('b')]).toEqual([0, 1]);
    expect(() => rows.take('c')).toThrow(
      expect.objectContaining({
        code: 'TLB_ERR_TOO_MANY_SERVICES',
        message: expect.stringContaining('service c'),
      }),
    );
  });

  it('go to others when no worker knows of the service any more and its sessions have ended', () => {
    const { board, rows, obey } = scene();
    const [a, b] = [rows.take('a'), rows.take('b')];
    board.writer(0).sessionStarted(a, 0);
    rows.leave(a);
    rows.leave(b);
    expect([rows.isFree(a), rows.isFree(b)]).toEqual([false, false]);
    expect(() => rows.take('c')).toThrow('no room');
    obey();
    expect([rows.isFree(a), rows.isFree(b)]).toEqual([false, true]);
    expect(rows.take('c')).toBe(b);
    board.writer(0).sessionEnded(a, 0);
    expect(rows.take('d')).toBe(a);
  });

  it('are new to whoever gets them', () => {
    const { board, rows, obey } = scene();
    const [a] = [rows.take('a'), rows.take('b')];
    board.writer(0).dropped(a, 1);
    board.nextTurn(a);
    board.nextRetryTurn(a);
    rows.leave(a);
    obey();
    rows.take('c');
    expect([board.drops(a, 1), board.nextTurn(a), board.nextRetryTurn(a)]).toEqual([0, 0, 0]);
  });
});
