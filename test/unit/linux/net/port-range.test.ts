import { describe, expect, it } from 'vitest';
import { PortRange } from '../../../../src/linux/net/port-range.ts';

const whole = { first: 0, of: 1 };

function drain(range: PortRange): number[] {
  const ports: number[] = [];
  for (let port = range.take(); port !== undefined; port = range.take()) ports.push(port);
  return ports;
}

function sorted(ports: readonly number[]): number[] {
  return [...ports].sort((a, b) => a - b);
}

describe('a range of ports', () => {
  it('lends each port once, in an order that its random numbers make', () => {
    const range = new PortRange({ first: 100, last: 109 }, whole, () => 0.3);
    expect([range.size, range.free]).toEqual([10, 10]);
    const ports = drain(range);
    expect(sorted(ports)).toEqual([100, 101, 102, 103, 104, 105, 106, 107, 108, 109]);
    expect(ports).not.toEqual(sorted(ports));
    expect([range.size, range.free, range.take()]).toEqual([10, 0, undefined]);
    expect(drain(new PortRange({ first: 100, last: 109 }, whole, () => 0.8))).not.toEqual(ports);
  });

  it('lends last what was given back last', () => {
    const range = new PortRange({ first: 1, last: 4 }, whole, () => 0);
    const [first = 0, second = 0] = [range.take(), range.take()];
    range.giveBack(second);
    range.giveBack(first);
    expect(drain(range).slice(2)).toEqual([second, first]);
  });

  it('is shared out among threads without a rest', () => {
    const shares = [0, 1, 2].map((first) =>
      drain(new PortRange({ first: 50, last: 60 }, { first, of: 3 }, () => 0.5)),
    );
    expect(sorted(shares.flat())).toEqual([50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60]);
    expect(Math.min(...shares.map(({ length }) => length))).toBe(3);
  });

  it('may be of one port', () => {
    expect(drain(new PortRange({ first: 65_535, last: 65_535 }, whole, () => 0.9))).toEqual([65_535]);
  });

  it('does not lend what somebody has taken along, until that is given back', () => {
    const range = new PortRange({ first: 1, last: 3 }, whole, () => 0);
    range.claim(2);
    range.claim(9);
    expect(sorted(drain(range))).toEqual([1, 3]);
    range.giveBack(2);
    range.giveBack(9);
    expect(drain(range)).toEqual([2]);
  });
});
