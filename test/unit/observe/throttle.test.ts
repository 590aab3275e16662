import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/net/memory-clock.ts';
import { Throttle } from '../../../src/observe/throttle.ts';

function scene() {
  const clock = new VirtualClock();
  const suppressed: [string, number][] = [];
  const throttle = new Throttle<string>(clock, (kind, count) => suppressed.push([kind, count]));
  const admitted = (kind: string, lines: number): number =>
    Array.from({ length: lines }, () => throttle.admits(kind)).filter(Boolean).length;
  return { clock, suppressed, throttle, admitted };
}

describe('a throttle', () => {
  it('admits ten lines of a kind in ten seconds and counts the others', () => {
    const { clock, suppressed, admitted } = scene();
    expect(admitted('flood', 1000)).toBe(10);
    clock.advance(9_999);
    expect(admitted('flood', 1)).toBe(0);
    expect(suppressed).toEqual([]);
    clock.advance(1);
    expect(suppressed).toEqual([['flood', 991]]);
    expect(admitted('flood', 3)).toBe(3);
  });

  it('says nothing where it has swallowed nothing', () => {
    const { clock, suppressed, admitted } = scene();
    expect(admitted('few', 10)).toBe(10);
    clock.advance(60_000);
    expect(suppressed).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('treats each kind by itself', () => {
    const { clock, suppressed, admitted } = scene();
    expect(admitted('flood', 12)).toBe(10);
    expect(admitted('other', 2)).toBe(2);
    clock.advance(10_000);
    expect(suppressed).toEqual([['flood', 2]]);
  });

  it('tells what it has swallowed when it is closed, and leaves no timer', () => {
    const { clock, suppressed, throttle, admitted } = scene();
    admitted('flood', 15);
    admitted('other', 1);
    throttle.close();
    expect(suppressed).toEqual([['flood', 5]]);
    expect(clock.pendingTimers).toBe(0);
  });
});
