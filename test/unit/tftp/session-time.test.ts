import { describe, expect, it } from 'vitest';
import { ErrorCode, Opcode } from '../../../src/tftp/packet.ts';
import { RepeatVerdict, TimerVerdict } from '../../../src/tftp/session-verdicts.ts';
import { full, read, write } from './session-steps.ts';

const { data, ack, error, oack } = Opcode;

describe('a repeated request', () => {
  it('is sent again once per try interval until the first reply', () => {
    const session = read();
    expect(session.onRepeat(100)).toBe(RepeatVerdict.swallow);
    expect(session.onRepeat(1_100)).toBe(RepeatVerdict.resend);
    expect(session.onRepeat(1_200)).toBe(RepeatVerdict.swallow);
    expect(session.onRepeat(2_200)).toBe(RepeatVerdict.resend);
  });

  it('is swallowed while the client is silent after the first reply', () => {
    const session = read();
    session.onBackend(data, 1, full, 100);
    expect(session.onRepeat(400)).toBe(RepeatVerdict.swallow);
  });

  it('is a new one when the backend has been silent for long too', () => {
    const session = read();
    session.onBackend(data, 1, full, 100);
    expect(session.onRepeat(15_000)).toBe(RepeatVerdict.renew);
  });

  it('is a late copy right after the client has spoken, and a new one later', () => {
    const session = read();
    session.onBackend(data, 1, full, 100);
    session.onClient(ack, 1, 4, 200);
    expect(session.onRepeat(400)).toBe(RepeatVerdict.swallow);
    expect(session.onRepeat(1_300)).toBe(RepeatVerdict.renew);
  });

  it('is a new one when the session has ended', () => {
    const session = read();
    session.onBackend(error, ErrorCode.fileNotFound, 10, 100);
    expect(session.onRepeat(101)).toBe(RepeatVerdict.renew);
  });
});

describe('time', () => {
  it('asks another backend after a try interval of silence, for a read', () => {
    const session = read();
    expect(session.deadline).toBe(1_000);
    expect(session.onTimer(1_000)).toBe(TimerVerdict.retry);
    session.asked(1_000);
    expect(session.deadline).toBe(2_000);
    expect(session.tries).toBe(2);
  });

  it('waits for those who were asked when nobody is left', () => {
    const session = read();
    session.onTimer(1_000);
    session.exhausted();
    expect(session.onTimer(2_000)).toBe(TimerVerdict.wait);
    expect(session.onTimer(15_000)).toBe(TimerVerdict.endAndClose);
    expect(session.result).toBe('timeout');
  });

  it('waits longer for a client that asks again', () => {
    const session = read();
    session.exhausted();
    session.onRepeat(10_000);
    expect(session.onTimer(15_000)).toBe(TimerVerdict.wait);
    expect(session.onTimer(25_000)).toBe(TimerVerdict.endAndClose);
  });

  it('never asks another backend for a write that got no answer', () => {
    const session = write();
    expect(session.onTimer(1_000)).toBe(TimerVerdict.wait);
    expect(session.onTimer(15_000)).toBe(TimerVerdict.endAndClose);
    expect(session.result).toBe('timeout');
  });

  it('is six times the negotiated timeout where that is longer than the idle timeout', () => {
    const session = read();
    session.onBackend(oack, 0, 20, 0);
    session.granted(undefined, undefined, 20);
    session.onClient(ack, 0, 4, 0);
    expect(session.deadline).toBe(120_000);
  });

  it('is bounded by the largest timeout that RFC 2349 allows, whatever a backend grants', () => {
    const session = read();
    session.onBackend(oack, 0, 20, 0);
    session.granted(undefined, undefined, 1_000_000_000);
    session.onClient(ack, 0, 4, 0);
    expect(session.deadline).toBe(6 * 255_000);
  });

  it('is the usual one until the client has gone along with the timeout', () => {
    const session = read();
    session.onBackend(oack, 0, 20, 0);
    session.granted(undefined, undefined, 255);
    expect(session.deadline).toBe(60_000);
    session.onClient(ack, 0, 4, 1_000);
    expect(session.deadline).toBe(6 * 255_000);
  });

  it('gives a client that had to wait for its answer the whole idle time to go on', () => {
    const session = read();
    session.exhausted();
    for (let now = 10_000; now <= 90_000; now += 10_000) session.onRepeat(now);
    session.onBackend(data, 1, full, 95_000);
    expect(session.onTimer(154_999)).toBe(TimerVerdict.wait);
    expect(session.onTimer(155_000)).toBe(TimerVerdict.endAndClose);
  });

  it.each(['client', 'backend'] as const)('ends a transfer of which only the %s is heard', (side) => {
    const session = read();
    session.onBackend(data, 1, full, 0);
    session.onClient(ack, 1, 4, 0);
    for (let now = 0; now < 60_000; now += 1_000) {
      if (side === 'client') session.onClient(ack, 1, 4, now);
      else session.onBackend(data, 2, full, now);
      expect(session.onTimer(now)).toBe(TimerVerdict.wait);
    }
    expect(session.onTimer(60_000)).toBe(TimerVerdict.endAndClose);
    expect(session.result).toBe('timeout');
  });

  it('dallies after the end and then closes without a second end', () => {
    const session = read();
    session.onBackend(data, 1, 10, 0);
    session.onClient(ack, 1, 4, 0);
    expect(session.deadline).toBeGreaterThanOrEqual(5_000);
    expect(session.deadline).toBeLessThanOrEqual(10_000);
    expect(session.onTimer(10_000)).toBe(TimerVerdict.close);
    expect(session.result).toBe('ok');
  });

  it('dallies for ten seconds at most, however often the sender repeats', () => {
    const session = read();
    session.onBackend(data, 1, 10, 0);
    session.onClient(ack, 1, 4, 0);
    for (let now = 0; now <= 9_000; now += 1_000) {
      session.onBackend(data, 1, 10, now);
      expect(session.onTimer(now)).toBe(TimerVerdict.wait);
    }
    expect(session.onTimer(10_000)).toBe(TimerVerdict.close);
  });
});

describe('a session that another one replaces', () => {
  it('is delivered where the final block was relayed', () => {
    const session = read();
    session.onBackend(data, 1, 10, 0);
    session.replaced(1);
    expect(session.result).toBe('ok-unacked');
  });

  it('is the client’s abort where not', () => {
    const session = read();
    session.onBackend(data, 1, full, 0);
    session.replaced(1);
    expect(session.result).toBe('client-abort');
  });
});
