import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimerWheel, WheelEntry } from '../../../src/engine/timer-wheel.ts';
import { VirtualClock } from '../../../src/net/memory-clock.ts';

/** How late a deadline may be noticed: the wheel's slot, and the tick that looks at it. */
const tolerance = 70;

class Entry extends WheelEntry {
  deadline: number;
  firedAt: number | undefined;

  constructor(deadline: number) {
    super();
    this.deadline = deadline;
  }

  override onDeadline(now: number): void {
    expect(this.firedAt).toBeUndefined();
    this.firedAt = now;
  }
}

const delay = fc.oneof(
  fc.integer({ min: 0, max: 200 }),
  fc.integer({ min: 0, max: 70_000 }),
  fc.constant(300_000),
);
const action = fc.record({
  kind: fc.constantFrom('add', 'move', 'remove', 'wait'),
  delay,
  which: fc.nat(20),
});

describe('TimerWheel', () => {
  it('calls each entry once, soon after its deadline and never before, however deadlines move', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const clock = new VirtualClock();
        const wheel = new TimerWheel(clock);
        const entries: Entry[] = [];
        const removed = new Set<Entry>();
        for (const { kind, delay, which } of actions) {
          const entry = entries[which % Math.max(1, entries.length)];
          if (kind === 'add') {
            const added = new Entry(clock.now() + delay);
            entries.push(added);
            wheel.schedule(added);
          } else if (kind === 'wait') {
            clock.advance(delay);
          } else if (entry && entry.firedAt === undefined && !removed.has(entry)) {
            if (kind === 'move') {
              entry.deadline = clock.now() + delay;
              wheel.schedule(entry);
            } else {
              wheel.remove(entry);
              removed.add(entry);
            }
          }
        }
        clock.advance(400_000);
        for (const entry of entries) {
          if (removed.has(entry)) {
            expect(entry.firedAt).toBeUndefined();
          } else {
            expect(entry.firedAt).toBeGreaterThanOrEqual(entry.deadline);
            expect(entry.firedAt).toBeLessThan(entry.deadline + tolerance);
          }
        }
        expect([wheel.size, clock.pendingTimers]).toEqual([0, 0]);
      }),
      { numRuns: 500 },
    );
  });
});
