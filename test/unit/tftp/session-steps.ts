import { expect } from 'vitest';
import { TftpSession } from '../../../src/tftp/session.ts';
import { Verdict } from '../../../src/tftp/session-verdicts.ts';

const timing = { tryInterval: 1_000, idleTimeout: 60_000 };

/** Length of a DATA packet with 512 bytes of payload. */
export const full = 516;

export type Step = readonly [
  from: 'backend' | 'client',
  opcode: number,
  block: number,
  length: number,
  verdict: keyof typeof Verdict,
];

/** A read whose first backend was asked at time 0. */
export function read(options: { retryNotFound?: boolean } = {}): TftpSession {
  return new TftpSession(true, options.retryNotFound ?? false, timing, 0);
}

/** A write whose first backend was asked at time 0. */
export function write(): TftpSession {
  return new TftpSession(false, false, timing, 0);
}

/** One step a millisecond. */
export function play(session: TftpSession, steps: readonly Step[]): void {
  steps.forEach(([from, opcode, block, length, verdict], now) => {
    const got =
      from === 'backend'
        ? session.onBackend(opcode, block, length, now)
        : session.onClient(opcode, block, length, now);
    expect(
      [now, Object.entries(Verdict).find(([, value]) => value === got)?.[0]],
      `step ${now}: ${from} ${opcode} ${block}`,
    ).toEqual([now, verdict]);
  });
}
