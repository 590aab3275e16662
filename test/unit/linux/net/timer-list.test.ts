import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimerList } from '../../../../src/linux/net/timer-list.ts';

describe('a list of timers', () => {
  it('calls back what is due, in the order of the times and then of the calls', () => {
    const [timers, called] = [new TimerList(), [] as string[]];
    for (const [at, name] of [
      [20, 'c'],
      [10, 'a'],
      [30, 'd'],
      [10, 'b'],
    ] as const) {
      timers.add(at, () => called.push(name));
    }
    expect(timers.untilNext(4)).toBe(6);
    expect(timers.untilNext(50)).toBe(0);
    timers.run(9);
    expect(called).toEqual([]);
    timers.run(20);
    expect(called).toEqual(['a', 'b', 'c']);
    expect(timers.untilNext(20)).toBe(10);
    timers.run(30);
    timers.run(40);
    expect(called).toEqual(['a', 'b', 'c', 'd']);
    expect(timers.untilNext(40)).toBe(Infinity);
  });

  it('leaves what a timer adds to the next time, even if it is due', () => {
    const [timers, called] = [new TimerList(), [] as string[]];
    timers.add(1, () => {
      called.push('first');
      timers.add(1, () => called.push('added'));
    });
    timers.run(5);
    expect(called).toEqual(['first']);
    timers.run(5);
    expect(called).toEqual(['first', 'added']);
  });

  it('never calls back what was cancelled, were it by another timer that is due', () => {
    const [timers, called] = [new TimerList(), [] as string[]];
    timers.add(1, () => {
      called.push('first');
      second.cancel();
    });
    const second = timers.add(1, () => called.push('second'));
    const third = timers.add(2, () => called.push('third'));
    timers.run(1);
    third.cancel();
    third.cancel();
    timers.run(9);
    expect(called).toEqual(['first']);
  });

  it('keeps the others where one throws', () => {
    const [timers, called] = [new TimerList(), [] as string[]];
    timers.add(1, () => {
      throw new Error('broken');
    });
    timers.add(1, () => called.push('other'));
    expect(() => timers.run(1)).toThrow('broken');
    timers.run(1);
    expect(called).toEqual(['other']);
  });

  it('does what a list that is sorted anew each time would do', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), at: fc.nat(50) }),
      fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(20) }),
      fc.record({ kind: fc.constant('run' as const), by: fc.nat(10) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const [timers, called] = [new TimerList(), [] as number[]];
        const expected: number[] = [];
        let [open, now]: [{ at: number; id: number }[], number] = [[], 0];
        const all: { cancel(): void }[] = [];
        for (const each of steps) {
          if (each.kind === 'add') {
            const id = all.length;
            open.push({ at: each.at, id });
            all.push(timers.add(each.at, () => called.push(id)));
          } else if (each.kind === 'cancel') {
            all[each.which]?.cancel();
            open = open.filter(({ id }) => id !== each.which);
          } else {
            now += each.by;
            timers.run(now);
            const due = open.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at || a.id - b.id);
            expected.push(...due.map(({ id }) => id));
            open = open.filter(({ at }) => at > now);
          }
          const next = Math.min(...open.map(({ at }) => at));
          expect(timers.untilNext(now)).toBe(Math.max(0, next - now));
        }
        expect(called).toEqual(expected);
      }),
    );
  });
});
