import { describe, expect, it } from 'vitest';
import { MemoryLink, perfectLink, type LinkModel } from '../../../src/net/memory-link.ts';
import { createSeededRandom } from '../../../src/net/memory-random.ts';

/** Arrivals of 10,000 datagrams that are sent one a millisecond. */
function arrivals(change: Partial<LinkModel>): number[][] {
  const link = new MemoryLink(createSeededRandom(7));
  const model = { ...perfectLink, minDelay: 5, maxDelay: 25, ...change };
  return Array.from({ length: 10_000 }, (_, now) => link.arrivals(model, now));
}

const isInOrder = (times: readonly number[]): boolean =>
  times.every((time, index) => index === 0 || time >= (times[index - 1] ?? 0));

describe('MemoryLink', () => {
  it('delays within its bounds and keeps the order', () => {
    const times = arrivals({}).flat();
    expect(times.length).toBe(10_000);
    expect(isInOrder(times)).toBe(true);
    const delays = times.map((time, sent) => time - sent);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(5);
    expect(Math.max(...delays)).toBeLessThanOrEqual(25);
    expect(new Set(delays).size).toBeGreaterThan(100);
  });

  it('loses as many as it is told', () => {
    const lost = arrivals({ loss: 0.05 }).filter((copies) => copies.length === 0).length;
    expect(lost).toBeGreaterThan(400);
    expect(lost).toBeLessThan(600);
    expect(arrivals({ loss: 1 }).flat()).toEqual([]);
  });

  it('doubles as many as it is told', () => {
    const doubled = arrivals({ duplication: 0.05 }).filter((copies) => copies.length === 2).length;
    expect(doubled).toBeGreaterThan(400);
    expect(doubled).toBeLessThan(600);
  });

  it('holds back as many as it is told, and the others keep their order', () => {
    const times = arrivals({ reordering: 0.05 }).flat();
    expect(isInOrder(times)).toBe(false);
    const heldBack = times.filter((time, sent) => time - sent > 25);
    expect(heldBack.length).toBeGreaterThan(400);
    expect(heldBack.length).toBeLessThan(600);
    expect(isInOrder(times.filter((time, sent) => time - sent <= 25))).toBe(true);
    expect(Math.max(...times.map((time, sent) => time - sent))).toBeLessThanOrEqual(75);
  });
});
