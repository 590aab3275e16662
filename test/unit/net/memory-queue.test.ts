import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HappeningQueue, type Happening } from '../../../src/net/memory-queue.ts';

const nothing = (): void => undefined;

function drain(queue: HappeningQueue): Happening[] {
  const drained: Happening[] = [];
  for (let next = queue.earliest(); next !== undefined; next = queue.earliest()) {
    queue.remove(next);
    drained.push(next);
  }
  return drained;
}

describe('HappeningQueue', () => {
  it('gives back in order of time, then of planning, whatever was removed', () => {
    const plan = fc.record({ at: fc.nat(50), removed: fc.boolean() });
    // Only deep heaps show what a removal can break.
    const plans = fc.array(plan, { maxLength: 150, size: 'max' });
    fc.assert(
      fc.property(plans, (plans) => {
        const queue = new HappeningQueue();
        const planned = plans.map(({ at }) => queue.plan(at, nothing));
        for (const [index, { removed }] of plans.entries()) {
          const happening = planned[index];
          if (removed && happening !== undefined) expect(queue.remove(happening)).toBe(true);
        }
        const expected = planned
          .filter((_, index) => plans[index]?.removed === false)
          .sort((a, b) => a.at - b.at || a.order - b.order);
        expect(drain(queue)).toEqual(expected);
      }),
    );
  });

  it('removes nothing twice', () => {
    const queue = new HappeningQueue();
    const first = queue.plan(1, nothing);
    const second = queue.plan(2, nothing);
    expect([queue.remove(first), queue.remove(first)]).toEqual([true, false]);
    expect(drain(queue)).toEqual([second]);
    expect(queue.remove(second)).toBe(false);
  });
});
