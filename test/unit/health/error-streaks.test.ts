import { describe, expect, test } from 'vitest';
import { ErrorStreaks } from '../../../src/health/error-streaks.ts';
import type { Event, SessionEnd } from '../../../src/observe/events.ts';
import { ErrorCode } from '../../../src/tftp/packet.ts';
import { ended, rejected, sessionEnded, transferred } from '../observe/events.ts';

function tftpError(code: number, from: 'client' | 'backend' | 'balancer' = 'backend'): SessionEnd {
  return ended({ result: 'error', error: { from, code, message: '' } });
}

const failure = tftpError(ErrorCode.diskFull);

/** Whether as many of these as the limit eject the backend. */
function isFailure(event: Event): boolean {
  const streaks = new ErrorStreaks(2);
  streaks.note(event);
  return streaks.note(event) === 'a';
}

/** Whether it ends a row of failures. */
function isSuccess(event: Event): boolean {
  const streaks = new ErrorStreaks(3);
  const noted = [failure, event, failure, failure].map((event) => streaks.note(event));
  return noted.every((name) => name === undefined);
}

describe('failures', () => {
  test.each<[string, Event]>([
    ['a full disk', failure],
    ['no data connection', transferred({ result: 'no-backend-data', code: 425 })],
    ['an error in processing', transferred({ result: 'backend-error', code: 451 })],
    ['no storage', transferred({ result: 'backend-error', code: 452 })],
    ['a reset', sessionEnded({ end: 'backend-reset' })],
    ['no answer', sessionEnded({ end: 'reply-timeout' })],
    ['nonsense', sessionEnded({ end: 'backend-protocol' })],
  ])('%s', (_what, event) => {
    expect([isFailure(event), isSuccess(event)]).toEqual([true, false]);
  });
});

describe('successes', () => {
  test.each<[string, Event]>([
    ['a transfer', ended()],
    ['a transfer without its last ACK', ended({ result: 'ok-unacked' })],
    ['no such file', ended({ result: 'not-found' })],
    ['no access', ended({ result: 'denied' })],
    ['a transfer of FTP', transferred()],
  ])('%s', (_what, event) => {
    expect([isFailure(event), isSuccess(event)]).toEqual([false, true]);
  });
});

describe('what tells nothing of the backend', () => {
  test.each<[string, Event]>([
    ['an error that many servers mean otherwise', tftpError(ErrorCode.notDefined)],
    ['an error of the client', tftpError(ErrorCode.diskFull, 'client')],
    ['silence, of whomever', ended({ result: 'timeout' })],
    ['a client that has thought better of it', ended({ result: 'client-abort' })],
    ['a user over quota', transferred({ result: 'backend-error', code: 552 })],
    ['a file that is not there', transferred({ result: 'refused', code: 550 })],
    ['a client that broke it off', transferred({ result: 'client-reset', code: 426 })],
    ['QUIT', sessionEnded()],
    ['a session that the server ended', sessionEnded({ end: 'backend-closed' })],
    ['a request that never became a session', rejected()],
  ])('%s', (_what, event) => {
    expect([isFailure(event), isSuccess(event)]).toEqual([false, false]);
  });
});

describe('a row', () => {
  test('is as long as the limit, and begins anew behind it', () => {
    const streaks = new ErrorStreaks(3);
    const noted = Array.from({ length: 7 }, () => streaks.note(failure));
    expect(noted).toEqual([undefined, undefined, 'a', undefined, undefined, 'a', undefined]);
  });

  test('is that of one backend', () => {
    const streaks = new ErrorStreaks(2);
    streaks.note(failure);
    expect(streaks.note({ ...failure, backend: 'b' })).toBeUndefined();
    streaks.note(ended({ backend: 'b' }));
    expect(streaks.note(failure)).toBe('a');
  });

  test('of one failure is enough where the limit is 1, and none where it is 0', () => {
    expect(new ErrorStreaks(1).note(failure)).toBe('a');
    const never = new ErrorStreaks(0);
    expect(Array.from({ length: 20 }, () => never.note(failure))).toEqual(Array(20).fill(undefined));
  });

  test('is forgotten with its backend', () => {
    const streaks = new ErrorStreaks(2);
    streaks.note(failure);
    streaks.note({ ...failure, backend: 'b' });
    streaks.keep(new Set(['b']));
    expect([streaks.note(failure), streaks.note({ ...failure, backend: 'b' })]).toEqual([undefined, 'b']);
  });
});

test('another limit counts for the failures that there were', () => {
  const streaks = new ErrorStreaks(5);
  streaks.note(failure);
  streaks.note(failure);
  streaks.configure(3);
  expect([streaks.note(failure), streaks.note(failure)]).toEqual(['a', undefined]);
  streaks.configure(0);
  expect([1, 2, 3].map(() => streaks.note(failure))).toEqual([undefined, undefined, undefined]);
});
