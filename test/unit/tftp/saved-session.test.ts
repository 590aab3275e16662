import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Opcode } from '../../../src/tftp/packet.ts';
import { TftpSession } from '../../../src/tftp/session.ts';

const step = fc.record({
  kind: fc.constantFrom('backend', 'client', 'repeat', 'timer', 'asked', 'granted'),
  opcode: fc.integer({ min: Opcode.data, max: Opcode.oack }),
  block: fc.nat(5),
  length: fc.constantFrom(4, 12, 515, 516),
  time: fc.nat(4_000),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What the machine answers, and what it is like then. */
function act(session: TftpSession, { kind, opcode, block, length }: Step, now: number): number {
  if (kind === 'backend') return session.onBackend(opcode, block, length, now);
  if (kind === 'client') return session.onClient(opcode, block, length, now);
  if (kind === 'repeat') return session.onRepeat(now);
  if (kind === 'timer') return session.onTimer(now);
  if (kind === 'granted') session.granted(512, block + 1, block);
  else if (block === 0) session.exhausted();
  else session.asked(now);
  return 0;
}

/** All that shows, with the deadline as the time that is left. */
function looksOf(session: TftpSession, now: number): unknown {
  const { result, isAnswered, isActive, bytes, blocks, repeats, tries } = session;
  return { result, isAnswered, isActive, bytes, blocks, repeats, tries, left: session.deadline - now };
}

describe('a session that moves to another process', () => {
  it('goes on as if it had stayed, whenever that is and whatever clock is there', () => {
    const property = fc.property(
      fc.boolean(),
      fc.boolean(),
      fc.array(step, { maxLength: 30 }),
      fc.nat(1_000_000),
      (isRead, retryNotFound, steps, origin) => {
        const timing = { tryInterval: 1_000, idleTimeout: 6_000 };
        const stayed = new TftpSession(isRead, retryNotFound, timing, 0);
        let moved = new TftpSession(isRead, retryNotFound, timing, origin);
        let now = 0;
        for (const next of steps) {
          now += next.time;
          // As a message between processes.
          const saved = JSON.parse(JSON.stringify(moved.save(origin + now)));
          moved = TftpSession.restore(saved, origin + now);
          expect(act(moved, next, origin + now)).toBe(act(stayed, next, now));
          expect(looksOf(moved, origin + now)).toEqual(looksOf(stayed, now));
        }
      },
    );
    fc.assert(property, { seed: 1, numRuns: 500 });
  });
});
