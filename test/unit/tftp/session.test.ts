import { describe, expect, it } from 'vitest';
import { ErrorCode, Opcode } from '../../../src/tftp/packet.ts';
import { type TftpSession } from '../../../src/tftp/session.ts';
import { TimerVerdict, Verdict } from '../../../src/tftp/session-verdicts.ts';
import { full, play, read, type Step, write } from './session-steps.ts';

const { data, ack, error, oack } = Opcode;

describe('first reply', () => {
  const cases: readonly [string, () => TftpSession, number, number, keyof typeof Verdict][] = [
    ['DATA 1 answers a read', read, data, 1, 'relayAndPin'],
    ['OACK answers a read', read, oack, 0, 'relayAndPin'],
    ['ERROR answers a read', read, error, 0, 'relayPinAndEnd'],
    ['DATA 2 does not', read, data, 2, 'dropUnexpected'],
    ['DATA 0 does not', read, data, 0, 'dropUnexpected'],
    ['ACK 0 does not answer a read', read, ack, 0, 'dropUnexpected'],
    ['ACK 0 answers a write', write, ack, 0, 'relayAndPin'],
    ['OACK answers a write', write, oack, 0, 'relayAndPin'],
    ['ERROR answers a write', write, error, 2, 'relayPinAndEnd'],
    ['ACK 1 does not', write, ack, 1, 'dropUnexpected'],
    ['DATA 1 does not answer a write', write, data, 1, 'dropUnexpected'],
  ];
  it.each(cases)('%s', (_, make, opcode, block, verdict) => {
    const session = make();
    play(session, [['backend', opcode, block, full, verdict]]);
    expect(session.isAnswered).toBe(verdict !== 'dropUnexpected');
  });

  it('nothing of the client passes before it', () => {
    play(read(), [['client', ack, 0, 4, 'dropUnexpected']]);
  });
});

describe('end of a read', () => {
  it('is the relayed ACK of a short block, and is reported once', () => {
    const session = read();
    play(session, [
      ['backend', data, 1, full, 'relayAndPin'],
      ['client', ack, 1, 4, 'relay'],
      ['backend', data, 2, 100, 'relay'],
      ['client', ack, 1, 4, 'relay'],
      ['client', ack, 2, 4, 'relayAndEnd'],
      ['backend', data, 2, 100, 'relay'],
      ['client', ack, 2, 4, 'relay'],
    ]);
    expect(session).toMatchObject({ result: 'ok', bytes: 608, blocks: 2, isActive: false });
  });

  it('is an empty block where the file fills its blocks', () => {
    const session = read();
    play(session, [
      ['backend', data, 1, full, 'relayAndPin'],
      ['client', ack, 1, 4, 'relay'],
      ['backend', data, 2, 4, 'relay'],
      ['client', ack, 2, 4, 'relayAndEnd'],
    ]);
    expect(session.bytes).toBe(512);
  });

  it('goes by the block size of the OACK', () => {
    const session = read();
    play(session, [['backend', oack, 0, 20, 'relayAndPin']]);
    session.granted(1428, undefined, undefined);
    play(session, [
      ['client', ack, 0, 4, 'relay'],
      ['backend', data, 1, 1432, 'relay'],
      ['client', ack, 1, 4, 'relay'],
      ['backend', data, 2, full, 'relay'],
      ['client', ack, 2, 4, 'relayAndEnd'],
    ]);
    expect(session.result).toBe('ok');
  });

  it('goes by 512 bytes where the server ignores the options', () => {
    const session = read();
    play(session, [
      ['backend', data, 1, full, 'relayAndPin'],
      ['client', ack, 1, 4, 'relay'],
    ]);
    expect(session.result).toBeUndefined();
  });

  it('is ok-unacked when the last ACK never comes', () => {
    const session = read();
    play(session, [['backend', data, 1, 10, 'relayAndPin']]);
    expect(session.onTimer(59_000)).toBe(TimerVerdict.wait);
    expect(session.onTimer(61_000)).toBe(TimerVerdict.endAndClose);
    expect(session.result).toBe('ok-unacked');
  });

  it('is a timeout when blocks before the last are without an ACK', () => {
    const session = read();
    play(session, [
      ['backend', data, 1, full, 'relayAndPin'],
      ['backend', data, 2, 10, 'relay'],
    ]);
    expect(session.onTimer(70_000)).toBe(TimerVerdict.endAndClose);
    expect(session.result).toBe('timeout');
  });

  it('is a timeout where a block of the last window was never relayed', () => {
    const session = read();
    play(session, [['backend', oack, 0, 20, 'relayAndPin']]);
    session.granted(512, 4, undefined);
    play(session, [
      ['client', ack, 0, 4, 'relay'],
      ['backend', data, 1, full, 'relay'],
      ['backend', data, 3, 10, 'relay'],
    ]);
    expect(session.onTimer(70_000)).toBe(TimerVerdict.endAndClose);
    expect(session.result).toBe('timeout');
  });

  it('is ok-unacked where the last window went out whole', () => {
    const session = read();
    play(session, [['backend', oack, 0, 20, 'relayAndPin']]);
    session.granted(512, 4, undefined);
    play(session, [
      ['client', ack, 0, 4, 'relay'],
      ['backend', data, 1, full, 'relay'],
      ['backend', data, 3, full, 'relay'],
      ['backend', data, 2, full, 'relay'],
      ['client', ack, 3, 4, 'relay'],
      ['backend', data, 4, full, 'relay'],
      ['backend', data, 5, 10, 'relay'],
    ]);
    expect(session.onTimer(70_000)).toBe(TimerVerdict.endAndClose);
    expect(session.result).toBe('ok-unacked');
  });

  it('is taken back when further blocks follow, and not reported again', () => {
    const session = read();
    play(session, [
      ['backend', data, 1, 100, 'relayAndPin'],
      ['client', ack, 1, 4, 'relayAndEnd'],
      ['backend', data, 2, full, 'relayAndResume'],
      ['client', ack, 2, 4, 'relay'],
      ['backend', data, 3, 4, 'relay'],
      ['client', ack, 3, 4, 'relayAndEnd'],
    ]);
    expect(session.result).toBe('ok');
  });
});

describe('DATA from the side that receives the file', () => {
  it('is relayed and counts for nothing, before the end and after it', () => {
    const session = read();
    play(session, [
      ['backend', data, 1, full, 'relayAndPin'],
      ['client', data, 2, 4, 'relay'],
      ['client', ack, 2, 4, 'relay'],
      ['backend', data, 2, 14, 'relay'],
      ['client', ack, 2, 4, 'relayAndEnd'],
      ['client', data, 3, full, 'relay'],
    ]);
    expect(session).toMatchObject({ result: 'ok', bytes: 522, blocks: 2, isActive: false });
  });

  it('is no end of a write', () => {
    const session = write();
    play(session, [
      ['backend', ack, 0, 4, 'relayAndPin'],
      ['client', data, 1, full, 'relay'],
      ['backend', data, 2, 4, 'relay'],
      ['backend', ack, 2, 4, 'relay'],
    ]);
    expect(session).toMatchObject({ result: undefined, bytes: 512 });
  });
});

describe('end of a write', () => {
  it('is the relayed ACK of the short block', () => {
    const session = write();
    play(session, [
      ['backend', ack, 0, 4, 'relayAndPin'],
      ['client', data, 1, full, 'relay'],
      ['backend', ack, 1, 4, 'relay'],
      ['client', data, 2, 4, 'relay'],
      ['client', data, 2, 4, 'relay'],
      ['backend', ack, 2, 4, 'relayAndEnd'],
      ['client', data, 2, 4, 'relay'],
      ['backend', ack, 2, 4, 'relay'],
    ]);
    expect(session).toMatchObject({ result: 'ok', bytes: 512, blocks: 2, repeats: 3 });
  });

  it('is a timeout, never ok-unacked, without that ACK', () => {
    const session = write();
    play(session, [
      ['backend', ack, 0, 4, 'relayAndPin'],
      ['client', data, 1, 4, 'relay'],
    ]);
    expect(session.onTimer(70_000)).toBe(TimerVerdict.endAndClose);
    expect(session.result).toBe('timeout');
  });

  it('an ACK from the client is no end', () => {
    const session = write();
    play(session, [
      ['backend', ack, 0, 4, 'relayAndPin'],
      ['client', data, 1, 4, 'relay'],
      ['client', ack, 1, 4, 'relay'],
    ]);
    expect(session.result).toBeUndefined();
  });
});

describe('ERROR', () => {
  const results: readonly [number, string][] = [
    [ErrorCode.fileNotFound, 'not-found'],
    [ErrorCode.accessViolation, 'denied'],
    [ErrorCode.notDefined, 'error'],
    [ErrorCode.diskFull, 'error'],
  ];
  it.each(results)('%i from a backend ends with %s, and what follows is swallowed', (code, result) => {
    const session = read();
    play(session, [
      ['backend', error, code, 10, 'relayPinAndEnd'],
      ['client', error, 0, 4, 'dropAfterError'],
      ['backend', error, code, 10, 'dropAfterError'],
    ]);
    expect(session.result).toBe(result);
    expect(session.onTimer(1_000)).toBe(TimerVerdict.wait);
    expect(session.onTimer(2_100)).toBe(TimerVerdict.close);
  });

  it.each([ErrorCode.notDefined, ErrorCode.optionRefused])(
    '%i right after an OACK is the size probe of boot firmware',
    (code) => {
      const session = read();
      play(session, [
        ['backend', oack, 0, 20, 'relayAndPin'],
        ['client', error, code, 4, 'relayAndEnd'],
      ]);
      expect(session.result).toBe('client-abort');
    },
  );

  it('0 before any block is acknowledged is GRUB, which has looked whether there is such a file', () => {
    const session = read();
    play(session, [
      ['backend', oack, 0, 20, 'relayAndPin'],
      ['client', ack, 0, 4, 'relay'],
      ['backend', data, 1, full, 'relay'],
      ['client', error, ErrorCode.notDefined, 11, 'relayAndEnd'],
    ]);
    expect(session.result).toBe('client-abort');
  });

  it('0 right after the OACK of a write is a probe, behind data it is a failure', () => {
    for (const [between, result] of [
      [[], 'client-abort'],
      [[['client', data, 1, full, 'relay'] as Step], 'error'],
    ] as const) {
      const session = write();
      play(session, [
        ['backend', oack, 0, 20, 'relayAndPin'],
        ...between,
        ['client', error, ErrorCode.notDefined, 4, 'relayAndEnd'],
      ]);
      expect(session.result).toBe(result);
    }
  });

  const oneBlock: readonly Step[] = [
    ['client', ack, 0, 4, 'relay'],
    ['backend', data, 1, full, 'relay'],
    ['client', ack, 1, 4, 'relay'],
  ];
  it.each([
    ['after data', oneBlock, ErrorCode.notDefined],
    ['with another code', [], ErrorCode.diskFull],
  ] as const)('from a client %s is a failure', (_, between, code) => {
    const session = read();
    play(session, [
      ['backend', oack, 0, 20, 'relayAndPin'],
      ...between,
      ['client', error, code, 4, 'relayAndEnd'],
    ]);
    expect(session.result).toBe('error');
  });

  it('1 asks for another backend where that is wanted, as a first reply alone', () => {
    const session = read({ retryNotFound: true });
    play(session, [
      ['backend', error, ErrorCode.fileNotFound, 10, 'retryNotFound'],
      ['backend', data, 1, full, 'relayAndPin'],
      ['client', ack, 1, 4, 'relay'],
      ['backend', error, ErrorCode.fileNotFound, 10, 'relayAndEnd'],
    ]);
  });
});

describe('an address that has proved nothing', () => {
  it('gets three datagrams', () => {
    play(read(), [
      ['backend', data, 1, full, 'relayAndPin'],
      ['backend', data, 1, full, 'relay'],
      ['backend', data, 1, full, 'relay'],
      ['backend', data, 1, full, 'dropUnproven'],
      ['client', ack, 1, 4, 'relay'],
      ['backend', data, 2, full, 'relay'],
      ['backend', data, 2, full, 'relay'],
      ['backend', data, 2, full, 'relay'],
    ]);
  });

  it('gets one more for each time that it asks again', () => {
    const session = read();
    const passed = (): number =>
      Array.from({ length: 10 }, (_, now) => session.onBackend(data, 1, full, now)).filter(
        (verdict) => verdict !== Verdict.dropUnproven,
      ).length;
    expect(passed()).toBe(3);
    session.onRepeat(100);
    expect(passed()).toBe(1);
  });

  it.each([
    [5, 5],
    [2, 3],
    [64, 8],
  ])('with window %i gets %i', (window, count) => {
    const session = read();
    session.onBackend(oack, 0, 20, 0);
    session.granted(512, window, undefined);
    let passed = 1;
    for (let block = 1; block < 100; block++) {
      if (session.onBackend(data, block, full, 0) === Verdict.relay) passed += 1;
    }
    expect(passed).toBe(count);
  });
});

describe('counting', () => {
  it('follows a window with loss by block numbers', () => {
    const session = read();
    play(session, [['backend', oack, 0, 20, 'relayAndPin']]);
    session.granted(512, 4, undefined);
    play(session, [
      ['client', ack, 0, 4, 'relay'],
      ['backend', data, 1, full, 'relay'],
      ['backend', data, 3, full, 'relay'],
      ['client', ack, 1, 4, 'relay'],
      ['backend', data, 2, full, 'relay'],
      ['backend', data, 3, full, 'relay'],
      ['backend', data, 4, 14, 'relay'],
      ['client', ack, 4, 4, 'relayAndEnd'],
    ]);
    expect(session).toMatchObject({ blocks: 4, bytes: 3 * 512 + 10 });
  });

  it.each([0, 1])('goes on behind block 65535 with %i', (rollover) => {
    const session = read();
    session.onBackend(data, 1, full, 0);
    for (let n = 2; n <= 70_000; n++) {
      const block = n <= 65_535 ? n : n - 65_536 + rollover;
      session.onClient(ack, block === rollover && n > 65_535 ? 65_535 : block - 1, 4, n);
      expect(session.onBackend(data, block, n === 70_000 ? 14 : full, n)).toBe(Verdict.relay);
    }
    expect(session.onClient(ack, 70_000 - 65_536 + rollover, 4, 70_000)).toBe(Verdict.relayAndEnd);
    expect(session).toMatchObject({ blocks: 70_000, bytes: 69_999 * 512 + 10, result: 'ok' });
  });
});
